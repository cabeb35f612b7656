"""What a profile's keys do to requests and answers, where CRMs are odd."""

import json

import pytest
from api_transport.errors import NotFound, Refused, UnexpectedAnswer
from api_transport.testing import Said, serving
from customcrm_client.client import CustomcrmClient
from customcrm_client.flags import is_said, is_set
from customcrm_client.loading import Fault, load
from customcrm_client.paths import WrongPath, first, places
from customcrm_client.reading import QUERY_AT_MOST
from customcrm_client.testing import KEY, USER

ALL = {"data": [{"id": 1, "name": "Kari"}]}


def profile_of(stream, **more):
    said = {"path": "/people", "properties": {"FirstName": "name"}, "read": {"records": "data"}, **stream}
    return {"streams": {"contact": said}, **more}


def client_for(server, stream, **more):
    return CustomcrmClient(f"{server.url}/api/v1", KEY, api_user=USER, profile=load(profile_of(stream, **more)))


def everything(client, **asked):
    return [record for page in client.pages("contact", **asked) for record in page.values]


# -- variables


def test_variables_are_filled_in_wherever_the_profile_has_them():
    rows = [{"key": 1, "cf_7": "910000004", "stamp": "2026-03-01T12:00:00Z", "gone": False, "box": {"who": "Kari"}}]
    variables = {"org": "cf_7", "stamp": "stamp", "order": "asc", "since_name": "after", "who": "box.who"}
    stream = {
        "id": "{key}",
        "updated_at": "{stamp}",
        "deleted": "{gone}",
        "properties": {"Number": "{org}", "FirstName": {"path": "{who}"}},
        "read": {
            "records": "{list}",
            "increments": {"params": {"{since_name}": "{since}"}, "sort": {"sort": "{stamp},{order}"}},
        },
        "search": {"params": {"filter[{field}]": "{value}"}},
        "write": {"create": {"constants": {"{kind}": "{kind_value}"}, "record": None, "id": "{key}"}},
    }
    variables |= {"key": "key", "gone": "gone", "list": "data", "kind": "type", "kind_value": 3}

    def respond(asked):
        return Said({"data": rows} if asked.path == "/api/v1/people" and asked.method == "GET" else rows[0])

    with serving(respond) as server:
        client = client_for(server, stream, variables=variables)
        (record,) = everything(client, updated_since="2026-03-01T00:00:00Z")
        own = {"Id": "1", "UpdatedAt": "2026-03-01T12:00:00Z", "Deleted": False}
        assert record == {**own, "Number": "910000004", "FirstName": "Kari"}
        assert server.asked[-1].query == {"after": "2026-03-01T00:00:00.000Z", "sort": "stamp,asc"}
        client.search("contact", {"Number": "910000004"})
        assert server.asked[-1].query["filter[cf_7]"] == "910000004"
        client.create("contact", {"Number": "1", "FirstName": "Ola"})
        (sent,) = [asked.json for asked in server.asked if asked.method == "POST"]
        assert sent == {"cf_7": "1", "box": {"who": "Ola"}, "type": 3}


@pytest.mark.parametrize(
    "stream",
    [
        {"properties": {"FirstName": "{nobody}"}},
        {"updated_at": "{nobody}"},
        {"read": {"records": "{nobody}"}},
        {"updated_at": "at", "read": {"records": "data", "increments": {"params": {"{nobody}": "{since}"}}}},
        {"updated_at": "at", "read": {"records": "data", "increments": {"sort": {"sort": "{nobody}"}}}},
    ],
)
def test_a_variable_that_is_not_there_is_told_and_no_literal_name(stream):
    with pytest.raises(Fault, match=r"\{nobody\} is not known here"):
        load(profile_of(stream))


# -- where tokens are given


def test_tokens_are_given_below_the_host_and_not_below_the_apis_own_path():
    def respond(asked):
        return Said({"access_token": "a-token"} if asked.path == "/oauth/token" else ALL)

    with serving(respond) as server:
        for path in ("/oauth/token", "oauth/token", f"{server.url}/oauth/token"):
            client = client_for(server, {}, auth={"kind": "oauth2", "token_path": path})
            assert [record["FirstName"] for record in everything(client)] == ["Kari"]
        assert {asked.path for asked in server.asked} == {"/oauth/token", "/api/v1/people"}


# -- lists of ids


@pytest.mark.parametrize("separator", [",", "||", None])
@pytest.mark.parametrize("length", [1, 20, 36, 400])
def test_a_list_of_ids_fits_into_an_address_with_all_that_stands_beside_it(separator, length):
    ids = [f"{number:0{length}}" for number in range(100, 260)] if length > 2 else [str(n) for n in range(160)]
    read = {"records": "data", "params": {"expand": "x" * 400}, "paging": {"kind": "page", "size_param": "size"}}
    many = {"params": {"filter[id][$in]": "{ids}"}, "separator": separator, "at_most": 100}

    def respond(asked):
        return Said({"data": []})

    with serving(respond) as server:
        client = client_for(
            server, {"read": read, "get_many": many, "get": None}, auth={"kind": "query", "name": "key"}
        )
        client.get_many("contact", ids)
        queries = [asked.target.partition("?")[2] for asked in server.asked]
        assert max(map(len, queries)) <= QUERY_AT_MOST
        assert len(queries) < len(ids)


