"""Every kind of paging, auth and writing, against a CRM of that kind."""

import logging
import threading
from contextlib import ExitStack
from datetime import datetime, timezone
from urllib.parse import urlencode

import pytest
from api_transport import redaction
from api_transport.errors import AccessDenied, Conflict, NotFound, OutcomeUnknown, Refused, UnexpectedAnswer
from api_transport.testing import Asked, Said, serving
from customcrm_client.client import Change, CustomcrmClient
from customcrm_client.loading import load
from customcrm_client.testing import AUTH, KEY, PAGED, REFUSED, USER, WRITE, Wanted, profile_for, small_crm


@pytest.fixture
def crm_of():
    """A CRM of some kinds, its server, and a client for it."""
    with ExitStack() as stack:

        def made(*, in_flight=1, page_size=3, key=KEY, **kinds):
            crm, server = stack.enter_context(small_crm(**kinds))
            client = CustomcrmClient(
                server.url,
                key,
                api_user=USER,
                profile=load(profile_for(**kinds)),
                in_flight=in_flight,
                page_size=page_size,
                max_elapsed=2,
            )
            stack.enter_context(client)
            return crm, server, client

        yield made


def names(client, **asked):
    return [record["FirstName"] for page in client.pages("contact", **asked) for record in page.values]


# -- paging


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9])
@pytest.mark.parametrize("paging", PAGED)
def test_every_record_is_read_once_in_order(crm_of, paging, count, in_flight):
    crm, _, client = crm_of(paging=paging, in_flight=in_flight)
    for number in range(count):
        crm.add(f"Person {number}")
    assert names(client) == [f"Person {number}" for number in range(count)]


@pytest.mark.parametrize("paging", sorted(set(PAGED) - {"page_short"}))
def test_a_page_that_the_crm_cuts_silently_loses_nothing(crm_of, paging):
    crm, _, client = crm_of(paging=paging, page_size=100, in_flight=3)
    for number in range(13):
        crm.add(f"Person {number}")
    assert names(client) == [f"Person {number}" for number in range(13)]


@pytest.mark.parametrize("paging", sorted(set(PAGED) - {"none"}))
def test_paging_that_comes_to_nothing_is_an_error_and_not_an_endless_loop(crm_of, paging):
    crm, server, client = crm_of(paging=paging)
    for number in range(7):
        crm.add(f"Person {number}")
    turn = PAGED[paging]

    def first_page_again(asked):
        rows = sorted(crm.rows.values(), key=lambda row: row["id"])
        size = {name: asked.query[name] for name in ("size", "limit", "p[size]") if name in asked.query}
        return turn(Wanted(rows, Asked("GET", f"/people?{urlencode(size)}", {}, b""), server.url))

    crm.before = first_page_again
    with pytest.raises(UnexpectedAnswer, match="came twice"):
        names(client)
    assert len(server.asked) < 5


@pytest.mark.parametrize("paging", ["page_from_zero", "page_count", "offset_total"])
def test_pages_whose_number_is_known_are_asked_for_together(crm_of, paging):
    crm, _, client = crm_of(paging=paging, in_flight=4)
    for number in range(20):
        crm.add(f"Person {number}")
    together, asked_for = threading.Barrier(2, timeout=20), []

    def wait_for_another(asked):
        asked_for.append(asked)
        if 1 < len(asked_for) < 4:
            together.wait()

    crm.before = wait_for_another
    assert names(client) == [f"Person {number}" for number in range(20)]


@pytest.mark.parametrize("paging", ["cursor", "next_url", "link_header", "next_header"])
def test_the_next_page_is_on_its_way_while_one_is_worked_on(crm_of, paging):
    crm, server, client = crm_of(paging=paging, in_flight=2)
    for number in range(7):
        crm.add(f"Person {number}")
    second = threading.Event()
    crm.before = lambda _: second.set() if len(server.asked) == 2 else None
    pages = client.pages("contact")
    next(pages)
    assert second.wait(20)
    assert len(list(pages)) == 2


