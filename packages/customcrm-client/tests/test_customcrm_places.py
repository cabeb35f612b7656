"""Where a property stands in a record: in lists, under odd names, beside it; and how it is written there."""

import pytest
from api_transport.errors import ApiError, Conflict, NotFound, OutcomeUnknown, Refused
from api_transport.testing import Said, serving
from customcrm_client.client import Change, CustomcrmClient
from customcrm_client.loading import Fault, load
from customcrm_client.paths import first, places, put
from customcrm_client.testing import KEY


def profile_of(properties, stream=None, **more):
    said = {"path": "/people", "properties": properties, "write": {}, **(stream or {})}
    return {"streams": {"contact": said}, **more}


class People:
    """A CRM of one person that takes what it is sent: PATCH replaces what is named."""

    def __init__(self, **row):
        self.row = {"id": 1, **row}
        self.sent = []
        self.calls = []

    def respond(self, asked):
        if asked.method == "GET":
            return Said(self.row)
        if asked.path not in ("/people", "/people/1"):
            self.calls.append((asked.method, asked.path, asked.json if asked.body else None))
            return Said(None, 204)
        body = asked.json
        self.sent.append(body)
        self.row = {**(self.row if asked.method == "PATCH" else {"id": 1}), **body}
        return Said(self.row)


def written(row, properties, values, stream=None):
    """What a person is after an update, and what was sent."""
    people = People(**row)
    with serving(people.respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(properties, stream)))
        found = client.update("contact", "1", values, None)
    return found.record, people


def made(properties, values, stream=None):
    people = People()
    with serving(people.respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(properties, stream)))
        client.create("contact", values)
    return people


# -- entries of lists


EMAILS = {"Email": "emails[?primary].value", "Work": "emails[?label=work].value"}
WORK = {"value": "kari@work.example.no", "label": "work", "primary": False}
HOME = {"value": "kari@example.no", "label": "home", "primary": True}


@pytest.mark.parametrize(
    ("emails", "read"),
    [
        ([WORK, HOME], {"Email": "kari@example.no", "Work": "kari@work.example.no"}),
        ([WORK], {"Email": None, "Work": "kari@work.example.no"}),
        ([], {"Email": None, "Work": None}),
        (None, {"Email": None, "Work": None}),
        ("nonsense", {}),
    ],
)
def test_an_entry_is_found_by_a_flag_or_a_value(emails, read):
    with serving(People(emails=emails).respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(EMAILS)))
        assert client.get("contact", "1").record == {"Id": "1", **read}


def test_of_a_list_that_is_not_there_nothing_is_known():
    with serving(People().respond) as server:
        assert CustomcrmClient(server.url, KEY, profile=load(profile_of(EMAILS))).get("contact", "1").record == {
            "Id": "1"
        }


@pytest.mark.parametrize("stream", [{}, {"write": {"update": {"merges": True}}}], ids=["replaces", "merges"])
def test_a_value_is_written_into_its_entry_and_the_others_stay(stream):
    record, people = written({"emails": [WORK, HOME]}, EMAILS, {"Email": "ny@example.no"}, stream)
    assert people.sent == [{"emails": [WORK, {**HOME, "value": "ny@example.no"}]}]
    assert record["Email"] == "ny@example.no"


def test_an_entry_that_is_not_there_is_added_with_what_selects_it():
    _, people = written({"emails": [WORK]}, EMAILS, {"Email": "ny@example.no"})
    assert people.row["emails"] == [WORK, {"primary": True, "value": "ny@example.no"}]
    assert made(EMAILS, {"Email": "a@example.no", "Work": None}).sent == [
        {"emails": [{"primary": True, "value": "a@example.no"}]}
    ]


def test_an_entry_is_taken_away_or_emptied_as_the_profile_says():
    emptied = {"emails": [WORK, {**HOME, "value": None}]}
    assert written({"emails": [WORK, HOME]}, EMAILS, {"Email": None})[1].sent == [emptied]
    omitted = {**EMAILS, "Email": {"path": "emails[?primary].value", "nulls": "omit"}}
    assert written({"emails": [WORK, HOME]}, omitted, {"Email": None})[1].sent == [{"emails": [WORK]}]
    assert written({"emails": [HOME]}, omitted, {"Email": None})[1].sent == [{"emails": []}]


