"""Requests with bodies, headers and paths of their own, wherever a profile asks for something."""

import json
import re
from urllib.parse import parse_qs

import pytest
from api_transport.errors import Refused, UnexpectedAnswer
from api_transport.testing import Said, serving
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import Fault, load
from customcrm_client.schema import schema_of
from customcrm_client.testing import KEY

SINCE = "2026-03-01T12:00:00Z"


def profile_of(stream, **more):
    said = {"path": "/people", "properties": {"FirstName": "name", "Email": "mail"}, **stream}
    return {"streams": {"contact": said}, **more}


def client_for(server, stream, **more):
    return CustomcrmClient(server.url, KEY, profile=load(profile_of(stream, **more)), page_size=2)


def everything(client, **asked):
    return [record for page in client.pages("contact", **asked) for record in page.values]


def ids_of(records):
    return [one["Id"] for one in records]


def row(number, **more):
    return {"id": number, "name": f"Person {number}", "mail": f"{number}@example.no", **more}


# -- lists by POST


BY_POST = {
    "read": {
        "path": "/people/search",
        "body": {"domain": [], "fields": "{fields}", "limit": "{size}", "offset": "{page}"},
        "records": "$",
        "paging": {"kind": "offset", "end": {"short_page": True}, "overlap": False},
        "increments": {"body": {"domain": [["changed", ">=", "{since}"]]}, "format": "%Y-%m-%d %H:%M:%S"},
    },
    "updated_at": "changed",
}


def answer_by_post(rows):
    def respond(asked):
        if asked.method != "POST" or asked.path != "/people/search":
            return Said({"message": "no"}, 405)
        body = asked.json
        if set(body) != {"domain", "fields", "limit", "offset"} or asked.query:
            return Said({"message": "wrong body"}, 400)
        found = [one for one in rows if all(one[name] >= value for name, _, value in body["domain"])]
        return Said(found[body["offset"] : body["offset"] + body["limit"]])

    return respond


def test_a_list_is_asked_for_by_a_body_with_its_pages_in_it():
    with serving(answer_by_post([row(one, changed="2026-03-01 12:00:00") for one in range(5)])) as server:
        assert ids_of(everything(client_for(server, BY_POST))) == ["0", "1", "2", "3", "4"]
        assert [asked.json["offset"] for asked in server.asked] == [0, 2, 4]
        assert server.asked[0].json["fields"] == ["id", "changed", "name", "mail"]


@pytest.mark.parametrize("by_body", [False, True])
def test_what_is_wanted_of_a_record_is_named_with_its_objects_whole(by_body):
    read = {"body": {"names": "{columns}"}} if by_body else {"params": {"fields": "{columns}"}}
    stream = {"read": read, "properties": {"Company": "company.id", "CompanyName": "company.name", "Name": "name"}}
    with serving(lambda _: Said([row(1)])) as server:
        assert ids_of(everything(client_for(server, stream))) == ["1"]
        asked = server.asked[0]
        said = asked.json["names"] if by_body else asked.query["fields"].split(",")
        assert said == ["id", "company", "name"]


def test_a_body_of_changes_is_laid_over_that_of_the_list():
    rows = [row(1, changed="2026-03-01 11:59:59"), row(2, changed="2026-03-01 12:00:00")]
    with serving(answer_by_post(rows)) as server:
        assert ids_of(everything(client_for(server, BY_POST), updated_since=SINCE)) == ["2"]
        assert server.asked[0].json["domain"] == [["changed", ">=", "2026-03-01 12:00:00"]]


def test_a_read_by_post_is_sent_again_where_a_gateway_fails():
    answers = iter([Said("busy", 503), Said([])])
    with serving(lambda _: next(answers)) as server:
        client = client_for(server, BY_POST)
        assert everything(client) == []
        assert len(server.asked) == 2


