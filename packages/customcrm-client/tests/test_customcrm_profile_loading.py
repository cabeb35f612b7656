"""Profiles: how they are put together, and what is wrong with one is told at its line before anything is sent."""

import json

import pytest
from customcrm_client.loading import Fault, load, reference, shipped
from customcrm_client.profile_auth import HeaderKey
from customcrm_client.profile_paging import CursorPaging, NextUrlPaging, PagePaging
from customcrm_client.schema import SCHEMAS, schemas, writable

STREAM = "streams:\n  contact:\n    path: /people\n    properties: {FirstName: first_name}\n"


def fault(text, root=None):
    with pytest.raises(Fault) as caught:
        load(text, root)
    return str(caught.value)


def test_the_reference_contract_is_a_profile_like_any_other():
    assert load("reference") == reference()
    assert list(reference().streams) == ["contact", "customer", "product"]
    assert list(SCHEMAS["product"]["properties"]) == [
        "Id", "CreatedAt", "UpdatedAt", "Deleted", "Name", "Number", "Description", "Price",
    ]  # fmt: skip
    assert writable(reference().streams["product"]) == {"Name", "Number", "Description", "Price"}


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_is_in_order(name):
    assert load(name).streams


def test_a_profile_comes_from_a_file_a_text_or_the_settings_themselves(tmp_path):
    (tmp_path / "mine.yml").write_text(STREAM)
    one = load("mine.yml", tmp_path)
    assert one.streams["contact"].path == "/people"
    assert load(STREAM) == one
    assert (
        load(json.dumps({"streams": {"contact": {"path": "/people", "properties": {"FirstName": "first_name"}}}}))
        == one
    )


def test_one_profile_is_laid_over_another_and_defaults_under_each_stream(tmp_path):
    (tmp_path / "base.yml").write_text(
        "auth: {kind: header, name: X-Key}\ndefaults:\n  id: uuid\n  read: {records: items, params: {a: 1}}\n" + STREAM
    )
    (tmp_path / "mine.yml").write_text(
        "extends: base.yml\ndefaults: {read: {params: {b: 2}}}\nstreams:\n  contact: {id: number}\n"
        "  deal: {path: /deals/, properties: {Title: }}\n"
    )
    profile = load("mine.yml", tmp_path)
    assert isinstance(profile.auth, HeaderKey)
    contact, deal = profile.streams["contact"], profile.streams["deal"]
    assert (contact.id, deal.id) == ("number", "uuid")
    assert contact.read.params == {"a": 1, "b": 2}
    assert deal.path == "/deals/"
    assert contact.read.records == ("items",)


def test_null_takes_a_stream_away_and_false_a_property():
    profile = load("extends: reference\nstreams:\n  product: null\n  contact: {properties: {MobilePhone: false}}\n")
    assert list(profile.streams) == ["contact", "customer"]
    assert "MobilePhone" not in schemas(profile)["contact"]["properties"]


def test_another_kind_of_paging_replaces_the_base_s_whole():
    profile = load("extends: reference\ndefaults: {read: {paging: {kind: cursor, cursor: next}}}\n")
    assert profile.streams["contact"].read.paging == CursorPaging(cursor="next")
    same = load("extends: reference\ndefaults: {read: {paging: {kind: next_url, size_at_most: 50}}}\n")
    assert same.streams["contact"].read.paging == NextUrlPaging(
        url="links.next", size_param="per_page", size_at_most=50
    )


def test_variables_of_the_settings_take_the_place_of_the_profile_s():
    text = "variables: {people: people}\nstreams: {contact: {path: '/{people}', properties: {Name: }}}\n"
    assert load(text, variables={"people": "persons"}).variables == {"people": "persons"}
    assert "profile_variables: {id} has a meaning of its own" in fault_with_variables(text, {"id": 1})


def fault_with_variables(text, variables):
    with pytest.raises(Fault) as caught:
        load(text, variables=variables)
    return str(caught.value)


def test_schemas_that_were_inferred_stand_in_a_file_beside_the_profile(tmp_path):
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "mine.yml").write_text("schemas: mine.schemas.json\nstreams: {deal: {path: /deals}}\n")
    assert "mine.yml:1: mine.schemas.json: there is no such file" in fault("crm/mine.yml", tmp_path)
    (folder / "mine.schemas.json").write_text('{"deal": {"properties": {"title": {"type": "string"}}}}')
    assert list(schemas(load("crm/mine.yml", tmp_path))["deal"]["properties"]) == ["Id", "title"]