def test_an_entry_that_was_lost_by_writing_another_is_told():
    class Forgetful(People):
        def respond(self, asked):
            said = super().respond(asked)
            if asked.method == "PATCH":
                self.row["emails"] = self.row["emails"][-1:]
            return said

    people = Forgetful(emails=[WORK, HOME])
    with serving(people.respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of({"Email": EMAILS["Email"]})))
        with pytest.raises(Refused, match="changed more than it was asked to: emails"):
            client.update("contact", "1", {"Email": "ny@example.no"}, None)


def test_own_fields_by_their_numbers():
    path = {"Number": "custom[?fieldId=7].value"}
    record, people = written({"custom": [{"fieldId": 3, "value": "x"}]}, path, {"Number": "910000004"})
    assert people.sent == [{"custom": [{"fieldId": 3, "value": "x"}, {"fieldId": 7, "value": "910000004"}]}]
    assert record["Number"] == "910000004"


def test_a_link_is_the_first_of_a_list():
    path = {"CustomerId": {"path": "Company[0]", "nulls": "omit"}}
    assert written({"Company": ["rec1"]}, path, {"CustomerId": "rec2"})[1].sent == [{"Company": ["rec2"]}]
    assert written({"Company": []}, path, {"CustomerId": "rec2"})[1].sent == [{"Company": ["rec2"]}]
    assert written({"Company": ["rec1", "rec9"]}, path, {"CustomerId": None})[1].sent == [{"Company": ["rec9"]}]
    assert made(path, {"CustomerId": None}).sent == [{}]


def test_a_list_in_an_object_that_the_crm_merges_is_sent_without_the_rest_of_it():
    """What else stands there may be worked out by the CRM, which refuses it."""
    sent = []

    def respond(asked):
        if asked.method == "PATCH":
            sent.append(asked.json)
            row["fields"] |= asked.json["fields"]
        return Said(row)

    row = {"id": 1, "fields": {"Company": ["rec1", "rec9"], "Count": 2}}
    stream = {"write": {"update": {"merges": True}}}
    profile = load(profile_of({"CustomerId": {"path": "fields.Company[0]", "nulls": "omit"}}, stream))
    with serving(respond) as server:
        CustomcrmClient(server.url, KEY, profile=profile).update("contact", "1", {"CustomerId": "rec2"}, None)
    assert sent == [{"fields": {"Company": ["rec2", "rec9"]}}]


def test_nothing_is_written_where_something_else_stands_in_the_place_of_a_list():
    record = {"emails": "kari@example.no"}
    assert not put(record, places("emails[?primary].value"), "x")
    assert record == {"emails": "kari@example.no"}
    with pytest.raises(Refused, match=r"emails\.value cannot be written"):
        written({"emails": "kari@example.no"}, EMAILS, {"Email": "x@example.no"})


ADDRESS = {"Street": "addresses[?primary].street", "Zip": "addresses[?primary].zip"}


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"Street": None}, [{"primary": True, "zip": "0123", "label": "home"}]),
        ({"Street": None, "Zip": "9876"}, [{"primary": True, "zip": "9876", "label": "home"}]),
        ({"Zip": "9876", "Street": None}, [{"primary": True, "zip": "9876", "label": "home"}]),
        ({"Zip": None, "Street": None}, []),
    ],
)
def test_an_entry_stays_while_another_property_says_something_in_it(values, left):
    entry = {"primary": True, "street": "Storgata 1", "zip": "0123", "label": "home"}
    other = {"primary": False, "street": "Lillegata 2"}
    _, people = written({"addresses": [entry, other]}, ADDRESS, values, {"write": {"nulls": "omit"}})
    assert people.row["addresses"] == [*left, other]


# -- names and templates