def test_a_cursor_stands_in_the_body_from_the_second_page_on():
    def respond(asked):
        after = asked.json.get("after")
        return Said({"rows": [row(after or 1)], "next": (after or 1) + 1 if (after or 1) < 3 else None})

    read = {
        "path": "/find",
        "records": "rows",
        "body": {"limit": "{size}", "after": "{page}"},
        "paging": {"kind": "cursor", "cursor": "next"},
    }
    with serving(respond) as server:
        assert ids_of(everything(client_for(server, {"read": read}))) == ["1", "2", "3"]
        sent = [asked.json for asked in server.asked]
        assert sent == [{"limit": 2}, {"limit": 2, "after": 2}, {"limit": 2, "after": 3}]


def test_what_a_value_holds_is_never_taken_for_a_name():
    """A person may be called {size}."""
    stream = {"read": {"records": "$", "paging": {"kind": "page", "size_param": "size", "end": {"short_page": True}}}}
    for search in ({"params": {"q": "{field}:{value}"}}, {"body": {"find": "{value}"}, "path": "/find/{value}"}):
        with serving(lambda _: Said([row(1, name="{size} {fields}")])) as server:
            client = client_for(server, {**stream, "search": search})
            assert ids_of(client.search("contact", {"FirstName": "{size} {fields}"})) == ["1"]
            asked = server.asked[0]
            said = asked.json["find"] if asked.body else asked.query["q"].removeprefix("name:")
            assert said == "{size} {fields}"
            assert asked.path in ("/people", "/find/{size} {fields}")


# -- changes on a path of their own


def test_changes_on_a_path_of_their_own_take_nothing_of_the_list_along():
    def respond(asked):
        if asked.method == "GET":
            assert asked.query == {"archived": "false", "limit": "2"}
            return Said({"results": [row(1)]})
        assert asked.query == {}
        assert asked.json == {"since": 1772366400000, "limit": 2}
        return Said({"hits": [row(2)]})

    stream = {
        "updated_at": "changed",
        "read": {
            "params": {"archived": False},
            "records": "results",
            "paging": {"kind": "cursor", "param": "after", "cursor": "next", "size_param": "limit"},
            "increments": {
                "path": "/people/search",
                "body": {"since": "{since}", "limit": "{size}", "after": "{page}"},
                "format": "epoch_ms",
                "records": "hits",
            },
        },
    }
    with serving(respond) as server:
        client = client_for(server, stream)
        assert ids_of(everything(client)) == ["1"]
        assert ids_of(everything(client, updated_since=SINCE)) == ["2"]


def test_changes_are_asked_for_by_a_header():
    def respond(asked):
        if asked.headers.get("If-Modified-Since") == "Sun, 01 Mar 2026 12:00:00 GMT":
            return Said(None, 304)
        return Said([row(1)])

    increments = {"headers": {"If-Modified-Since": "{since}"}, "format": "http_date"}
    stream = {"updated_at": "changed", "read": {"records": "$", "empty": [204, 304], "increments": increments}}
    with serving(respond) as server:
        client = client_for(server, stream)
        assert everything(client, updated_since=SINCE) == []
        assert ids_of(everything(client)) == ["1"]
        assert "If-Modified-Since" not in server.asked[-1].headers


WINDOWED = {
    "updated_at": "changed",
    "read": {
        "records": "$",
        "paging": {"kind": "offset", "param": "skip", "size_param": "top", "overlap": False},
        "increments": {"params": {"since": "{since}"}, "sort": {"sort": "changed"}, "in_order": True, "at_most": 4},
    },
}


def windowed(rows):
    """A CRM that gives four records of a list, however long that is, and refuses to go further."""

    def respond(asked):
        skip, top = int(asked.query["skip"]), int(asked.query["top"])
        if skip >= 4:
            return Said({"message": "too far"}, 400)
        found = sorted((one for one in rows if one["changed"] >= asked.query["since"]), key=lambda one: one["changed"])
        return Said(found[skip : min(skip + top, 4)])

    return respond


def test_a_list_of_changes_that_the_crm_cuts_is_asked_for_again_from_its_newest_on():
    rows = [row(one, changed=f"2026-03-01T12:00:0{one // 2}.000Z") for one in range(11)]
    with serving(windowed(rows)) as server:
        found = everything(client_for(server, WINDOWED), updated_since=SINCE)
        assert sorted(ids_of(found), key=int) == [str(one) for one in range(11)]
        assert len(found) == 11


