"""Reading and writing Tripletex for record-sync, against the sandbox's."""

import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
from api_transport import ApiError
from record_sync.canonical import search_form
from record_sync.errors import ListingRefusedError
from record_sync.system import CreateRequest, Moved, Refused, RemoveRequest, Unknown, UpdateRequest, Written
from record_sync.testing.results import removed
from target_tripletex import searching, suppliers
from target_tripletex.creation import NewCustomers
from target_tripletex.system import TripletexSystem
from tripletex_client import TripletexClient

import sandbox
from sandbox import Fault, Variant

NAMES = frozenset({"name", "email"})
ADDRESS = frozenset({"name", "postalAddress.city", "postalAddress.country.isoAlpha2Code", "deliveryAddress.city"})


@pytest.fixture(scope="module")
def shared():
    with sandbox.running("empty") as systems:
        yield systems.tripletex


@pytest.fixture
def tripletex(shared):
    shared.clear()
    return shared


@pytest.fixture
def system_of(tripletex):
    """Makes a Tripletex to write to; its session ends with the test."""
    with ExitStack() as clients:

        def make(**options):
            client = TripletexClient(tripletex.api_url, tripletex.consumer_token, tripletex.employee_token)
            return TripletexSystem(clients.enter_context(client), "Europe/Oslo", **options)

        yield make


@pytest.fixture
def system(system_of):
    return system_of()


def writes(tripletex):
    return [f"{seen.method} {seen.path.removeprefix('/v2')}" for seen in tripletex.requests if seen.is_write]


def create(system, *records, resource="customer", paths=NAMES):
    requests = [CreateRequest(str(number), values) for number, values in enumerate(records)]
    return [result for results in system.create(resource, requests, paths) for result in results]


def update(system, changes, resource="customer", paths=NAMES):
    read = system.read(resource, list(changes), paths)
    requests = [UpdateRequest(read[record_id], values) for record_id, values in changes.items()]
    return [result for results in system.update(resource, requests, paths) for result in results]


# -- creating


def test_records_are_created_a_hundred_at_a_time(system, tripletex):
    results = create(system, *({"name": f"Kunde {number}"} for number in range(250)))
    assert writes(tripletex) == ["POST /customer/list"] * 3
    assert [len(seen.body) for seen in tripletex.requests if seen.is_write] == [100, 100, 50]
    assert [result.current.values["name"] for result in results] == [f"Kunde {number}" for number in range(250)]
    assert all(tripletex.get("customer", int(one.current.id))["name"] == one.current.values["name"] for one in results)


def test_a_list_that_is_refused_for_one_record_is_split_until_only_that_one_is_left(system, tripletex):
    records = [{"name": f"Kunde {number}", "email": "nei" if number == 37 else None} for number in range(64)]
    results = create(system, *records)
    refused = [number for number, result in enumerate(results) if isinstance(result, Refused)]
    assert refused == [37]
    assert "Ugyldig e-postadresse." in results[37].reason
    assert results[37].details == ("email: Ugyldig e-postadresse.",)
    assert len(tripletex.all("customer")) == 63
    assert len(writes(tripletex)) == 13  # the whole, and two halves each of six times


def test_a_value_that_tripletex_has_no_place_for_keeps_only_its_record_back(system, tripletex):
    results = create(
        system,
        {"name": "Alfa AS", "postalAddress.country.isoAlpha2Code": "NO"},
        {"name": "Beta AS", "postalAddress.country.isoAlpha2Code": "XX"},
        {"name": "Gamma AS"},
        paths=ADDRESS,
    )
    assert [type(result) for result in results] == [Written, Refused, Written]
    assert "knows no country 'XX'" in results[1].reason
    assert [one["name"] for one in tripletex.all("customer")] == ["Alfa AS", "Gamma AS"]