@pytest.mark.parametrize("paging", ["offset", "offset_total", "page_from_zero"])
@pytest.mark.parametrize("in_flight", [1, 3])
def test_a_list_that_moves_under_the_reading_loses_nothing(crm_of, paging, in_flight):
    crm, server, client = crm_of(paging=paging, in_flight=in_flight)
    for number in range(12):
        crm.add(f"Person {number}")

    def remove_some_before(_):
        if len(server.asked) == 2:
            for record_id in ("1", "2", "3"):
                crm.rows.pop(record_id, None)

    crm.before = remove_some_before
    assert {f"Person {number}" for number in range(3, 12)} <= set(names(client))


@pytest.mark.parametrize("other", ["http://127.0.0.1:1/people", "http://example.com/people"])
def test_a_next_link_to_another_host_is_not_followed(crm_of, other):
    crm, server, client = crm_of(paging="next_url")
    crm.before = lambda _: Said({"value": [{"fields": {"id": 1, "name": "Kari"}}], "@odata.nextLink": other})
    with pytest.raises(UnexpectedAnswer, match="another host"):
        names(client)
    assert len(server.asked) == 1


def test_only_changes_are_asked_for(crm_of):
    crm, server, client = crm_of(paging="link_header")
    for number in range(5):
        crm.add(f"Person {number}")
    since = datetime(2026, 3, 1, 12, 0, 4, 500_000, tzinfo=timezone.utc)
    assert names(client, updated_since=since) == ["Person 3", "Person 4"]
    assert server.asked[-1].query["since"] == "2026-03-01T12:00:04Z"


def test_what_was_never_edited_is_asked_for_by_when_it_was_made():
    """Where `updated` is null until the first edit, two lists hold the changes."""
    rows = [
        {"id": 1, "name": "Edited", "made": "2026-01-01T00:00:00Z", "changed": "2026-03-02T00:00:00Z"},
        {"id": 2, "name": "New", "made": "2026-03-03T00:00:00Z", "changed": None},
        {"id": 3, "name": "Old", "made": "2026-01-01T00:00:00Z", "changed": None},
    ]

    def respond(asked):
        ((name, since),) = asked.query.items()
        return Said({"data": [row for row in rows if (row[name] or "") >= since]})

    with serving(respond) as server:
        increments = {"params": [{"changed": "{since}"}, {"made": "{since}"}]}
        stream = {"updated_at": ["changed", "made"], "read": {"records": "data", "increments": increments}}
        since = datetime(2026, 3, 1, tzinfo=timezone.utc)
        pages = list(client_for(server, stream).pages("contact", updated_since=since))
    told = [(record["FirstName"], record["UpdatedAt"]) for page in pages for record in page.values]
    assert told == [("Edited", "2026-03-02T00:00:00Z"), ("New", "2026-03-03T00:00:00Z")]


def test_what_marks_a_record_as_deleted_makes_it_a_tombstone():
    rows = [{"id": 1, "name": "Kari", "status": "active"}, {"id": 2, "name": "Ola", "status": "archived"}]
    with serving(lambda _: Said({"data": rows})) as server:
        stream = {
            "deleted": {"path": "status", "values": ["archived"]},
            "read": {"records": "data", "with_deleted": {"all": True}},
        }
        client = client_for(server, stream)
        (page,) = client.pages("contact", include_deleted=True)
        assert [record["Deleted"] for record in page.values] == [False, True]
        assert server.asked[0].query == {"all": "true"}
        assert [record["Id"] for record in client.search("contact", {"FirstName": ["Kari", "Ola"]})] == ["1"]


def test_values_are_of_the_types_that_the_stream_and_the_crm_have():
    said = {"id": 7, "name": "Spade", "price": "12.50", "company": 17, "active": "true", "address": {"city": "Oslo"}}

    def respond(asked):
        if asked.path == "/people":
            return Said({"data": [said]})
        return Said({**said, **(asked.json if asked.method == "PATCH" else {})}, headers={"ETag": '"1"'})

    with serving(respond) as server:
        properties = {
            "Name": "name",
            "Price": {"path": "price", "type": "number", "crm_type": "string"},
            "CompanyId": {"path": "company", "crm_type": "integer"},
            "Active": {"path": "active", "type": "boolean", "crm_type": "string"},
            "City": "address.city",
            "Note": {"path": "note", "nulls": "empty"},
            "Own": {"path": "own", "read_only": True},
        }
        client = client_for(server, {"properties": properties, "write": {"locking": {"kind": "etag"}}})
        (page,) = client.pages("contact")
        values = {"Name": "Spade", "Price": 12.5, "CompanyId": "17", "Active": True, "City": "Oslo"}
        assert page.values == [{"Id": "7", **values}]
        client.update("contact", "7", {**values, "Price": 13.0, "Note": None, "Own": "x", "Id": "8"}, '"1"')
        assert server.asked[-1].json == {
            "name": "Spade", "price": "13", "company": 17, "active": "true", "address": {"city": "Oslo"}, "note": "",
        }  # fmt: skip