def test_a_list_that_goes_on_does_not_look_back_once_more():
    """Else many changes within the time that is looked back come again and again."""
    increments = {**WINDOWED["read"]["increments"], "look_back": 600}
    stream = {**WINDOWED, "read": {**WINDOWED["read"], "increments": increments}}
    rows = [row(one, changed=f"2026-03-01T12:00:0{one // 2}.000Z") for one in range(11)]
    with serving(windowed(rows)) as server:
        found = everything(client_for(server, stream), updated_since=SINCE)
        assert ids_of(found) == [str(one) for one in range(11)]
        assert server.asked[0].query["since"] == "2026-03-01T11:55:00.000Z"


@pytest.mark.parametrize("page_size", [3, 4, 50])
def test_no_page_reaches_beyond_what_the_crm_gives(page_size):
    rows = [row(one, changed=f"2026-03-01T12:00:0{one // 2}.000Z") for one in range(11)]
    cut = windowed(rows)

    def respond(asked):
        too_far = int(asked.query["skip"]) + int(asked.query["top"]) > 4
        return Said({"message": "too far"}, 400) if too_far else cut(asked)

    with serving(respond) as server:
        paging = {**WINDOWED["read"]["paging"], "end": {"short_page": True}}
        client = client_for(server, {**WINDOWED, "read": {**WINDOWED["read"], "paging": paging}})
        found = everything(client, updated_since=SINCE, page_size=page_size)
        assert ids_of(found) == [str(one) for one in range(11)]


@pytest.mark.parametrize("told", [{"changed": None}, {}])
def test_a_change_that_does_not_tell_when_it_was_is_read(told):
    rows = [row(1, **told)]
    with serving(lambda asked: Said(rows if asked.query["skip"] == "0" else [])) as server:
        assert ids_of(everything(client_for(server, WINDOWED), updated_since=SINCE)) == ["1"]


def test_deleted_records_are_wanted_of_a_list_of_changes_too():
    increments = {"path": "/changes", "params": {"s": "{since}"}}
    read = {"with_deleted": {"deleted": "yes"}, "increments": increments}
    with serving(lambda _: Said([])) as server:
        client = client_for(server, {"updated_at": "changed", "deleted": "gone", "read": read})
        everything(client, updated_since=SINCE, include_deleted=True)
        everything(client, updated_since=SINCE)
        assert [(asked.path, asked.query.get("deleted")) for asked in server.asked] == [
            ("/changes", "yes"),
            ("/changes", None),
        ]


def test_the_first_page_of_a_list_with_cursors_has_nothing_in_place_of_one():
    paging = {"kind": "cursor", "cursor": "next", "size_param": None}
    read = {"body": {"query": "people(after: {page:json})", "and": "from {page}", "after": "{page}"}, "paging": paging}
    rows = [{"data": [row(1)], "next": "c2"}, {"data": []}]
    with serving(lambda _: Said(rows[len(server.asked) - 1])) as server:
        everything(client_for(server, {"read": {**read, "records": "data"}}))
        assert [asked.json for asked in server.asked] == [
            {"query": "people(after: )", "and": "from "},
            {"query": 'people(after: "c2")', "and": "from c2", "after": "c2"},
        ]


def test_more_changes_of_one_moment_than_the_crm_gives_end_in_one_line():
    rows = [row(one, changed="2026-03-01T12:00:00.000Z") for one in range(9)]
    with serving(windowed(rows)) as server, pytest.raises(UnexpectedAnswer, match="more than 4 records changed"):
        everything(client_for(server, WINDOWED), updated_since=SINCE)


# -- lists of deleted records


def deleting(path="/people/deleted"):
    return {
        "updated_at": "changed",
        "read": {
            "records": "data",
            "increments": {"params": {"since": "{since}"}},
            "deletions": {
                "path": path,
                "headers": {"X-Since": "{since}"},
                "deleted_at": "deleted_time",
                "empty": [304],
            },
        },
    }