LONG = [
    ("customer", {"name": "A" * 256}, "name has 256 characters, Tripletex takes 255"),
    ("customer", {"email": "a" * 250 + "@b.no"}, "email has 255 characters, Tripletex takes 254"),
    ("customer", {"postalAddress.city": "A" * 101}, "postalAddress.city has 101 characters, Tripletex takes 100"),
    ("contact", {"firstName": "A" * 101}, "firstName has 101 characters, Tripletex takes 100"),
]


@pytest.mark.parametrize(("resource", "values", "reason"), LONG)
def test_a_text_that_is_too_long_waits_with_the_reason_before_it_is_sent(system, tripletex, resource, values, reason):
    named, paths = {"customer": "name", "contact": "firstName"}[resource], frozenset(values)
    (made,) = create(system, {named: "A", **values}, resource=resource, paths=paths)
    record = tripletex.create(resource, **{named: "B"})
    (changed,) = update(system, {str(record["id"]): values}, resource=resource, paths=paths)
    for result in (made, changed):
        assert isinstance(result, Refused)
        assert result.reason.startswith(reason)
        assert "cut: true" in result.reason
    assert system.refusal(resource, values) == made.reason
    assert writes(tripletex) == []


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("customer", {"name": "A" * 255, "email": "a" * 249 + "@b.no", "postalAddress.city": "Å" * 100}),
        ("contact", {"firstName": "A" * 100, "lastName": "B" * 100}),
    ],
)
def test_a_text_as_long_as_tripletex_takes_it_is_sent(system, resource, values):
    assert [type(one) for one in create(system, values, resource=resource, paths=frozenset(values))] == [Written]


@pytest.mark.parametrize(
    ("new", "values", "method", "is_private"),
    [
        (NewCustomers(), {"email": "a@example.no"}, "EMAIL", False),
        (NewCustomers(), {"invoiceEmail": "a@example.no; b@example.no"}, "EMAIL", False),
        (NewCustomers(), {"email": " "}, "MANUAL", False),
        (NewCustomers(), {"invoiceSendMethod": "PAPER", "isPrivateIndividual": True}, "PAPER", True),
        (NewCustomers(), {"invoiceSendMethod": None}, "MANUAL", False),
        (NewCustomers("EHF", is_private=True), {}, "EHF", True),
        (NewCustomers("company"), {}, None, False),
    ],
)
def test_a_new_customer_says_how_its_invoices_go_and_whether_it_is_private(
    system_of, tripletex, new, values, method, is_private
):
    system = system_of(new_customers=new)
    (made,) = create(system, {"name": "Alfa AS", **values}, paths=frozenset({"name", *values}))
    assert isinstance(made, Written)
    (body,) = [seen.body[0] for seen in tripletex.requests if seen.is_write]
    assert (body.get("invoiceSendMethod"), body["isPrivateIndividual"]) == (method, is_private)


def test_a_company_whose_invoices_go_by_ehf_takes_new_customers(system, tripletex):
    tripletex.variant = Variant("ehf-default=on")
    assert [type(one) for one in create(system, {"name": "Alfa AS"}, {"name": "Beta AS", "email": "b@example.no"})] == [
        Written,
        Written,
    ]


def test_a_new_contact_says_nothing_of_invoices(system, tripletex):
    create(system, {"firstName": "Kari"}, resource="contact", paths=frozenset({"firstName"}))
    assert [seen.body for seen in tripletex.requests if seen.is_write] == [[{"firstName": "Kari"}]]


@pytest.fixture
def answering(tripletex):
    """Make the next list writes be answered by other values than they were."""

    def make(change):
        def changed(seen):
            if not seen.path.endswith("/list"):
                return None
            body = seen.response_body
            return Fault.answer(201, {**body, "values": change(body["values"])})

        tripletex.after = changed

    return make


def tidied(values, **texts):
    """The answers with other texts in some places."""
    return [{**one, **{name: text[one[name]] for name, text in texts.items() if one[name] in text}} for one in values]


def test_a_list_that_is_answered_in_another_order_leaves_open_which_record_is_which(system, answering):
    answering(lambda values: values[::-1])
    results = create(system, *({"name": f"Kunde {number}"} for number in range(3)))
    assert [type(result) for result in results] == [Unknown] * 3
    assert "does not tell which record is which" in results[0].reason


