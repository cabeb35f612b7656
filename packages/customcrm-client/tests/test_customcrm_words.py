"""What is told of a CRM's answers holds nobody's data."""

import pytest
from api_transport.errors import Refused, UnexpectedAnswer
from api_transport.testing import Said, serving
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load
from customcrm_client.probing import probe
from customcrm_client.testing import KEY
from customcrm_client.tracing import form_of

PERSONAL = ("Kari", "Nordmann", "kari@", "90000000")


def client_for(server, **stream):
    said = {"path": "/people", "properties": {"FirstName": "name"}, "read": {"records": "data"}, **stream}
    profile = {"streams": {"contact": {"write": {}, **said}}, "errors": {"message": "detail", "details": "errors"}}
    return CustomcrmClient(server.url, KEY, profile=load(profile), max_elapsed=2)


def holds_nothing_personal(text):
    return not [one for one in PERSONAL if one in text]


def test_a_refusal_that_repeats_what_was_sent_is_told_without_it():
    point = {"loc": ["body", "email"], "msg": "no valid address", "input": {"name": "Kari Nordmann"}, "ctx": "kari@x"}
    body = {"detail": [point], "errors": {"email": [{"message": "taken", "value": "kari@example.no"}]}}
    with serving(lambda _: Said(body, 422)) as server:
        with pytest.raises(Refused, match="no valid address; email: taken") as caught:
            client_for(server).create("contact", {"FirstName": "Kari"})
        assert holds_nothing_personal(f"{caught.value} {caught.value.details}")


def test_records_by_their_names_in_place_of_a_list_are_not_told():
    with serving(lambda _: Said({"Kari Nordmann": {}, "kari@example.no": {}, "meta": {}})) as server:
        with pytest.raises(UnexpectedAnswer, match="the answer has meta") as caught:
            list(client_for(server).pages("contact"))
        assert holds_nothing_personal(str(caught.value))


def test_a_filter_that_cannot_be_is_told_without_its_value():
    with serving(lambda _: Said({"data": []})) as server, pytest.raises(ValueError, match="FirstName") as caught:
        client_for(server).matching("contact", {"FirstName": "Kari"})
    assert holds_nothing_personal(str(caught.value))


def test_a_trial_tells_no_value_of_any_record():
    rows = [{"id": 1, "name": "Kari Nordmann", "phone": "90000000"}]
    with serving(lambda _: Said({"data": rows})) as server:
        found = probe(client_for(server, updated_at="name", read={"records": "data"}), "contact")
    assert any("updated_at holds no time" in one for one in found.problems)
    assert holds_nothing_personal(f"{found.line()} {found.problems}")


def test_the_form_of_an_answer_is_told_without_keys_that_are_somebodys_data():
    said = {"kari@example.no": 1, "Kari Nordmann": 2, "id": 3, "+47 90000000": 4}
    assert form_of(said) == "an object with id and 3 more"
    assert form_of({"kari@example.no": 1}) == "an object with keys that are no names: 1"
