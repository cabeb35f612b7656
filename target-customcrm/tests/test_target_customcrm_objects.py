"""A change of one value takes nothing else along: objects in a record, lists in them, and what no property names."""

import copy
import io
import json

import pytest
from api_transport.testing import Said
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load
from customcrm_client.testing import KEY, WRITE, profile_for, small_crm
from record_sync.system import Refused, UpdateRequest, Written
from singer_edge.errors import RunFailed
from target_customcrm.system import CustomcrmSystem
from target_customcrm.target import TargetCustomcrm

ADDRESS = {"street": "Storgata 1", "zip": "0155", "city": "OSLO", "co": "c/o Berg", "lines": ["3. etasje", "dør 2"]}
PROPERTIES = {"FirstName": "name", "Street": "address.street", "Zip": "address.zip", "City": "address.city"}
PATHS = frozenset(PROPERTIES)
KINDS = sorted(set(WRITE) - {"permanent", "flag"})


def nested(writing="plain", **update):
    """A profile whose address is an object in the record."""
    profile = copy.deepcopy(profile_for(writing=writing))
    contact = profile["streams"]["contact"]
    contact["properties"] = PROPERTIES
    contact["write"]["update"] = {**contact["write"].get("update", {}), **update}
    return profile


def system_of(server, profile):
    return CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile), max_elapsed=2))


def update(system, values, record_id="1"):
    current = system.read("contact", [record_id], PATHS)[record_id]
    ((result,),) = system.update("contact", [UpdateRequest(current, values)], PATHS)
    return result


def load_lines(server, profile, *records):
    """Run the target as an ordinary Singer target."""
    schema = {"properties": {name: {"type": ["string", "null"]} for name in ("Id", *PROPERTIES)}}
    messages = [{"type": "SCHEMA", "stream": "contact", "key_properties": ["Id"], "schema": schema}]
    messages += [{"type": "RECORD", "stream": "contact", "record": record} for record in records]
    target = TargetCustomcrm(config={"api_url": server.url, "api_key": KEY, "profile": profile})
    target.listen(io.StringIO("".join(json.dumps(one) + "\n" for one in messages)))


@pytest.mark.parametrize("writing", KINDS)
def test_a_change_in_an_object_leaves_the_rest_of_it_as_it_was(writing):
    with small_crm(writing=writing) as (crm, server):
        for name in ("Kari", "Ola"):
            crm.add(name, address=copy.deepcopy(ADDRESS), notes="of no property")
        load_lines(server, nested(writing), {"Id": "1", "City": "BERGEN"}, {"Id": "2", "City": "MOSS", "Zip": "1530"})
        assert crm.rows["1"]["address"] == {**ADDRESS, "city": "BERGEN"}
        assert crm.rows["2"]["address"] == {**ADDRESS, "city": "MOSS", "zip": "1530"}
        assert [row["notes"] for row in crm.rows.values()] == ["of no property"] * 2


@pytest.mark.parametrize("writing", KINDS)
def test_an_object_that_is_not_there_yet_is_made(writing):
    with small_crm(writing=writing) as (crm, server):
        crm.add("Kari", address=None)
        load_lines(server, nested(writing), {"Id": "1", "City": "BERGEN"})
        assert crm.rows["1"]["address"] == {"city": "BERGEN"}


def test_of_an_object_that_the_crm_merges_only_the_change_is_sent():
    with small_crm() as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))

        def merge(asked):
            if asked.method == "PATCH":
                crm.rows["1"]["address"].update(asked.json["address"])
                return Said(crm.rows["1"], headers={"ETag": '"2"'})
            return None

        crm.before = merge
        assert isinstance(update(system_of(server, nested(merges=True)), {"City": "BERGEN"}), Written)
        assert server.asked[-1].json == {"address": {"city": "BERGEN"}}


@pytest.mark.parametrize("writing", KINDS)
def test_a_crm_that_loses_what_was_not_changed_is_noticed_at_the_first_record(writing):
    """The profile says that objects are merged, and they are not."""
    if writing == "whole":
        pytest.skip("whole records leave nothing to merge")
    with small_crm(writing=writing) as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))
        with pytest.raises(RunFailed, match="more than it was asked to: Street, Zip, address.co, address.lines") as no:
            load_lines(server, nested(writing, merges=True), {"Id": "1", "City": "BERGEN"})
        assert not any(value in str(no.value) for value in ("Storgata", "0155", "Berg", "dør", "OSLO"))


def test_in_a_batch_only_the_records_that_lost_something_are_refused():
    with small_crm(writing="batch") as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))
        crm.add("Ola", address={"city": "OSLO"})
        system = system_of(server, nested("batch", merges=True))
        read = system.read("contact", ["1", "2"], PATHS)
        requests = [UpdateRequest(read[one], {"City": "BERGEN"}) for one in ("1", "2")]
        (results,) = system.update("contact", requests, PATHS)
        assert [type(one) for one in results] == [Refused, Written]
        assert "Street" in results[0].reason


def test_a_crm_that_replaces_the_whole_record_is_noticed():
    """Its PATCH is a PUT, and the profile does not say so."""
    with small_crm() as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))

        def replace(asked):
            if asked.method == "PATCH":
                crm.rows["1"] = {name: crm.rows["1"][name] for name in ("id", "changed", "version")} | asked.json
                return Said(crm.rows["1"])
            return None

        crm.before = replace
        result = update(system_of(server, nested()), {"FirstName": "Kari Anne"})
        assert isinstance(result, Refused)
        assert "Street, Zip, City" in result.reason