def test_a_text_that_is_answered_otherwise_than_it_was_sent_gives_nobody_else_its_answer(system, tripletex, answering):
    answering(lambda values: tidied(values, name={"Alfa": "Alfa AS"}))
    results = create(
        system,
        {"name": "Alfa", "email": "post@alfa.example.no", "organizationNumber": "923609016"},
        {"name": "Alfa AS"},
        paths=NAMES | {"organizationNumber"},
    )
    made = [tripletex.get("customer", int(result.current.id)) for result in results]
    assert [(one["name"], one["email"]) for one in made] == [("Alfa", "post@alfa.example.no"), ("Alfa AS", None)]
    assert results[0].current.values["name"] == "Alfa AS"


def test_an_answer_that_fits_another_record_as_well_makes_the_whole_list_unknown(system, answering):
    answering(lambda values: tidied(values, name={"Alfa": "Alfa AS"}))
    results = create(
        system, {"name": "Alfa", "email": "post@alfa.example.no"}, {"name": "Alfa AS"}, {"name": "Beta AS"}
    )
    assert [type(result) for result in results] == [Unknown] * 3


def test_an_answer_that_says_nothing_of_what_was_sent_makes_the_whole_list_unknown(system, answering):
    answering(lambda values: tidied(values, name={"Alfa AS": "Ny kunde"}))
    results = create(system, {"name": "Alfa AS"}, {"name": "Beta AS"})
    assert [type(result) for result in results] == [Unknown] * 2


def test_a_record_that_is_answered_twice_makes_the_whole_list_unknown(system, answering):
    answering(lambda values: [values[0]] * len(values))
    results = create(system, {"name": "Alfa AS"}, {"name": "Alfa AS"})
    assert [type(result) for result in results] == [Unknown] * 2


def test_texts_that_are_only_spelled_anew_are_in_their_places(system, tripletex, answering):
    answering(
        lambda values: tidied(
            values,
            name={"alfa  as": "ALFA AS", "Beta AS": "Beta AS "},
            email={"Post@Alfa.example.no": "post@alfa.example.no"},
        )
    )
    results = create(
        system,
        {"name": "alfa  as", "email": "Post@Alfa.example.no"},
        {"name": "Beta AS"},
        {"name": "Beta AS"},
        {"name": "Gamma AS"},
    )
    assert [tripletex.get("customer", int(result.current.id))["name"] for result in results] == [
        "alfa  as",
        "Beta AS",
        "Beta AS",
        "Gamma AS",
    ]


def test_a_list_of_which_no_answer_came_is_unknown_and_not_sent_again(system, tripletex):
    tripletex.after = lambda seen: Fault.drop_answer() if seen.is_write else None
    results = create(system, {"name": "Alfa AS"}, {"name": "Beta AS"})
    assert [type(result) for result in results] == [Unknown, Unknown]
    assert writes(tripletex) == ["POST /customer/list"]
    assert len(tripletex.all("customer")) == 2


# -- changing


def customers(tripletex, count, **values):
    return [str(tripletex.create("customer", name=f"Kunde {number}", **values)["id"]) for number in range(count)]


def test_customers_are_changed_by_lists_and_contacts_one_by_one(system, tripletex):
    ids = customers(tripletex, 3)
    update(system, {record_id: {"email": f"post@k{record_id}.example.no"} for record_id in ids})
    people = [str(tripletex.create("contact", firstName=name)["id"]) for name in ("Kari", "Ola")]
    paths = frozenset({"firstName"})
    update(system, {people[0]: {"firstName": "Karin"}, people[1]: {"firstName": "Olav"}}, "contact", paths)
    assert writes(tripletex) == ["PUT /customer/list", *(f"PUT /contact/{record_id}" for record_id in people)]
    assert [one["firstName"] for one in tripletex.all("contact")] == ["Karin", "Olav"]