def test_a_value_is_written_elsewhere_and_by_a_template():
    path = {
        "CustomerId": {
            "path": "_parentcustomerid_value",
            "write": "['parentcustomerid_account@odata.bind']",
            "write_as": "/accounts({value})",
        }
    }
    people = People(_parentcustomerid_value="A")
    with serving(people.respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(path)))
        client.update("contact", "1", {"CustomerId": "B"}, None)
        client.update("contact", "1", {"CustomerId": None}, None)
    assert people.sent == [
        {"parentcustomerid_account@odata.bind": "/accounts(B)"},
        {"parentcustomerid_account@odata.bind": None},
    ]


def test_names_with_dots_and_colons_are_written_in_brackets():
    path = {"Number": "CustomFields['SuperOffice:1']"}
    record, people = written({"CustomFields": {"a": 1}}, path, {"Number": "7"})
    assert people.sent == [{"CustomFields": {"a": 1, "SuperOffice:1": "7"}}]
    assert record["Number"] == "7"


def test_a_reference_is_cleared_at_its_parent():
    path = {"CustomerId": {"path": "client.id", "nulls": "parent", "type": "string", "crm_type": "integer"}}
    assert written({"client": {"id": 5, "name": "Alfa"}}, path, {"CustomerId": None})[1].sent == [{"client": None}]
    assert written({"client": None}, path, {"CustomerId": "7"})[1].sent == [{"client": {"id": 7}}]
    assert made(path, {"CustomerId": None}).sent == [{}]


# -- no value, and ids


def test_what_the_crm_says_for_no_value_is_none_but_for_flags_and_numbers():
    said = {"no_value": [False, ""]}
    properties = {
        "Name": "name",
        "Mail": "mail",
        "Price": {"path": "price", "type": "number"},
        "Active": {"path": "active", "type": "boolean"},
        "CustomerId": {"path": "parent_id[0]", "write": "parent_id", "crm_type": "integer"},
    }
    row = {"name": False, "mail": "", "price": 0, "active": False, "parent_id": False}
    with serving(People(**row).respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(properties, said)))
        record = client.get("contact", "1").record
        assert record == {"Id": "1", "Name": None, "Mail": None, "Price": 0, "Active": False, "CustomerId": None}
    record, people = written({**row, "parent_id": [5, "Alfa"]}, properties, {"Name": "Kari"}, said)
    assert record["CustomerId"] == "5"
    assert people.sent == [{"name": "Kari"}]


def test_an_id_is_a_number_in_a_body_and_stands_in_the_record_or_beside_it():
    people = People(name="Kari")
    flat = {"update": {"path": "/people", "with_id": True}}
    beside = {"update": {"path": "/people", "body": {"ids": ["{id}"], "vals": "{record}"}}}
    each = {"key": "{id}", "at": "{record}"}
    batch = {"update": {"batch": {"size": 2, "body": {"records": "{records}"}, "each": each}}}
    with serving(people.respond) as server:
        for write in (flat, beside):
            profile = load(profile_of({"Name": "name"}, {"id_type": "integer", "write": write}))
            CustomcrmClient(server.url, KEY, profile=profile).update("contact", "1", {"Name": "Ola"}, None)
        assert people.sent == [{"id": 1, "name": "Ola"}, {"ids": [1], "vals": {"name": "Ola"}}]
        server.respond = lambda asked: (people.sent.append(asked.json), Said([{"id": 1}, {"id": 2}]))[1]
        profile = load(profile_of({"Name": "name"}, {"id_type": "integer", "write": batch}))
        client = CustomcrmClient(server.url, KEY, profile=profile)
        changes = [Change(str(one), {"Name": name}, raw={"id": one}) for one, name in ((1, "A"), (2, "B"))]
        client.update_many("contact", changes)
        assert people.sent[-1] == {"records": [{"key": 1, "at": {"name": "A"}}, {"key": 2, "at": {"name": "B"}}]}


# -- properties that are written by requests of their own


COMPANY = {
    "Name": "name",
    "CustomerId": {
        "path": "company",
        "write": "associations",
        "write_as": [{"to": {"id": "{value}"}}],
        "relation": {
            "set": {"path": "/people/{id}/companies/{value}"},
            "clear": {"method": "DELETE", "path": "/people/{id}/companies/{before}"},
        },
    },
}