WRITE = "    write: "
WRONG = {
    "auth: {kind: beaer}\n" + STREAM: "profile:1: kind cannot be 'beaer'. Choose one of none, bearer",
    "auth: {kind: header}\n" + STREAM: "profile:1: the key name of auth where kind is header is missing",
    "auth: {kind: header, name: 'X Key'}\n" + STREAM: "profile:1: 'X Key' is no name of a header",
    "headers: {'X: Y': 1}\n" + STREAM: "profile:1: X: Y must be a text, not 1",
    "extends: nothere\n" + STREAM: "profile:1: no profile nothere is shipped",
    "streams: {}\n": "profile:1: the profile has no streams",
    "streams: {contact: {path: /x}}\n": "profile:1: nothing says which properties contact has",
    STREAM + "    updated_at: 'a[?'\n": "profile:5: 'a[?' is no JSONPath",
    STREAM + "    id: data[*].id\n": "profile:5: 'data[*].id' is no path that can be written to",
    STREAM + "    times: rfc33\n": "profile:5: 'rfc33' is no format of times",
    STREAM + "    timezone: Oslo\n": "profile:5: 'Oslo' is not a time zone",
    STREAM + "    read: {path: '/x/{tenant}'}\n": "profile:5: {tenant} is not known here. There are: {page}",
    STREAM + "    read: {increments: {}}\n": "profile:5: changes are told apart by updated_at:, which is missing",
    STREAM + "    updated_at: u\n    read:\n      increments:\n        params: {a: 1}\n": "profile:8: {since} is",
    STREAM + "    read: {paging: {kind: page, end: {short_page: true}}}\n": "profile:5: which page is short",
    STREAM + "    read: {paging: {kind: offset, end: {pages: n}}}\n": "profile:5: a number of pages",
    STREAM + "    read: {paging: {kind: cursor, cursor: c, end: {statuses: [404]}}}\n": "profile:5: statuses end",
    STREAM + "    read: {paging: {kind: page, size_at_most: 0}}\n": "profile:5: size_at_most must be at least 1, not 0",
    STREAM + "    get_many: {params: {a: b}}\n": "profile:5: {ids} is missing",
    STREAM + "    get: {path: /one}\n": "profile:5: {id} is missing",
    STREAM + "    search: {params: {q: x}}\n": "profile:5: {value} is missing",
    STREAM + "    search: {params: {q: '{value}'}, properties: [Frst]}\n": "profile:5: there is no property Frst",
    STREAM + "    get: null\n" + WRITE + "{}\n": "profile:6: a record is read before it is written",
    STREAM + WRITE + "{create: {body: {data: 1}}}\n": "profile:5: {record} is missing",
    STREAM + WRITE + "{create: {record: null}}\n": "profile:5: with no record in the answer its id must be there",
    STREAM + WRITE + "{update: {path: /change}}\n": "profile:5: nothing says which record is changed",
    STREAM + WRITE + "{create: {ok: [done]}}\n": "profile:5: ok[0] must be a whole number, not 'done'",
    STREAM.replace("{FirstName", "{Id"): "profile:4: Id is made of id:",
    "variables: {tenant: null}\n" + STREAM + "    read: {path: '/x/{tenant}'}\n": "profile:6: {tenant} is null here",
    "variables: {t: null}\n" + STREAM + "    read: {params: {q: 'a {t}', r: '{t}'}}\n": "profile:6: {t} is null here",
    STREAM + "errors: {permanent: [400]}\n": "profile:5: 400 is none of 500 to 599",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_wrong_profile_is_refused_with_line_and_what_to_do(text):
    assert fault(text).startswith(WRONG[text])


def test_a_fault_is_told_in_the_file_it_stands_in(tmp_path):
    (tmp_path / "base.yml").write_text("auth: {kind: none}\n" + STREAM + "    times: never\n")
    (tmp_path / "mine.yml").write_text("extends: base.yml\n")
    assert fault("mine.yml", tmp_path).startswith("base.yml:6: 'never' is no format of times")


def test_a_profile_that_extends_itself_is_refused(tmp_path):
    (tmp_path / "a.yml").write_text("extends: b.yml\n")
    (tmp_path / "b.yml").write_text("extends: a.yml\n")
    assert "a.yml: the profile extends itself" in fault("a.yml", tmp_path)


def test_a_bare_name_that_is_not_shipped_is_told_with_those_that_are():
    assert fault("referense") == (
        "profile: no profile referense is shipped. Did you mean reference? A file of your own ends in .yml."
    )


def test_numbered_pages_are_numbered_from_one():
    profile = load(STREAM + "    read: {paging: {kind: page, size_param: 'pagination[pageSize]', size_at_most: 100}}\n")
    assert profile.streams["contact"].read.paging == PagePaging(size_param="pagination[pageSize]", size_at_most=100)