def test_a_change_is_sent_over_the_version_that_was_read(system, tripletex):
    (record_id,) = customers(tripletex, 1)
    read = system.read("customer", [record_id], NAMES)
    tripletex.edit("customer", record_id, website="https://kunde.example.no")
    request = UpdateRequest(read[record_id], {"email": "post@kunde.example.no"})
    ((result,),) = system.update("customer", [request], NAMES)
    assert isinstance(result, Moved)
    assert tripletex.get("customer", record_id)["email"] is None


def test_of_a_list_of_changes_only_the_record_that_moved_is_left_out(system, tripletex):
    ids = customers(tripletex, 9)
    read = system.read("customer", ids, NAMES)
    tripletex.edit("customer", ids[4], name="Endret av en bruker")
    requests = [UpdateRequest(read[one], {"email": f"post@k{one}.example.no"}) for one in ids]
    results = [result for results in system.update("customer", requests, NAMES) for result in results]
    assert [type(one) for one in results] == [Written] * 4 + [Moved] + [Written] * 4
    assert [one["email"] is None for one in tripletex.all("customer")] == [number == 4 for number in range(9)]


def test_a_record_that_is_gone_has_moved(system, tripletex):
    ids = customers(tripletex, 2)
    read = system.read("customer", ids, NAMES)
    tripletex.remove("customer", ids[0])
    requests = [UpdateRequest(read[one], {"name": "Ny"}) for one in ids]
    results = [result for results in system.update("customer", requests, NAMES) for result in results]
    assert [type(one) for one in results] == [Moved, Written]


def test_an_address_keeps_its_id_and_what_is_not_changed(system, tripletex):
    norway = {"id": tripletex.country_id("NO")}
    address = {"addressLine1": "Storgata 1", "addressLine2": "2. etasje", "city": "OSLO", "country": norway}
    (record_id,) = customers(tripletex, 1, postalAddress=address)
    before = tripletex.get("customer", record_id)["postalAddress"]
    (result,) = update(system, {record_id: {"postalAddress.city": "MOSS"}}, paths=ADDRESS)
    assert isinstance(result, Written)
    after = tripletex.get("customer", record_id)["postalAddress"]
    assert after["id"] == before["id"]
    assert (after["addressLine1"], after["addressLine2"], after["city"]) == ("Storgata 1", "2. etasje", "MOSS")
    assert after["country"]["isoAlpha2Code"] == "NO"


def test_a_delivery_address_is_changed_through_its_own_resource(system, tripletex):
    (record_id,) = customers(tripletex, 1, deliveryAddress={"addressLine1": "Lageret", "city": "OSLO"})
    address = tripletex.get("customer", record_id)["deliveryAddress"]["id"]
    (result,) = update(system, {record_id: {"name": "Nytt Navn", "deliveryAddress.city": "MOSS"}}, paths=ADDRESS)
    assert isinstance(result, Written)
    assert writes(tripletex) == [f"PUT /customer/{record_id}", f"PUT /deliveryAddress/{address}"]
    after = tripletex.get("customer", record_id)
    assert after["name"] == "Nytt Navn"
    assert (after["deliveryAddress"]["city"], after["deliveryAddress"]["addressLine1"]) == ("MOSS", "Lageret")


def test_a_customer_without_a_delivery_address_cannot_be_given_one(system, tripletex):
    (record_id,) = customers(tripletex, 1)
    (result,) = update(system, {record_id: {"deliveryAddress.city": "MOSS"}}, paths=ADDRESS)
    assert isinstance(result, Refused)
    assert "no delivery address" in result.reason


def test_a_new_customer_gets_all_three_addresses(system, tripletex):
    values = {f"{name}.city": "BODØ" for name in ("postalAddress", "physicalAddress", "deliveryAddress")}
    (result,) = create(system, {"name": "Alfa AS", **values}, paths=ADDRESS)
    assert isinstance(result, Written)
    made = tripletex.get("customer", int(result.current.id))
    assert {made[name]["city"] for name in ("postalAddress", "physicalAddress", "deliveryAddress")} == {"BODØ"}