def test_what_the_crm_tidies_is_no_loss():
    with small_crm() as (crm, server):
        crm.add("Kari", address={**ADDRESS, "street": " Storgata  1 "})

        def tidy(asked):
            if asked.method == "PATCH":
                crm.before = lambda _: None
                said = crm.respond(asked)
                crm.rows["1"]["address"]["street"] = "STORGATA 1"
                return Said(crm.rows["1"], said.status, said.headers)
            return None

        crm.before = tidy
        assert isinstance(update(system_of(server, nested()), {"City": "BERGEN"}), Written)


def test_an_answer_that_tells_only_what_was_changed_is_no_loss():
    with small_crm() as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))

        def brief(asked):
            if asked.method == "PATCH":
                crm.before = lambda _: None
                return Said({"id": 1, "address": {"city": crm.respond(asked).body["address"]["city"]}})
            return None

        crm.before = brief
        result = update(system_of(server, nested()), {"City": "BERGEN"})
        assert isinstance(result, Written)
        assert result.current.values == {
            "FirstName": "Kari", "Street": "Storgata 1", "Zip": "0155", "City": "BERGEN",
        }  # fmt: skip
        assert result.current.handle.lock == '"2"'


def test_a_path_through_a_list_is_refused_and_the_list_stays():
    profile = nested()
    profile["streams"]["contact"]["properties"] = {"FirstName": "name", "City": "addresses.city"}
    with small_crm() as (crm, server):
        crm.add("Kari", addresses=[copy.deepcopy(ADDRESS)])
        result = update(system_of(server, profile), {"City": "BERGEN"})
        assert isinstance(result, Refused)
        assert "addresses.city cannot be written" in result.reason
        assert crm.rows["1"]["addresses"] == [ADDRESS]


@pytest.mark.parametrize("writing", ["plain", "whole"])
def test_what_is_the_crms_own_in_an_object_is_not_sent_and_the_rest_is_kept(writing):
    profile = nested(writing)
    profile["streams"]["contact"]["properties"] = {
        "City": "address.city",
        "Label": {"path": "address.label", "read_only": True},
        "Country": {"path": "address.country.code", "write": "address.country_code"},
        "Company": {"path": "company.id", "write": "company"},
    }
    address = {**ADDRESS, "label": "worked out", "country": {"code": "NO", "name": "Norge"}}
    with small_crm(writing=writing) as (crm, server):
        crm.add("Kari", address=address, company={"id": "c7", "name": "Firma AS"})
        system = system_of(server, profile)
        current = system.read("contact", ["1"], frozenset({"City"}))["1"]
        next(iter(system.update("contact", [UpdateRequest(current, {"City": "BERGEN"})], frozenset({"City"}))))
        (sent,) = [asked.json.get("data", asked.json) for asked in server.asked if asked.method in ("PATCH", "PUT")]
        assert sent["address"] == {**ADDRESS, "city": "BERGEN", "country_code": "NO"}
        assert sent.get("company") == ("c7" if writing == "whole" else None)


def test_a_version_that_stands_in_an_object_takes_the_object_along():
    profile = nested("version")
    profile["streams"]["contact"]["write"]["locking"]["path"] = "meta.version"
    with small_crm(writing="version") as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS), meta={"version": 4, "owner": "Siv"})
        update(system_of(server, profile), {"FirstName": "Kari Anne"})
        assert crm.rows["1"]["meta"] == {"version": 4, "owner": "Siv"}


@pytest.mark.parametrize("nulls", ["send", "empty", "omit"])
def test_a_value_in_an_object_is_cleared_in_each_way_of_writing_none(nulls):
    profile = nested()
    profile["streams"]["contact"]["write"]["nulls"] = nulls
    with small_crm() as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS))
        assert isinstance(update(system_of(server, profile), {"Zip": None}), Written)
        assert not crm.rows["1"]["address"].pop("zip", None)
        assert crm.rows["1"]["address"] == {name: value for name, value in ADDRESS.items() if name != "zip"}


@pytest.mark.parametrize("nulls", ["send", "empty", "omit"])
def test_a_whole_record_is_sent_without_the_value_that_was_cleared(nulls):
    profile = nested("whole")
    profile["streams"]["contact"]["write"]["nulls"] = nulls
    with small_crm(writing="whole") as (crm, server):
        crm.add("Kari", address=copy.deepcopy(ADDRESS), notes="of no property")
        assert isinstance(update(system_of(server, profile), {"FirstName": None, "Zip": None}), Written)
        assert not crm.rows["1"].get("name")
        assert not crm.rows["1"]["address"].get("zip")
        assert crm.rows["1"]["notes"] == "of no property"


def test_a_value_that_no_request_can_clear_is_refused():
    """With `nulls: omit` and a PATCH, what is left out stays as it is."""
    profile = nested()
    profile["streams"]["contact"]["write"]["nulls"] = "omit"
    with small_crm() as (crm, server):
        crm.add("Kari")
        result = update(system_of(server, profile), {"FirstName": None})
        assert isinstance(result, Refused)
        assert "name cannot be cleared" in result.reason
        assert all(asked.method == "GET" for asked in server.asked)
