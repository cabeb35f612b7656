"""What the shipped profiles rely on, asked of the CRMs themselves: the imitations always, the real ones on demand.

docs/backends.md tells these facts. Where a new release of a CRM changes one, it is seen here first.
"""

import requests

NOWHERE = "00000000-0000-4000-8000-ffffffffffff"


def asked(crm, method, path, **options):
    options.setdefault("headers", {"Authorization": f"Bearer {crm.api_key}"})
    return requests.request(method, crm.address + path, timeout=60, allow_redirects=False, **options)


def stranger(crm, path):
    return asked(crm, "GET", path, headers={"Authorization": "Bearer a-wrong-key"})


def test_users_see_what_they_wrote(crm):
    customer = crm.create("customer", Name="Alfa AS", OrganizationNumber="910000004", Country="NO")
    contact = crm.create("contact", FirstName="Kari", LastName="Nordmann", CustomerId=customer)
    product = crm.create("product", Name="Skrue", Number="S-1", Price=12.5)
    crm.edit("customer", customer, City="OSLO", OrganizationNumber=None)
    crm.edit("contact", contact, MobilePhone="+47 90 00 00 00")
    crm.edit("product", product, Name="Skrue, lang")
    alfa = crm.get("customer", customer)
    assert (alfa["Name"], alfa["City"], alfa["Country"], alfa["OrganizationNumber"]) == ("Alfa AS", "OSLO", "NO", None)
    kari = crm.get("contact", contact)
    assert (str(kari["CustomerId"]), kari["MobilePhone"]) == (customer, "+47 90 00 00 00")
    skrue = crm.get("product", product)
    assert (skrue["Name"], skrue["Number"], float(skrue["Price"])) == ("Skrue, lang", "S-1", 12.5)
    crm.delete("customer", customer)
    assert crm.all("customer") == {}
    assert crm.get("contact", contact)["CustomerId"] is None


class TestDirectus:
    """Directus 12."""

    def test_a_wrong_token_is_401(self, directus):
        answer = stranger(directus, "/items/customer")
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "INVALID_CREDENTIALS")

    def test_an_item_that_is_not_there_is_403_as_one_that_may_not_be_read(self, directus):
        answer = asked(directus, "GET", "/items/customer/4711")
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
        listed = asked(directus, "GET", "/items/customer?filter[id][_in]=4711")
        assert (listed.status_code, listed.json()) == (200, {"data": []})

    def test_writing_to_an_item_that_is_not_there_is_204_and_nothing_happens(self, directus):
        patched = asked(directus, "PATCH", "/items/customer/4711", json={"name": "Alfa AS"})
        deleted = asked(directus, "DELETE", "/items/customer/4711")
        assert [(one.status_code, one.content) for one in (patched, deleted)] == [(204, b""), (204, b"")]
        assert directus.all("customer") == {}

    def test_date_updated_is_null_until_the_first_edit(self, directus):
        customer = directus.create("customer", Name="Alfa AS")
        (made,) = directus.raw("customer")
        assert made["date_created"].endswith("Z")
        assert made["date_updated"] is None
        directus.edit("customer", customer, City="OSLO")
        (edited,) = directus.raw("customer")
        assert edited["date_updated"] > made["date_created"]

    def test_changes_are_found_by_either_time(self, directus):
        old = directus.create("customer", Name="Alfa AS")
        directus.create("customer", Name="Beta AS")
        since = directus.raw("customer")[-1]["date_created"]
        directus.create("customer", Name="Gamma AS")
        directus.edit("customer", old, City="OSLO")
        filters = f"filter[_or][0][date_updated][_gte]={since}&filter[_or][1][date_created][_gte]={since}"
        answer = asked(directus, "GET", f"/items/customer?{filters}&sort=id&meta=filter_count&limit=2&page=2").json()
        assert (answer["meta"]["filter_count"], [one["name"] for one in answer["data"]]) == (3, ["Gamma AS"])

    def test_unknown_fields_are_dropped_in_a_body_and_403_in_a_filter(self, directus):
        made = asked(directus, "POST", "/items/customer", json={"name": "Alfa AS", "colour": "red"})
        assert (made.status_code, "colour" in made.json()["data"]) == (200, False)
        assert asked(directus, "GET", "/items/customer?filter[colour][_eq]=red").status_code == 403

    def test_a_reference_to_nowhere_is_400(self, directus):
        answer = asked(directus, "POST", "/items/contact", json={"first_name": "Kari", "customer": "4711"})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["field"]) == (400, "customer")
        assert "Invalid foreign key" in error["message"]

    def test_a_decimal_is_a_text(self, directus):
        directus.create("product", Name="Skrue", Price=12.5)
        assert [one["price"] for one in directus.raw("product")] == ["12.50000"]