# -- an empty list


@pytest.mark.parametrize(
    ("status", "read"),
    [
        (204, {"paging": {"kind": "page", "end": {"statuses": [204]}}}),
        (204, {"paging": {"kind": "offset", "end": {"statuses": [204, 404]}}}),
        (204, {"empty": [204]}),
        (204, {"empty": [204], "paging": {"kind": "page", "end": {"total": "total"}}}),
        (404, {"empty": [404], "paging": {"kind": "cursor", "cursor": "next"}}),
        (404, {"empty": [404], "paging": {"kind": "page"}}),
    ],
)
def test_an_empty_list_may_be_told_by_a_status(status, read):
    with serving(lambda _: Said(None if status == 204 else {"message": "none"}, status)) as server:
        client = client_for(server, {"read": {"records": "data", **read}, "search": {"params": {"q": "{value}"}}})
        assert everything(client) == []
        assert client.size("contact") in (0, None)
        assert client.search("contact", {"FirstName": "Kari"}) == []


def test_a_status_past_the_last_page_is_no_empty_list():
    """A list that is not there looks the same, and everything would be taken for deleted."""
    with serving(lambda _: Said({"message": "no such page"}, 404)) as server:
        read = {"records": "data", "paging": {"kind": "page", "end": {"statuses": [404]}}}
        with pytest.raises(NotFound):
            everything(client_for(server, {"read": read}))


def test_a_status_for_an_empty_list_ends_no_list_in_its_middle():
    def respond(asked):
        return Said(None, 204) if "after" in asked.query else Said({**ALL, "next": "x"})

    with serving(respond) as server:
        read = {"records": "data", "empty": [204], "paging": {"kind": "cursor", "param": "after", "cursor": "next"}}
        with pytest.raises(UnexpectedAnswer):
            everything(client_for(server, {"read": read}))


def test_a_web_page_that_says_not_found_is_no_empty_list():
    page = Said("<html>nothing here</html>", 404)
    with serving(lambda _: page) as server, pytest.raises(UnexpectedAnswer, match="by a web page"):
        everything(client_for(server, {"read": {"records": "data", "empty": [404]}}))


# -- another record


@pytest.mark.parametrize(
    "get", [{"path": "/people", "params": {"id": "{id}"}, "record": "data[0]"}, {"record": "data[0]"}]
)
def test_another_record_is_a_merged_one_only_where_it_was_asked_for_by_its_path(get):
    """A list that heeds no filter answers with its first record whoever is asked for."""
    with serving(lambda _: Said(ALL)) as server:
        client = client_for(server, {"get": get})
        assert client.get("contact", "1").record["FirstName"] == "Kari"
        if "path" not in get:
            assert client.get("contact", "2") is None
        else:
            with pytest.raises(UnexpectedAnswer, match="asked for record 2, answered with 1"):
                client.get("contact", "2")


# -- flags in text


NO = (None, False, 0, "", "0", "false", "False", "no", "N", "nei", "off", "null", " ", "0000-00-00 00:00:00", [], {})
YES = (True, 1, "1", "true", "yes", "Y", "2026-03-01", "archived", "deleted", {"by": 1})


@pytest.mark.parametrize(("value", "gone"), [*((one, False) for one in NO), *((one, True) for one in YES)])
def test_a_flag_says_yes_or_no_in_text_too(value, gone):
    assert is_set(value) is gone
    with serving(lambda _: Said({"data": [{"id": 1, "name": "Kari", "flag": value}]})) as server:
        client = client_for(server, {"deleted": "flag"})
        assert [record["Deleted"] for record in everything(client)] == [gone]
        assert len(client.search("contact", {"FirstName": "Kari"})) == (not gone)


@pytest.mark.parametrize(("value", "gone"), [("0", False), ("false", False), ("1", True), (1, True), ("true", True)])
def test_a_flag_of_the_reference_contract_is_a_flag_in_text_too(value, gone):
    record = {"Id": "p1", "FirstName": "Kari", "Deleted": value}
    with serving(lambda asked: Said({"data": [record]} if asked.path == "/contacts" else record)) as server:
        client = CustomcrmClient(server.url, KEY)
        assert [one["Deleted"] for one in everything(client, include_deleted=True)] == [gone]
        assert (client.get("contact", "p1") is None) is gone


