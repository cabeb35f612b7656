"""The shipped profiles read and write the CRMs they are for: their imitations always, the real ones on demand."""

from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from api_transport.errors import AccessDenied, Conflict, NotFound, Refused
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load, shipped

CUSTOMER = {
    "Name": "Ærlig & Sønner AS",
    "OrganizationNumber": "910000004",
    "Email": "post@aerlig.example.no",
    "Phone": "+47 22 33 44 55",
    "Website": "https://aerlig.example.no",
    "Description": "Kunde siden 2026",
    "StreetAddress1": "Storgata 1",
    "StreetAddress2": "2. etasje",
    "ZipCode": "0155",
    "City": "OSLO",
    "Country": "NO",
}
PERSON = {"FirstName": "Kari", "LastName": "Nordmann", "Email": "kari@example.no", "MobilePhone": "+47 90 00 00 00"}
PRODUCT = {"Name": "Skrue", "Number": "S-1", "Description": "Lang", "Price": 12.5}
OWN = {"Id", "CreatedAt", "UpdatedAt", "Deleted"}
NOWHERE = {"bottlecrm": "00000000-0000-4000-8000-ffffffffffff", "directus": "4711", "strapi": "nowhere"}


@contextmanager
def connected(crm, **options):
    options.setdefault("api_key", crm.api_key)
    client = CustomcrmClient(crm.api_url, profile=load(crm.name), **options)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def client(crm):
    """Our client, with the profile of that name."""
    with connected(crm, page_size=2) as client:
        yield client


def everything(client, stream, **asked):
    return [record for page in client.pages(stream, **asked) for record in page.values]


def without_own(record):
    return {name: value for name, value in record.items() if name not in OWN}


def test_every_shipped_profile_is_sound():
    assert {"reference", "bottlecrm", "directus", "strapi"} <= set(shipped())
    for name in shipped():
        profile = load(name)
        assert {"contact", "customer", "product"} == {*profile.streams, *profile.without}


def test_a_created_record_says_what_was_sent_and_users_see_it(crm, client):
    customer = client.create("customer", CUSTOMER).record
    assert without_own(customer) == CUSTOMER
    person = client.create("contact", {**PERSON, "CustomerId": customer["Id"]}).record
    assert {name: str(person[name]) for name in (*PERSON, "CustomerId")} == {**PERSON, "CustomerId": customer["Id"]}
    product = client.create("product", PRODUCT).record
    assert without_own(product) == PRODUCT
    assert crm.get("customer", customer["Id"]) == CUSTOMER
    assert str(crm.get("contact", person["Id"])["CustomerId"]) == customer["Id"]


def test_a_list_is_read_page_by_page_whatever_its_length(crm, client):
    for count in range(1, 6):
        crm.create("customer", Name=f"Kunde {count} AS", OrganizationNumber=None if count % 2 else f"91000000{count}")
        crm.create("product", Name=f"Vare {count}", Number=f"V-{count}")
        crm.create("contact", FirstName="Kari", LastName=f"Nordmann {count}", Email=f"kari{count}@example.no")
        for stream in ("contact", "customer", "product"):
            records = everything(client, stream)
            assert sorted(record["Id"] for record in records) == sorted(crm.all(stream))
    assert {one["OrganizationNumber"] for one in everything(client, "customer")} == {None, "910000002", "910000004"}


def test_both_lists_of_accounts_are_read_to_their_ends(bottlecrm):
    for count in range(9):
        account = bottlecrm.create("customer", Name=f"Kunde {count} AS")
        if count % 3 == 0:
            bottlecrm.ask("PATCH", f"/api/accounts/{account}/", json={"is_active": False})
    for size in (1, 2, 3, 4, 100):
        with connected(bottlecrm, page_size=size) as client:
            records = everything(client, "customer")
        assert sorted(record["Id"] for record in records) == sorted(bottlecrm.all("customer")), size


def test_times_are_told_as_the_streams_have_them(crm, client):
    crm.create("contact", **PERSON)
    (person,) = everything(client, "contact")
    made, updated = (datetime.fromisoformat(person[name].replace("Z", "+00:00")) for name in ("CreatedAt", "UpdatedAt"))
    assert made.utcoffset() == updated.utcoffset() == timedelta(0)
    assert updated - made < timedelta(seconds=1)


def test_changes_since_a_moment_are_new_records_and_edited_ones(crm, client):
    old, *_ = [crm.create("contact", **{**PERSON, "Email": f"{name}@example.no"}) for name in "abc"]
    stamps = [record["UpdatedAt"] for record in everything(client, "contact")]
    crm.edit("contact", old, MobilePhone=None)
    new = crm.create("contact", **{**PERSON, "Email": "d@example.no"})
    asked = [record["Id"] for record in everything(client, "contact", updated_since=max(stamps))]
    if client.profile.streams["contact"].read.increments is None:
        # BottleCRM cannot be asked: all come.
        assert set(asked) == set(crm.all("contact"))
    else:
        assert {old, new} <= set(asked)
        assert len(set(asked)) == 3