# -- auth


@pytest.mark.parametrize("auth", AUTH)
def test_a_request_carries_the_credentials(crm_of, auth):
    crm, _, client = crm_of(auth=auth, paging="link_header")
    for number in range(7):
        crm.add(f"Person {number}")
    assert len(names(client)) == 7
    assert len(crm.tokens) == ("oauth2" in auth)


@pytest.mark.parametrize("auth", sorted(set(AUTH) - {"none"}))
def test_a_wrong_key_is_told_and_never_shown(crm_of, auth, caplog):
    caplog.set_level(logging.DEBUG)
    _, _, client = crm_of(auth=auth, key="another-secret-key")
    with pytest.raises(AccessDenied) as caught:
        names(client)
    assert "401" in str(caught.value)
    assert "another-secret-key" not in str(caught.value) + caplog.text


def test_the_key_in_a_query_is_in_no_link_twice_and_in_no_text(crm_of, caplog):
    caplog.set_level(logging.DEBUG)
    crm, server, client = crm_of(auth="query", paging="next_url")
    for number in range(7):
        crm.add(f"Person {number}")
    assert len(names(client)) == 7
    assert all(asked.target.count("api_token=") == 1 for asked in server.asked)
    crm.before = lambda _: Said("<html>down</html>", 404)
    with pytest.raises(UnexpectedAnswer) as caught:
        names(client)
    assert KEY not in str(caught.value) + caplog.text


@pytest.mark.parametrize("auth", sorted(set(AUTH) - {"none"}))
def test_the_key_is_hidden_from_whatever_is_logged(crm_of, auth):
    key = f"the-key-of-{auth}-alone"
    crm_of(auth=auth, key=key)
    assert key not in redaction.clean(f"a line with {key} in it")


def test_a_forbidden_answer_is_a_matter_of_credentials_too(crm_of):
    crm, _, client = crm_of()
    crm.before = lambda _: Said({"detail": "no"}, 403)
    with pytest.raises(AccessDenied, match="403"):
        names(client)


def test_a_token_that_the_crm_withdrew_is_renewed_once(crm_of):
    crm, _, client = crm_of(auth="oauth2")
    crm.add("Kari")
    assert names(client) == ["Kari"]
    crm.tokens.append("another one")
    assert names(client) == ["Kari"]
    assert len(crm.tokens) == 3
    crm.before = lambda asked: None if asked.path == "/token" else Said({"error": {"message": "no"}}, 401)
    with pytest.raises(AccessDenied):
        names(client)


# -- writing


@pytest.mark.parametrize("writing", WRITE)
def test_a_record_is_made_changed_and_deleted(crm_of, writing):
    crm, _, client = crm_of(writing=writing)
    made = client.create("contact", {"FirstName": "Kari", "Email": "kari@example.no"})
    assert (made.record["FirstName"], made.record["Id"]) == ("Kari", "1")
    crm.rows["1"]["notes"] = "a property that no profile names"
    read = client.get_many("contact", ["1", "2"], to_write=True)
    assert list(read) == ["1"]
    changed = client.update("contact", "1", {"FirstName": "Kari Anne"}, read["1"].lock, {"FirstName": "Kari"})
    assert (changed.record["FirstName"], changed.record["Email"]) == ("Kari Anne", "kari@example.no")
    assert crm.rows["1"]["name"] == "Kari Anne"
    assert crm.rows["1"]["notes"] == "a property that no profile names"
    cleared = client.update("contact", "1", {"Email": None}, changed.lock, {"FirstName": "Kari Anne"})
    assert (cleared.record["Email"], crm.rows["1"]["mail"]) == (None, None)
    assert client.delete("contact", "1") is True
    assert client.delete("contact", "1") is False
    assert client.get("contact", "1") is None