def test_a_list_of_deleted_records_becomes_tombstones_but_for_what_was_put_back():
    def respond(asked):
        if asked.path == "/people/deleted":
            assert asked.headers["X-Since"] == "2026-03-01T12:00:00.000Z"
            gone = [{"id": 3, "deleted_time": "2026-03-01T14:00:00+01:00"}, {"id": 1, "deleted_time": None}]
            return Said({"data": gone})
        return Said({"data": [row(1, changed="2026-03-01T13:30:00Z")]})

    with serving(respond) as server:
        client = client_for(server, deleting())
        found = everything(client, updated_since=SINCE, include_deleted=True)
        assert ids_of(found) == ["1", "3"]
        assert found[1] == {"Id": "3", "Deleted": True, "UpdatedAt": "2026-03-01T13:00:00Z"}
        assert ids_of(everything(client, updated_since=SINCE)) == ["1"]


def test_a_stream_with_a_list_of_deleted_records_says_that_it_tells_deletions():
    """A mapping passes on what the schema names alone."""
    assert "Deleted" in schema_of(load(profile_of(deleting())).streams["contact"])["properties"]
    assert "Deleted" not in schema_of(load(profile_of({})).streams["contact"])["properties"]


def test_no_deleted_records_by_a_status_are_none_and_a_list_that_is_not_there_is_told():
    def respond(asked):
        return Said(None, 304) if asked.path == "/people/deleted" else Said({"data": [row(1)]})

    with serving(respond) as server:
        asked = {"updated_since": SINCE, "include_deleted": True}
        assert ids_of(everything(client_for(server, deleting()), **asked)) == ["1"]
        # A path that leads to the records themselves has ids as well, so it is told by what else it lacks: a list.
        respond_wrong = {"wrong": []}
        server.respond = lambda asked: Said(respond_wrong if asked.path == "/people/deleted" else {"data": [row(1)]})
        with pytest.raises(UnexpectedAnswer, match="no list of records under 'data'"):
            everything(client_for(server, deleting()), **asked)


# -- ids


def test_ids_are_asked_for_in_a_body_each_as_the_crm_has_it():
    def respond(asked):
        assert asked.json == {"inputs": [{"id": 7}, {"id": 8}], "properties": ["name", "mail"]}
        return Said({"results": [{"id": 7, "fields": {"name": "Kari", "mail": None}}]}, 207)

    many = {
        "path": "/people/batch/read",
        "body": {"inputs": "{ids}", "properties": "{fields}"},
        "each": {"id": "{id}"},
        "records": "results",
        "ok": [200, 207],
        "paging": {"kind": "none"},
    }
    stream = {"get": None, "get_many": many, "unwrap": "fields", "id_type": "integer"}
    with serving(respond) as server:
        found = client_for(server, stream).get_many("contact", ["7", "8"])
        assert {key: one.record["FirstName"] for key, one in found.items()} == {"7": "Kari"}


def test_ids_are_written_in_the_language_of_a_filter():
    def respond(asked):
        return Said({"data": [row("o'b")]})

    stream = {"get": None, "get_many": {"params": {"$filter": "id in ({ids:odata})"}}, "read": {"records": "data"}}
    with serving(respond) as server:
        client_for(server, stream).get_many("contact", ["o'b", "c"])
        assert server.asked[0].query["$filter"] == "id in ('o''b','c')"


def test_one_record_is_read_by_a_body():
    stream = {"get": {"path": "/people/read", "body": {"ids": ["{id}"]}, "record": "$[0]"}, "id_type": "integer"}
    with serving(lambda _: Said([row(7)])) as server:
        found = client_for(server, stream).get("contact", "7")
        assert found.record["FirstName"] == "Person 7"
        assert (server.asked[0].method, server.asked[0].json) == ("POST", {"ids": [7]})
        server.respond = lambda _: Said([])
        assert client_for(server, stream).get("contact", "7") is None


# -- searches