@pytest.mark.parametrize(("policy", "method"), [("deactivate", "PUT"), ("delete", "DELETE")])
def test_a_record_is_deactivated_or_deleted(system, tripletex, policy, method):
    (record_id,) = customers(tripletex, 1)
    current = system.read("customer", [record_id], NAMES)[record_id]
    assert isinstance(removed(system, "customer", RemoveRequest(current, policy), NAMES), Written)
    assert writes(tripletex) == [f"{method} /customer/{record_id}"]
    left = tripletex.get("customer", record_id)
    assert left is None if policy == "delete" else left["isInactive"]


@pytest.mark.parametrize("policy", ["deactivate", "delete"])
def test_a_record_that_was_edited_meanwhile_is_neither_deactivated_nor_deleted(system, tripletex, policy):
    (record_id,) = customers(tripletex, 1)
    current = system.read("customer", [record_id], NAMES)[record_id]
    tripletex.edit("customer", record_id, name="Endret av en bruker")
    assert isinstance(removed(system, "customer", RemoveRequest(current, policy), NAMES), Moved)
    left = tripletex.get("customer", record_id)
    assert (left["name"], left["isInactive"]) == ("Endret av en bruker", False)


def test_a_record_that_somebody_else_deleted_meanwhile_has_moved(system, tripletex):
    (record_id,) = customers(tripletex, 1)
    current = system.read("customer", [record_id], NAMES)[record_id]
    tripletex.remove("customer", int(record_id))
    assert isinstance(removed(system, "customer", RemoveRequest(current, "delete"), NAMES), Moved)
    assert writes(tripletex) == []


def test_a_refused_look_before_a_deletion_is_no_refusal_of_the_record(system, tripletex):
    (record_id,) = customers(tripletex, 1)
    current = system.read("customer", [record_id], NAMES)[record_id]
    tripletex.before = lambda _request: Fault.answer(403, {"status": 403, "message": "Ingen tilgang"})
    with pytest.raises(ApiError):
        removed(system, "customer", RemoveRequest(current, "delete"), NAMES)


NUMBERED = frozenset({"name", "organizationNumber"})
FIRM = {"name": "Grossisten AS", "organizationNumber": "NO 923 609 016"}


@pytest.fixture
def supplier(tripletex):
    """A firm that is a supplier only."""
    firm = tripletex.create("customer", name="Grossisten AS", organizationNumber="923609016")["id"]
    tripletex.set_roles(firm, customer=False, supplier=True)
    tripletex.clear_requests()
    return firm


def test_a_supplier_becomes_a_customer_instead_of_a_second_record(system, tripletex, supplier):
    number = {"organizationNumber": "974760673"}
    first, second, other = create(system, FIRM, FIRM, {"name": "Ny AS", **number}, paths=NUMBERED)
    assert isinstance(other, Written)
    assert [one.reason for one in (first, second)] == [suppliers.CLAIMED % supplier] * 2
    assert tripletex.get("customer", supplier)["isCustomer"]
    assert writes(tripletex) == [f"PUT /supplier/{supplier}", "POST /customer/list"]
    assert len([seen for seen in tripletex.requests if seen.path == "/v2/supplier"]) == 1


def test_suppliers_are_not_read_for_customers_without_a_number_nor_for_people(system, tripletex, supplier):
    create(system, {"name": "Grossisten AS"})
    create(system, {"firstName": "Kari"}, resource="contact", paths=frozenset({"firstName"}))
    assert not [seen for seen in tripletex.requests if "supplier" in seen.path]


@pytest.mark.parametrize(("status", "code", "reason"), [(409, 8000, suppliers.CHANGED), (403, 9000, suppliers.FAILED)])
def test_a_supplier_that_cannot_be_made_a_customer_is_told_and_not_made_a_second_time(
    system, tripletex, supplier, status, code, reason
):
    def refuse(request):
        if request.method == "PUT":
            return Fault.answer(status, {"status": status, "code": code, "message": "Nei"})
        return None

    tripletex.before = refuse
    (result,) = create(system, FIRM, paths=NUMBERED)
    assert isinstance(result, Refused)
    assert result.reason == reason % supplier
    assert len(tripletex.all("customer")) == 1