def test_an_update_changes_what_it_names_and_clears_what_is_null(crm, client):
    customer = crm.create("customer", **CUSTOMER)
    person = crm.create("contact", **PERSON, CustomerId=customer)
    product = crm.create("product", **PRODUCT)
    crm.create("customer", Name="Beta AS")
    lock = client.get_many("customer", [customer])[customer].lock
    cleared = {"City": "BERGEN", "OrganizationNumber": None, "Website": None}
    assert without_own(client.update("customer", customer, cleared, lock).record) == {**CUSTOMER, **cleared}
    assert crm.get("customer", customer) == {**CUSTOMER, **cleared}
    changed = client.update("contact", person, {"CustomerId": None, "LastName": "Berg"}, None).record
    assert (changed["CustomerId"], changed["LastName"], changed["Email"]) == (None, "Berg", PERSON["Email"])
    assert client.update("product", product, {"Price": 13}, None).record["Price"] == 13
    assert crm.get("product", product)["Number"] == "S-1"


def test_an_edit_of_somebody_else_is_not_overwritten(crm, client):
    customer = crm.create("customer", **CUSTOMER)
    read = client.get_many("customer", [customer])[customer]
    crm.edit("customer", customer, City="BERGEN")
    with pytest.raises(Conflict):
        client.update("customer", customer, {"City": "TROMSØ"}, read.lock, expected={"City": read.record["City"]})
    assert crm.get("customer", customer)["City"] == "BERGEN"


def test_what_is_not_there_is_missing_and_nothing_else(crm, client):
    customer = crm.create("customer", **CUSTOMER)
    nowhere = NOWHERE[crm.name]
    assert client.get("customer", nowhere) is None
    assert set(client.get_many("customer", [customer, nowhere])) == {customer}
    with pytest.raises(NotFound):
        client.update("customer", nowhere, {"City": "OSLO"}, None)
    client.delete("customer", nowhere)
    assert client.delete("customer", customer) is True
    assert client.get("customer", customer) is None
    assert crm.all("customer") == {}


def test_records_are_found_by_what_they_say_however_it_is_written(crm, client):
    customer = crm.create("customer", **{**CUSTOMER, "OrganizationNumber": "910 000 004"})
    crm.create("customer", Name="Beta AS", Email="post2@aerlig.example.no", OrganizationNumber="910000012")
    person = crm.create("contact", **PERSON)
    crm.create("contact", **{**PERSON, "Email": "ikke-kari@example.no"})
    product = crm.create("product", **PRODUCT)
    crm.create("product", Name="Skrue", Number="S-12")
    searches = [
        ("customer", {"OrganizationNumber": ["910000004", "910 000 004"]}, customer),
        ("customer", {"Email": "POST@aerlig.example.no"}, customer),
        ("contact", {"Email": "Kari@Example.no"}, person),
        ("contact", {"Email": "kari@example.no", "FirstName": "KARI", "LastName": "Nordmann"}, person),
        ("product", {"Name": "skrue", "Number": "S-1"}, product),
    ]
    for stream, wanted, found in searches:
        assert [record["Id"] for record in client.search(stream, wanted)] == [found], wanted


def test_a_refused_record_is_told_in_the_crm_s_words(crm, client):
    crm.create("customer", **CUSTOMER)
    crm.create("product", **PRODUCT)
    stream, values, words = {
        "bottlecrm": ("customer", {"Name": CUSTOMER["Name"]}, "Account already exists with this name"),
        "directus": ("contact", {"FirstName": "Kari", "CustomerId": "4711"}, 'Invalid foreign key "4711"'),
        "strapi": ("customer", {"Name": "Beta AS", "Email": "none"}, "Email must be a valid email"),
    }[crm.name]
    with pytest.raises(Refused) as refused:
        client.create(stream, values)
    told = f"{refused.value} {[f'{one.field}: {one.message}' for one in refused.value.details]}"
    assert words in told
    assert {"bottlecrm": "name: ", "directus": "customer: ", "strapi": "Email: "}[crm.name] in told


def test_a_number_that_bottlecrm_has_already_is_refused_for_good(bottlecrm):
    bottlecrm.create("product", **PRODUCT)
    with connected(bottlecrm) as client, pytest.raises(Refused) as refused:
        client.create("product", {"Name": "Skive", "Number": "S-1"})
    assert refused.value.status == 500
    assert len(bottlecrm.all("product")) == 1


def test_a_wrong_key_is_told_in_one_line(crm):
    with connected(crm, api_key="a-wrong-key") as client, pytest.raises(AccessDenied) as denied:
        everything(client, "contact")
    assert "check api_key" in str(denied.value)
    assert "\n" not in str(denied.value)


def test_lost_rights_are_no_deletions(directus):
    customer = directus.create("customer", **CUSTOMER)
    with connected(directus) as client:
        assert set(client.get_many("customer", [customer])) == {customer}
    with connected(directus, api_key="") as stranger, pytest.raises(AccessDenied):
        stranger.get_many("customer", [customer])