def test_a_relation_is_set_first_and_the_one_before_cleared_then():
    record, people = written({"name": "Kari", "company": "A"}, COMPANY, {"CustomerId": "B"})
    assert people.calls == [("PUT", "/people/1/companies/B", None), ("DELETE", "/people/1/companies/A", None)]
    assert people.sent == []
    assert record["Id"] == "1"
    _, people = written({"name": "Kari", "company": "A"}, COMPANY, {"CustomerId": None, "Name": "Ola"})
    assert people.calls == [("DELETE", "/people/1/companies/A", None)]
    assert people.sent == [{"name": "Ola"}]


def test_a_relation_that_is_replaced_is_cleared_for_no_value_alone():
    """Where a record has one place for it, taking the old one away would take the new one."""
    relation = {**COMPANY["CustomerId"]["relation"], "replaces": True}
    replaced = {**COMPANY, "CustomerId": {**COMPANY["CustomerId"], "relation": relation}}
    row = {"name": "Kari", "company": "A"}
    assert written(row, replaced, {"CustomerId": "B"})[1].calls == [("PUT", "/people/1/companies/B", None)]
    assert written(row, replaced, {"CustomerId": None})[1].calls == [("DELETE", "/people/1/companies/A", None)]


def test_a_relation_is_part_of_a_new_record_or_is_set_just_after():
    people = made(COMPANY, {"Name": "Kari", "CustomerId": "B"})
    assert (people.sent, people.calls) == ([{"name": "Kari", "associations": [{"to": {"id": "B"}}]}], [])
    relation = {**COMPANY["CustomerId"]["relation"], "after_create": True}
    after = {**COMPANY, "CustomerId": {"path": "company", "relation": relation}}
    people = made(after, {"Name": "Kari", "CustomerId": "B"})
    assert (people.sent, people.calls) == ([{"name": "Kari"}], [("PUT", "/people/1/companies/B", None)])
    assert made(after, {"Name": "Kari", "CustomerId": None}).calls == []


def test_a_relation_may_stand_beside_the_new_record():
    beside = {"write": {"create": {"body": {"person": "{record}", "links": "{CustomerId}"}, "record": "person"}}}
    people = People()
    people.respond = lambda asked: (people.sent.append(asked.json), Said({"person": {"id": 1}}, 201))[1]
    with serving(people.respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(COMPANY, beside)))
        client.create("contact", {"Name": "Kari", "CustomerId": "B"})
        client.create("contact", {"Name": "Ola", "CustomerId": None})
    assert people.sent == [
        {"person": {"name": "Kari"}, "links": [{"to": {"id": "B"}}]},
        {"person": {"name": "Ola"}},
    ]


@pytest.mark.parametrize(("status", "deletes", "kept"), [(422, 204, False), (500, 204, False), (500, 500, True)])
def test_a_new_record_whose_relation_is_not_written_is_taken_back(status, deletes, kept):
    relation = {**COMPANY["CustomerId"]["relation"], "after_create": True}
    stream = {"Name": "name", "CustomerId": {"path": "company", "relation": relation}}
    deleted = []

    def respond(asked):
        if asked.method == "POST":
            return Said({"id": 1, "name": "Kari"}, 201)
        if asked.method == "DELETE":
            deleted.append(asked.path)
            return Said(None, deletes)
        return Said({"message": "no such company"}, status)

    with serving(respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(stream)), max_elapsed=0.1)
        with pytest.raises(ApiError) as caught:
            client.create("contact", {"Name": "Kari", "CustomerId": "B"})
        assert isinstance(caught.value, OutcomeUnknown) == kept
        assert deleted == ["/people/1"]


@pytest.mark.parametrize(
    ("person", "sets", "clears", "kind"),
    [(200, 404, 204, Refused), (404, 404, 204, NotFound), (200, 204, 404, Conflict)],
)
def test_a_company_that_is_gone_is_not_taken_for_the_person(person, sets, clears, kind):
    """A record that is gone is looked for no further; so it must be the record itself."""
    reads = []

    def respond(asked):
        if asked.method == "GET":
            reads.append(asked.path)
            gone = len(reads) > 1 and person != 200
            return Said({"message": "no such person"}, 404) if gone else Said({"id": 1, "name": "Kari", "company": "A"})
        return Said({"message": "no such company"}, sets if asked.method == "PUT" else clears)

    with serving(respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of(COMPANY)))
        with pytest.raises(kind) as caught:
            client.update("contact", "1", {"CustomerId": "B"}, None)
    assert type(caught.value) is kind