def test_of_several_suppliers_with_a_number_none_is_chosen(system, tripletex, supplier):
    twin = tripletex.create("customer", name="Grossisten avd. Nord", organizationNumber="923609016")["id"]
    tripletex.set_roles(twin, customer=False, supplier=True)
    (result,) = create(system, FIRM, paths=NUMBERED)
    assert result.reason == suppliers.SEVERAL % f"{supplier}, {twin}"
    assert len(tripletex.all("customer")) == 2


# -- reading


def test_inactive_customers_are_read_listed_and_found(system, tripletex):
    active, inactive = customers(tripletex, 2, email="felles@example.no")
    tripletex.edit("customer", inactive, isInactive=True)
    assert set(system.read("customer", [active, inactive, "999"], NAMES)) == {active, inactive}
    assert {one.id for one in system.listing("customer", NAMES)} == {active, inactive}
    assert {one.id for one in system.search("customer", {"email": "felles@example.no"}, NAMES)} == {active, inactive}


def test_an_id_of_another_system_is_not_there(system):
    assert system.read("customer", ["c-17"], NAMES) == {}


def test_a_search_by_what_lists_cannot_be_asked_by_reads_them_all(system, tripletex):
    ids = customers(tripletex, 2)
    assert {one.id for one in system.search("customer", {"website": "https://x.example.no"}, NAMES)} == set(ids)


def test_searches_are_made_side_by_side_and_answered_in_their_order(system_of, tripletex, monkeypatch):
    kari, ola = customers(tripletex, 2)
    tripletex.edit("customer", kari, email="kari@example.no")
    tripletex.edit("customer", ola, email="ola@example.no")
    together, search = threading.Barrier(2, timeout=20), TripletexClient.search

    def meeting(*arguments):
        together.wait()
        return search(*arguments)

    monkeypatch.setattr(TripletexClient, "search", meeting)
    system = system_of(in_flight=2)
    sought = [{"email": f"{name}@example.no"} for name in ("ola", "nobody", "kari", "ola")]
    found = list(system.search_each("customer", sought, NAMES))
    assert [[one.id for one in some] for some in found] == [[ola], [], [kari], [ola]]


def listed(tripletex):
    return [seen.params for seen in tripletex.requests if (seen.method, seen.path) == ("GET", "/v2/customer")]


def test_for_many_searches_inactive_customers_are_read_once(system, tripletex):
    ids = customers(tripletex, 6)
    for number, one in enumerate(ids):
        tripletex.edit("customer", one, email=f"kunde{number}@example.no", isInactive=number % 2 == 0)
    tripletex.clear_requests()
    sought = [{"email": f"Kunde{number}@example.no"} for number in (*range(6), 9)]
    found = list(system.search_each("customer", sought, NAMES))
    assert [[one.id for one in some] for some in found] == [*([one] for one in ids), []]
    assert [("email" in params, params["isInactive"]) for params in listed(tripletex)] == [
        *[(True, ["false"])] * 7,
        (False, ["true"]),
    ]


@pytest.mark.parametrize("refused", [False, True])
def test_where_inactive_customers_are_many_they_are_searched_for(system, tripletex, monkeypatch, refused):
    monkeypatch.setattr(searching, "PAGE", 3)
    ids = customers(tripletex, 6)
    for number, one in enumerate(ids):
        tripletex.edit("customer", one, email=f"kunde{number}@example.no", isInactive=number > 1)
    if refused:
        tripletex.variant, tripletex.lists.limit = Variant("list-limit=on"), 3
    found = list(system.search_each("customer", [{"email": f"kunde{n}@example.no"} for n in range(6)], NAMES))
    assert [[one.id for one in some] for some in found] == [[one] for one in ids]