ODD = ["50% & co", "C#", "[x]", '"q"', "æøå", "ble\u0301", "a\\b", "1=1;--", "(a, b)"]
VALUES = ["o'brien@example.no", "a+b@example.no", *ODD]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    ("encoder", "read"),
    [
        ("odata", lambda text: text[1:-1].replace("''", "'")),
        ("soql", lambda text: text[1:-1].replace("\\'", "'").replace("\\\\", "\\")),
        ("json", json.loads),
        ("escaped", lambda text: None if re.search(r"(?<!\\)[(),]", text) else re.sub(r"\\(.)", r"\1", text)),
        ("url", lambda text: parse_qs(f"v={text}")["v"][0]),
    ],
)
def test_any_value_is_found_in_the_language_of_the_crm(value, encoder, read):
    def respond(asked):
        text = asked.query["q"].partition(" = ")[2]
        return Said([row(1, name=value)] if read(text) == value else [])

    search = {"params": {"q": f"{{field}} = {{value:{encoder}}}"}}
    with serving(respond) as server:
        assert ids_of(client_for(server, {"search": search}).search("contact", {"FirstName": value})) == ["1"]


def test_a_text_of_several_lines_is_one_literal_of_soql():
    with serving(lambda _: Said([])) as server:
        client = client_for(server, {"search": {"params": {"q": "N = {value:soql}"}}})
        client.search("contact", {"FirstName": "Kari\r\n\tNordmann\\n"})
        assert server.asked[0].query["q"] == r"N = 'Kari\r\n\tNordmann\\n'"


def test_a_search_by_a_body_asks_for_several_values_at_once_and_by_the_name_it_is_given():
    def respond(asked):
        assert asked.json == {"filters": [{"propertyName": "email", "operator": "IN", "values": ["a", "b"]}]}
        return Said({"hits": [row(1, mail="A"), row(2, mail="c")]})

    search = {
        "path": "/people/search",
        "body": {"filters": [{"propertyName": "{field}", "operator": "IN", "values": "{values}"}]},
        "properties": {"Email": "email"},
        "records": "hits",
    }
    with serving(respond) as server:
        client = client_for(server, {"search": search})
        assert ids_of(client.search("contact", {"Email": ["a", "b"]})) == ["1"]
        assert client.takes_several("contact")
        assert not client.can_ask("contact", "FirstName", "Kari")


def test_hits_that_are_no_whole_records_are_read_by_their_ids():
    def respond(asked):
        if asked.path == "/people/find":
            return Said({"items": [{"item": {"id": 2}}, {"item": {"id": 3}}]})
        return Said([row(int(one)) for one in asked.query["ids"].split(",")])

    stream = {
        "get_many": {"params": {"ids": "{ids}"}},
        "search": {"path": "/people/find", "params": {"term": "{value}"}, "ids": "items[*].item.id"},
    }
    with serving(respond) as server:
        client = client_for(server, stream)
        assert ids_of(client.search("contact", {"Email": "3@example.no"})) == ["3"]
        assert [asked.path for asked in server.asked] == ["/people/find", "/people"]


def test_a_list_of_one_record_by_offsets_ends():
    """A page of one record has none left to begin the next one with."""

    def respond(asked):
        assert len(server.asked) < 5
        skip = int(asked.query["skip"])
        return Said([row(1)][skip : skip + 2])

    paging = {"kind": "offset", "param": "skip", "size_param": "top"}
    with serving(respond) as server:
        assert ids_of(everything(client_for(server, {"read": {"records": "$", "paging": paging}}))) == ["1"]