# -- versions


@pytest.mark.parametrize(
    ("locking", "header", "lock"),
    [
        ({"kind": "etag", "path": "['@odata.etag']"}, ("If-Match", 'W/"7"'), 'W/"7"'),
        ({"kind": "version", "path": "versionNumber", "header": "X-Version-Number"}, ("X-Version-Number", "7"), 7),
        (
            {"kind": "version", "path": "UpdatedDate", "header": "If-Unmodified-Since", "format": "http_date"},
            ("If-Unmodified-Since", "Sun, 01 Mar 2026 12:00:00 GMT"),
            "2026-03-01T12:00:00Z",
        ),
    ],
)
def test_a_version_is_told_in_lists_too_and_sent_where_the_crm_wants_it(locking, header, lock):
    row = {"id": 1, "name": "Kari", "@odata.etag": 'W/"7"', "versionNumber": 7, "UpdatedDate": "2026-03-01T12:00:00Z"}
    seen = []

    def respond(asked):
        if asked.method == "GET":
            return Said([row])
        seen.append((asked.headers.get(header[0]), asked.json if asked.body else None))
        return Said({"message": "moved"}, 412 if seen[1:] else 200) if seen[1:] else Said(row)

    stream = {"get_many": {"params": {"ids": "{ids}"}}, "get": None, "write": {"locking": locking}}
    with serving(respond) as server:
        client = CustomcrmClient(server.url, KEY, profile=load(profile_of({"Name": "name"}, stream)))
        found = client.get_many("contact", ["1"], to_write=True)["1"]
        assert found.lock == lock
        client.update("contact", "1", {"Name": "Ola"}, found.lock, raw=found.raw)
        assert seen[0][1] == {"name": "Ola"}
        assert header[1] in (seen[0][0], seen[0][0] and f"W/{seen[0][0]}")
        with pytest.raises(Conflict):
            client.update("contact", "1", {"Name": "Per"}, found.lock, raw=found.raw)
        with pytest.raises(Conflict):
            client.delete("contact", "1", found.lock)


# -- names that differ by installation


def test_a_property_whose_name_an_installation_does_not_have_is_left_out():
    stream = {"search": {"params": {"q": "{value}"}, "properties": ["Number", "Name"]}}
    said = {"Name": "name", "Number": "{org}", "Nested": "custom[?id={other}].value"}
    profile = load({**profile_of(said, stream), "variables": {"org": None, "other": 7}})
    assert profile.streams["contact"].properties["Number"] is False
    assert profile.streams["contact"].properties["Nested"] == "custom[?id=7].value"
    assert profile.streams["contact"].search.properties == ("Name",)
    profile = load({**profile_of(said, stream), "variables": {"org": None, "other": 7}}, variables={"org": "cf_3"})
    assert profile.streams["contact"].properties["Number"] == "cf_3"


WRONG = {
    "{Email: 'emails[?primary]'}": "no path that can be written to",
    "{Email: {path: mail, nulls: parent}}": "the property stands in no object",
    "{Email: {path: mail, write_as: '/x'}}": "{value} is missing",
    "{C: {path: c, relation: {set: {path: '/x/{value}'}}}}": "{id} and {value} are needed",
    "{C: {path: c, relation: {set: {path: '/x/{id}/{value}'}, clear: {path: '/x/{id}/{value}'}}}}": "not known here",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_place_that_cannot_be_written_is_told_before_anything_is_sent(text):
    with pytest.raises(Fault) as caught:
        load(f"streams:\n  contact:\n    path: /people\n    properties: {text}\n")
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize("path", ["a[?b].c", "a[0].c", "['x.y'][?k='v w'].z"])
def test_what_is_put_is_found_again(path):
    record = {}
    assert put(record, places(path), 7)
    assert first(path)(record) == 7