def test_a_customer_that_is_deactivated_while_others_are_searched_for_is_found_once(system, tripletex):
    *_, last = customers(tripletex, 6)
    tripletex.edit("customer", last, email="felles@example.no")

    def deactivate(request):
        if "kunde0" in request.query and "false" in request.query:
            tripletex.edit("customer", last, isInactive=True)

    sought = [{"email": "felles@example.no"}, *({"email": f"kunde{n}@example.no"} for n in range(6))]
    for seen in (tripletex.before, deactivate):
        tripletex.before = seen
        found = list(system.search_each("customer", sought, NAMES))
        assert [[one.id for one in some] for some in found] == [[last], *[[]] * 6]


@pytest.mark.parametrize("many", [1, 7])
def test_customers_shown_without_what_they_are_matched_by_end_the_search_instead_of_not_being_found(
    system, tripletex, many
):
    tripletex.create("customer", name="Alfa AS", organizationNumber="923609016", isInactive=many > 1)
    tripletex.hidden = frozenset({"organizationNumber"})
    numbered = frozenset({"organizationNumber"})
    with pytest.raises(ApiError, match="answered without organizationNumber, by which records are matched"):
        list(system.search_each("customer", [{"organizationNumber": "923609016"}] * many, numbered))
    with pytest.raises(ApiError, match="answered without organizationNumber"):
        list(system.listing("customer", numbered))
    assert [one.values["name"] for one in system.listing("customer", NUMBERED | NAMES | {"website"})] == ["Alfa AS"]


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        ("923609016", ["923609016"]),
        # A French one with blanks is nine digits too.
        ("732829320", ["732829320", "732 829 320"]),
    ],
)
def test_a_norwegian_number_is_asked_for_in_the_one_spelling_that_tripletex_takes(system, tripletex, number, spellings):
    asked = search_form("organisation_number", number)
    system.search("customer", {"organizationNumber": asked}, NAMES)
    wanted = [params["organizationNumber"][0] for params in listed(tripletex)]
    assert list(dict.fromkeys(wanted)) == spellings


@pytest.mark.parametrize(("linked", "cost"), [(6000, 40), (600, 10)])
def test_what_a_listing_costs_follows_from_what_is_linked_and_asks_nothing(system, tripletex, linked, cost):
    assert system.listing_cost("customer", linked) == cost
    assert tripletex.requests == []


def test_where_nothing_is_linked_a_listing_costs_as_many_pages_as_there_are(system, tripletex):
    with tripletex.transaction():
        for number in range(1200):
            tripletex.create("contact", firstName=str(number))
    assert system.listing_cost("contact") == 15
    assert {seen.params["count"][0] for seen in tripletex.requests if seen.path == "/v2/contact"} == {"1"}


def test_more_than_tripletex_lists_is_told_as_that_and_searches_are_answered(system, tripletex):
    customers(tripletex, 5)
    tripletex.variant, tripletex.lists.limit = Variant("list-limit=on"), 4
    with pytest.raises(ListingRefusedError, match="more than Tripletex lists at once"):
        list(system.listing("customer", NAMES))
    ((found,),) = system.search_each("customer", [{"name": "Kunde 0"}], NAMES)
    assert found.values["name"] == "Kunde 0"


def test_a_record_surely_made_before_a_sight_of_the_clock_is_told_from_one_that_may_be_younger(system, tripletex):
    (old,) = customers(tripletex, 1)
    current = system.read("customer", [old], NAMES)[old]
    now = system.server_clock()
    assert not system.created_before(current, now)
    # An hour may be told twice in autumn.
    assert not system.created_before(current, now + timedelta(minutes=60))
    assert system.created_before(current, now + timedelta(minutes=70))


def test_the_stamp_names_the_company_and_ends_with_the_address(system, tripletex):
    assert system.stamp() == f"Tripletex company {tripletex.company_id} at {tripletex.host}/v2"
    assert system.stamp().endswith(system.address)