class TestStrapi:
    """Strapi 5."""

    def test_a_wrong_token_is_401(self, strapi):
        answer = stranger(strapi, "/api/customers")
        assert (answer.status_code, answer.json()["error"]["name"]) == (401, "UnauthorizedError")

    def test_a_document_that_is_not_there_is_404_but_for_deletions(self, strapi):
        body = {"data": {"Name": "Alfa AS"}}
        told = [
            asked(strapi, method, "/api/customers/nowhere", json=body).status_code
            for method in ("GET", "PUT", "DELETE")
        ]
        assert told == [404, 404, 204]

    def test_patch_is_405_and_put_leaves_the_rest_as_it_is(self, strapi):
        customer = strapi.create("customer", Name="Alfa AS", City="OSLO")
        body = {"data": {"Name": "Beta AS"}}
        assert asked(strapi, "PATCH", f"/api/customers/{customer}", json=body).status_code == 405
        answer = asked(strapi, "PUT", f"/api/customers/{customer}", json=body)
        assert (answer.status_code, answer.json()["data"]["City"]) == (200, "OSLO")

    def test_a_created_document_is_answered_by_201(self, strapi):
        answer = asked(strapi, "POST", "/api/customers", json={"data": {"Name": "Alfa AS"}})
        made = answer.json()["data"]
        assert (answer.status_code, made["createdAt"], len(made["documentId"])) == (201, made["updatedAt"], 24)

    def test_an_unknown_field_is_400_in_a_body_and_in_a_filter(self, strapi):
        made = asked(strapi, "POST", "/api/customers", json={"data": {"Name": "Alfa AS", "Colour": "red"}})
        found = asked(strapi, "GET", "/api/customers?filters[Colour][$eqi]=red")
        assert [(one.status_code, one.json()["error"]["message"]) for one in (made, found)] == [
            (400, "Invalid key Colour"),
            (400, "Invalid key Colour"),
        ]

    def test_what_does_not_fit_a_field_is_400_with_its_path(self, strapi):
        answer = asked(strapi, "POST", "/api/customers", json={"data": {"Name": "Alfa AS", "Email": "none"}})
        (point,) = answer.json()["error"]["details"]["errors"]
        assert (answer.status_code, point["path"], point["message"]) == (400, ["Email"], "Email must be a valid email")

    def test_a_relation_is_told_only_where_it_is_asked_for(self, strapi):
        customer = strapi.create("customer", Name="Alfa AS")
        body = {"data": {"FirstName": "Kari", "customer": customer}}
        populate = "populate[customer][fields][0]=documentId"
        bare, told = (asked(strapi, "POST", path, json=body) for path in ("/api/contacts", f"/api/contacts?{populate}"))
        assert "customer" not in bare.json()["data"]
        assert told.json()["data"]["customer"]["documentId"] == customer
        listed = asked(strapi, "GET", f"/api/contacts?{populate}").json()["data"]
        assert {one["customer"]["documentId"] for one in listed} == {customer}

    def test_a_page_is_cut_to_100_without_a_word_and_past_the_last_one_there_is_nothing(self, strapi):
        strapi.create("customer", Name="Alfa AS")
        cut = asked(strapi, "GET", "/api/customers?pagination[pageSize]=500").json()
        assert cut["meta"]["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 1, "total": 1}
        past = asked(strapi, "GET", "/api/customers?pagination[page]=9&pagination[pageSize]=100")
        assert (past.status_code, past.json()["data"]) == (200, [])

    def test_changes_are_found_by_updated_at(self, strapi):
        old = strapi.create("customer", Name="Alfa AS")
        strapi.create("customer", Name="Beta AS")
        since = strapi.raw("customer")[-1]["updatedAt"]
        strapi.edit("customer", old, City="OSLO")
        answer = asked(strapi, "GET", f"/api/customers?filters[updatedAt][$gte]={since}&sort=updatedAt,id")
        assert [one["Name"] for one in answer.json()["data"]] == ["Beta AS", "Alfa AS"]


class TestBottleCrm:
    """BottleCRM 1.35."""

    def test_a_wrong_token_is_403(self, bottlecrm):
        answer = stranger(bottlecrm, "/api/contacts/")
        assert (answer.status_code, "detail" in answer.json()) == (403, True)

    def test_a_post_without_the_slash_is_redirected(self, bottlecrm):
        answer = asked(bottlecrm, "POST", "/api/accounts", json={"name": "Alfa AS"})
        assert (answer.status_code, answer.headers["Location"]) == (301, "/api/accounts/")
        assert bottlecrm.all("customer") == {}

    def test_a_written_account_or_contact_is_not_told(self, bottlecrm):
        made = asked(bottlecrm, "POST", "/api/accounts/", json={"name": "Alfa AS"})
        assert (made.status_code, set(made.json())) == (200, {"error", "message", "id"})
        path = f"/api/accounts/{made.json()['id']}/"
        edited = asked(bottlecrm, "PATCH", path, json={"city": "OSLO"})
        assert (edited.status_code, set(edited.json())) == (200, {"error", "message"})
        assert asked(bottlecrm, "GET", path).json()["account_obj"]["city"] == "OSLO"

    def test_a_written_product_is_told_and_only_put_changes_it(self, bottlecrm):
        made = asked(bottlecrm, "POST", "/api/invoices/products/", json={"name": "Skrue", "sku": "S-1", "price": 12.5})
        product = made.json()["product"]
        assert (made.status_code, product["price"]) == (201, "12.50")
        path = f"/api/invoices/products/{product['id']}/"
        assert asked(bottlecrm, "PATCH", path, json={"name": "Mutter"}).status_code == 405
        put = asked(bottlecrm, "PUT", path, json={"name": "Mutter"})
        assert (put.status_code, put.json()["product"]["sku"]) == (200, "S-1")

    def test_the_two_lists_of_accounts_share_limit_and_offset_and_tell_no_time_of_update(self, bottlecrm):
        for name in ("Alfa AS", "Beta AS", "Gamma AS"):
            bottlecrm.create("customer", Name=name)
        pages = [asked(bottlecrm, "GET", f"/api/accounts/?limit=2&offset={offset}").json() for offset in (0, 2)]
        opened = [page["active_accounts"]["open_accounts"] for page in pages]
        assert [len(page) for page in opened] == [2, 1]
        assert {one["name"] for page in opened for one in page} == {"Alfa AS", "Beta AS", "Gamma AS"}
        assert [page["closed_accounts"]["close_accounts"] for page in pages] == [[], []]
        assert "updated_at" not in opened[0][0]

    def test_a_filter_by_time_of_update_is_ignored(self, bottlecrm):
        bottlecrm.create("contact", FirstName="Kari", LastName="Nordmann")
        answer = asked(bottlecrm, "GET", "/api/contacts/?updated_at__gte=2099-01-01")
        assert len(answer.json()["results"]) == 1

    def test_a_cleared_custom_field_is_gone_and_the_others_stay(self, bottlecrm):
        fields = {"OrganizationNumber": "910000004", "StreetAddress2": "2. etasje"}
        customer = bottlecrm.create("customer", Name="Alfa AS", **fields)
        bottlecrm.edit("customer", customer, OrganizationNumber=None)
        (raw,) = bottlecrm.raw("customer")
        assert raw["custom_fields"] == {"street_address_2": "2. etasje"}

    def test_an_unknown_custom_field_is_dropped(self, bottlecrm):
        made = asked(bottlecrm, "POST", "/api/accounts/", json={"name": "Alfa AS", "custom_fields": {"colour": "red"}})
        assert (made.status_code, bottlecrm.raw("customer")[0]["custom_fields"]) == (200, {})

    def test_what_is_refused_is_told_by_field(self, bottlecrm):
        bottlecrm.create("customer", Name="Alfa AS")
        taken = asked(bottlecrm, "POST", "/api/accounts/", json={"name": "alfa as"})
        assert (taken.status_code, taken.json()["error"], list(taken.json()["errors"])) == (400, True, ["name"])
        nameless = asked(bottlecrm, "POST", "/api/contacts/", json={"first_name": "Kari"})
        assert (nameless.status_code, list(nameless.json()["errors"])) == (400, ["last_name"])

    def test_a_number_that_is_taken_is_500_in_html(self, bottlecrm):
        bottlecrm.create("product", Name="Skrue", Number="S-1")
        answer = asked(bottlecrm, "POST", "/api/invoices/products/", json={"name": "Skive", "sku": "S-1"})
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (500, "text/html")
        assert len(bottlecrm.all("product")) == 1

    def test_what_is_not_there_is_404(self, bottlecrm):
        told = [
            asked(bottlecrm, "GET", f"{path}{NOWHERE}/").status_code
            for path in ("/api/contacts/", "/api/accounts/", "/api/invoices/products/")
        ]
        assert told == [404, 404, 404]