@pytest.mark.parametrize(("kind", "kept"), [("integer", (1, 0)), ("number", (1, 0)), ("string", ("true", "false"))])
def test_a_flag_that_the_crm_keeps_as_another_type_is_written_as_it_is_read(kind, kept):
    stream = {"properties": {"Active": {"path": "on", "type": "boolean", "crm_type": kind}}, "write": {}}
    with serving(lambda asked: Said({"id": 1, **(asked.json or {})} if asked.method != "GET" else {})) as server:
        client = client_for(server, stream)
        for flag, said in zip((True, False), kept, strict=True):
            assert client.create("contact", {"Active": flag}).record["Active"] is flag
            assert json.dumps(server.asked[-1].json) == json.dumps({"on": said})


def test_values_that_mean_deleted_are_found_in_text_too():
    assert is_said("1", (1,))
    assert is_said("True", (True,))
    assert is_said("Archived", ("archived",))
    assert not is_said("0", (1,))


@pytest.mark.parametrize(("flag", "refuses"), [("True", True), ("1", True), (1, True), ("0", False), ("no", False)])
def test_a_refusal_by_a_flag_may_be_in_text(flag, refuses):
    body = {"id": 1, "name": "Kari", "failed": flag, "message": "nei"}
    with serving(lambda _: Said(body)) as server:
        client = client_for(server, {"write": {}}, errors={"flag": "failed"})
        if refuses:
            with pytest.raises(Refused, match="nei"):
                client.create("contact", {"FirstName": "Kari"})
        else:
            assert client.create("contact", {"FirstName": "Kari"}).record["Id"] == "1"


@pytest.mark.parametrize("more", [False, "false", "0", "no", None, 0])
def test_a_list_ends_where_a_flag_in_text_says_so(more):
    with serving(lambda _: Said({**ALL, "more": more})) as server:
        read = {"records": "data", "paging": {"kind": "page", "end": {"more": "more"}}}
        assert len(everything(client_for(server, {"read": read}))) == 1
        assert len(server.asked) == 1


# -- names


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("First Name", ["First Name"]),
        ("Postal address.Zip  code", ["Postal address", "Zip  code"]),
        ("$.First Name", ["First Name"]),
        ("['a.b']", ["a.b"]),
        ("$['@odata.etag']", ["@odata.etag"]),
        ('CustomFields["SuperOffice:1"]', ["CustomFields", "SuperOffice:1"]),
    ],
)
def test_names_with_blanks_and_signs_are_read_and_written(path, steps):
    assert places(path) == steps
    nested = "Kari"
    for step in reversed(steps):
        nested = {step: nested}
    row = {"id": 1, **nested}
    stream = {"properties": {"FirstName": path}, "search": {"params": {"{field}": "{value}"}}, "write": {}}
    with serving(lambda asked: Said({"data": [row]} if asked.path.endswith("people") else row)) as server:
        client = client_for(server, stream)
        assert everything(client) == [{"Id": "1", "FirstName": "Kari"}]
        client.search("contact", {"FirstName": "Kari"})
        if len(steps) == 1:
            assert server.asked[-1].query == {steps[0]: "Kari"}
    with serving(lambda _: Said(row, 201)) as server:
        client_for(server, stream).create("contact", {"FirstName": "Kari"})
        assert server.asked[0].json == nested


def test_what_asks_for_more_than_a_name_is_still_a_question():
    assert places("a | b") is None
    assert places("a where b") is None
    with pytest.raises(WrongPath):
        first("a..[")


# -- several conditions


def test_several_conditions_in_one_parameter_are_joined():
    stream = {
        "properties": {"FirstName": "name", "City": "city", "Note": "note"},
        "search": {"params": {"$filter": "{field} eq '{value}'", "exact": True}, "between": " and "},
    }
    row = {"id": 1, "name": "Kari", "city": "Oslo"}
    with serving(lambda _: Said({"data": [row]})) as server:
        client = client_for(server, stream)
        assert len(client.search("contact", {"FirstName": "Kari", "City": "Oslo"})) == 1
        assert server.asked[0].query == {"$filter": "name eq 'Kari' and city eq 'Oslo'", "exact": "true"}


def test_of_conditions_that_nothing_joins_one_is_asked_by_and_the_rest_is_compared():
    stream = {"properties": {"FirstName": "name", "City": "city"}, "search": {"params": {"q": "{field}:{value}"}}}
    rows = [{"id": 1, "name": "Kari", "city": "Oslo"}, {"id": 2, "name": "Kari", "city": "Moss"}]
    with serving(lambda _: Said({"data": rows})) as server:
        client = client_for(server, stream)
        assert [one["Id"] for one in client.search("contact", {"FirstName": "Kari", "City": "Moss"})] == ["2"]
        assert server.asked[0].query == {"q": "name:Kari"}
        with pytest.raises(ValueError, match="FirstName and City at once"):
            client.matching("contact", {"FirstName": "Kari", "City": "Moss"})


def test_an_encoder_that_does_not_exist_is_told_with_the_nearest():
    with pytest.raises(Fault, match="there is no encoder odat.*odata"):
        load(profile_of({"search": {"params": {"q": "{value:odat}"}}}))