def read_before_it_was_renamed(crm, client, name):
    client.create("contact", {"FirstName": "Kari", "Email": "kari@example.no"})
    read = client.get_many("contact", ["1"], to_write=True)["1"]
    crm.rows["1"]["name"] = name
    crm.touch(crm.rows["1"])
    return read


@pytest.mark.parametrize("writing", WRITE)
def test_what_was_edited_in_between_is_not_deleted(crm_of, writing):
    crm, _, client = crm_of(writing=writing)
    read = read_before_it_was_renamed(crm, client, "Kari Anne")
    with pytest.raises(Conflict):
        client.delete("contact", "1", read.lock, {"FirstName": "Kari"})
    assert crm.rows["1"]["name"] == "Kari Anne"
    read = client.get_many("contact", ["1"], to_write=True)["1"]
    assert client.delete("contact", "1", read.lock, {"FirstName": "Kari Anne"}) is True
    assert client.delete("contact", "1", read.lock, {"FirstName": "Kari Anne"}) is False


@pytest.mark.parametrize("writing", WRITE)
def test_an_edit_in_between_is_never_overwritten(crm_of, writing):
    crm, _, client = crm_of(writing=writing)
    read = read_before_it_was_renamed(crm, client, "Somebody else was faster")
    with pytest.raises(Conflict):
        client.update("contact", "1", {"FirstName": "Kari Anne"}, read.lock, {"FirstName": "Kari"})
    assert crm.rows["1"]["name"] == "Somebody else was faster"
    del crm.rows["1"]
    with pytest.raises(NotFound):
        client.update("contact", "1", {"FirstName": "Kari Anne"}, read.lock, {"FirstName": "Kari"})


@pytest.mark.parametrize("writing", WRITE)
def test_a_record_that_the_crm_does_not_take_is_refused_in_its_own_words(crm_of, writing):
    crm, server, client = crm_of(writing=writing)
    with pytest.raises(Refused) as caught:
        client.create("contact", {"FirstName": REFUSED})
    assert "no such name" in str(caught.value)
    assert [(one.field, one.message) for one in caught.value.details] == [("name", "is not wanted")]
    assert not crm.rows
    assert len(server.asked) == 1


def test_several_records_go_in_one_request(crm_of):
    crm, server, client = crm_of(writing="batch")
    made = client.create_many("contact", [{"FirstName": "Kari"}, {"FirstName": "Ola"}])
    assert [one.record["FirstName"] for one in made] == ["Kari", "Ola"]
    changes = [Change(one.record["Id"], {"Email": "a@example.no"}, one.lock) for one in made]
    changed = client.update_many("contact", changes)
    assert [one.record["Email"] for one in changed] == ["a@example.no"] * 2
    assert [asked.method for asked in server.asked] == ["POST", "PATCH"]
    assert crm.rows["1"]["mail"] == "a@example.no"


def test_a_search_asks_by_the_crms_own_names(crm_of):
    crm, server, client = crm_of()
    for name in ("Kari", "Ola", "Kari"):
        crm.add(name)
    assert [record["Id"] for record in client.search("contact", {"FirstName": "Kari"})] == ["1", "3"]
    assert server.asked[0].query["name"] == "Kari"
    # One value at a time is what this CRM takes.
    assert len(client.search("contact", {"FirstName": ["Kari", "Ola"]})) == 3


def test_the_answers_to_a_batch_of_changes_are_told_apart_by_their_ids(crm_of):
    """Some CRMs answer in another order than they were asked in."""
    crm, _, client = crm_of(writing="batch")
    made = client.create_many("contact", [{"FirstName": "Kari"}, {"FirstName": "Ola"}, {"FirstName": "Kari"}])

    def the_other_way_round(asked):
        crm.before = lambda _: None
        said = crm.respond(asked)
        return Said(said.body[::-1], said.status)

    crm.before = the_other_way_round
    changes = [Change(one.record["Id"], {"Email": f"{n}@x.example.no"}, one.lock) for n, one in enumerate(made)]
    changed = client.update_many("contact", changes)
    assert [one.record["Id"] for one in changed] == [one.record["Id"] for one in made]