def test_a_list_that_tells_ids_alone_is_read_record_by_record():
    rows = {one: row(one, changed=f"2026-03-01T12:00:0{one}Z") for one in range(5)}

    def respond(asked):
        if asked.path != "/people":
            number = int(asked.path.rpartition("/")[2])
            return Said({"message": "gone"}, 404) if number == 3 else Said(rows[number])
        found = [one for one in rows.values() if one["changed"] >= asked.query.get("since", "")]
        found = [one for one in found if one["mail"] == asked.query.get("mail", one["mail"])]
        start = int(asked.query.get("skip", "0"))
        return Said({"value": [{"PrimaryKey": one["id"]} for one in found[start : start + 2]]})

    stream = {
        "updated_at": "changed",
        "read": {
            "ids": "value[*].PrimaryKey",
            "paging": {"kind": "offset", "param": "skip", "size_param": "top", "overlap": False},
            "increments": {"params": {"since": "{since}"}, "format": "rfc3339_seconds"},
        },
        "search": {"params": {"mail": "{value}"}, "properties": ["Email"]},
    }
    with serving(respond) as server:
        client = client_for(server, stream)
        assert ids_of(everything(client)) == ["0", "1", "2", "4"]
        assert ids_of(everything(client, updated_since="2026-03-01T12:00:02Z")) == ["2", "4"]
        assert ids_of(client.search("contact", {"Email": "1@example.no"})) == ["1"]
        assert [one["name"] for one in client.sample("contact", 2)] == ["Person 0", "Person 1"]


# -- headers


def test_a_request_has_headers_of_its_own_with_the_page_size_in_them():
    def respond(asked):
        if asked.method == "GET":
            assert asked.headers["Prefer"] == "odata.maxpagesize=2"
            return Said([row(1)])
        assert asked.headers["Content-Type"] == "application/merge-patch+json"
        return Said(row(1, name="Ola"))

    stream = {
        "read": {"headers": {"Prefer": "odata.maxpagesize={size}"}, "paging": {"kind": "next_url", "url": "next"}},
        "get": {"headers": {"Prefer": "odata.maxpagesize=2"}},
        "write": {"update": {"headers": {"Content-Type": "application/merge-patch+json"}}},
    }
    with serving(respond) as server:
        client = client_for(server, {**stream, "read": {**stream["read"], "records": "$"}})
        assert ids_of(everything(client)) == ["1"]
        server.respond = lambda asked: Said(row(1)) if asked.method == "GET" else respond(asked)
        assert client.update("contact", "1", {"FirstName": "Ola"}, None).record["FirstName"] == "Ola"


# -- refusals in a 200


@pytest.mark.parametrize(
    ("flag", "bad", "good"),
    [
        ({"path": "data[0].status", "values": ["error"]}, {"data": [{"status": "error"}]}, {"status": "success"}),
        ({"path": "error"}, {"error": {"code": 7}}, {"error": None}),
        ("failed", {"failed": "yes"}, {"failed": "no"}),
    ],
)
def test_an_answer_that_refuses_with_a_status_of_success_is_a_refusal(flag, bad, good):
    with serving(lambda _: Said(bad)) as server:
        stream = {"write": {}, "read": {"records": "$"}}
        client = client_for(server, stream, errors={"flag": flag, "message": "none"})
        with pytest.raises(Refused):
            client.create("contact", {"FirstName": "Kari"})
        server.respond = lambda _: Said({**row(1), **good})
        assert client.create("contact", {"FirstName": "Kari"}).record["Id"] == "1"


# -- what is wrong is told


WRONG = {
    "get_many: {body: {ids: []}}": "{ids} is missing",
    "search: {path: /find}": "{value} is missing",
    "get: null\n    read: {ids: items}": "read by their ids",
    "search: {params: {q: '{value}'}, ids: items, properties: [Nobody]}": "there is no property Nobody",
    "updated_at: at\n    read: {increments: {path: /changes}}": "{since} is missing",
    "updated_at: at\n    read: {increments: {params: {s: '{since}'}, at_most: 5}}": "Add in_order: true",
    "read: {method: GET, body: {a: 1}}": "a GET has no body",
    "read: {headers: {'a b': x}}": "'a b' is no name of a header",
    "read: {deletions: {path: /gone, params: {q: '{value}'}}}": "{value} is not known here",
    "read: {paging: {kind: page, end: {short_page: true}}}": "which page is short is not known",
    "write: {update: {batch: {size: 2, each: {id: '{id}'}}}}": "{record} is missing",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_wrong_request_is_told_before_anything_is_sent(text):
    with pytest.raises(Fault) as caught:
        load(f"streams:\n  contact:\n    path: /people\n    properties: {{FirstName: name}}\n    {text}\n")
    assert WRONG[text] in str(caught.value)