def client_for(server, stream, **more):
    """A client for a profile with this one stream, beside what every stream here needs."""
    said = {"path": "/people", "properties": {"FirstName": "name"}, "read": {"records": "data"}, **stream}
    return CustomcrmClient(server.url, KEY, profile=load({"streams": {"contact": said}, **more}), max_elapsed=2)


def test_a_record_is_read_by_a_list_of_one_where_the_crm_hides_what_is_missing():
    rows = {"1": {"id": 1, "name": "Kari"}}

    def respond(asked):
        wanted = asked.query.get("filter[id][_eq]")
        return Said({"data": [row for key, row in rows.items() if key == wanted]})

    with serving(respond) as server:
        get = {"path": "/people", "params": {"filter[id][_eq]": "{id}"}, "record": "data[0]"}
        client = client_for(server, {"get": get})
        assert client.get("contact", "1").record["FirstName"] == "Kari"
        assert client.get("contact", "2") is None
        # A path that leads nowhere is a wrong profile, and no missing record.
        wrong = client_for(server, {"get": {**get, "record": "rows[0]"}})
        with pytest.raises(UnexpectedAnswer, match=r"no record under 'rows\[0\]'"):
            wrong.get("contact", "2")


def test_ids_may_be_asked_for_by_a_parameter_that_is_repeated():
    with serving(lambda _: Said({"data": [{"id": "a,b", "name": "Kari"}]})) as server:
        client = client_for(server, {"get_many": {"params": {"id[$in]": "{ids}"}, "separator": None}})
        assert list(client.get_many("contact", ["a,b", "c"])) == ["a,b"]
        assert server.asked[0].target == "/people?id%5B%24in%5D=a,b&id%5B%24in%5D=c"


def test_a_success_that_is_none_means_that_the_record_is_gone():
    with serving(
        lambda asked: Said(None, 204) if asked.method == "PATCH" else Said({"id": 1, "name": "Kari"})
    ) as server:
        client = client_for(server, {"write": {"update": {"ok": [200], "missing": [204]}}})
        with pytest.raises(NotFound):
            client.update("contact", "1", {"FirstName": "Ola"}, None)


@pytest.mark.parametrize(("absent", "record"), [("unknown", {"Id": "1"}), ("empty", {"Id": "1", "FirstName": None})])
def test_what_a_record_lacks_is_unknown_or_empty_as_the_profile_says(absent, record):
    with serving(lambda _: Said({"data": [{"id": 1}]})) as server:
        (page,) = client_for(server, {"absent": absent}).pages("contact")
        assert page.values == [record]


def test_two_lists_that_share_an_offset_are_both_read_to_their_ends():
    lists = {"open": [f"open {n}" for n in range(7)], "closed": [f"closed {n}" for n in range(2)]}

    def respond(asked):
        at, size = int(asked.query.get("offset", 0)), int(asked.query["limit"])
        some = {kind: [{"id": one, "name": one} for one in all_of[at : at + size]] for kind, all_of in lists.items()}
        return Said({"o": {"rows": some["open"]}, "c": {"rows": some["closed"]}})

    with serving(respond) as server:
        paging = {"kind": "offset", "size_param": "limit", "step": "size"}
        client = client_for(server, {"read": {"records": ["o.rows", "c.rows"], "paging": paging}})
        client.page_size = 3
        assert sorted(names(client)) == sorted([*lists["open"], *lists["closed"]])
        assert [asked.query["offset"] for asked in server.asked] == ["0", "3", "6", "9"]


def test_a_stream_may_refuse_in_a_way_of_its_own():
    with serving(lambda _: Said("<html><title>Duplicate</title></html>", 500)) as server:
        streams = {
            name: {"path": f"/{name}", "properties": {"Name": "name"}, "write": {}, "errors": errors}
            for name, errors in (("customer", None), ("product", {"permanent": [500]}))
        }
        client = CustomcrmClient(server.url, KEY, profile=load({"streams": streams}), max_elapsed=2)
        with pytest.raises(Refused, match="Duplicate"):
            client.create("product", {"Name": "Spade"})
        with pytest.raises(OutcomeUnknown):
            client.create("customer", {"Name": "Firma AS"})
