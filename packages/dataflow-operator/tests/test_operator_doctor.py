"""The doctor tells every Tripletex of the sandbox apart, leaves nothing behind, and tells nobody's data."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from dataflow_operator.cli import main
from dataflow_operator.doctor import company, reading, refusing
from dataflow_operator.doctor.questions import READING, WRITING
from sandbox.tripletex.variants import DIMENSIONS, Variant, covering, singly

import sandbox

ROOT = Path(__file__).parents[3]
OURS = ("MELTANO_", "TAP_", "TARGET_", "DATAFLOW_", "CUSTOMCRM_", "TRIPLETEX_", "LINKS_URL")
FEW = 4
"""Records in a list where it may have no more."""
PLENTY = 1000
"""Requests in a second: nothing is waited for."""
SINGLY = [Variant(), *singly()]
PERSON = ("Ærlig Gründer AS", "911222333", "aerlig@example.no", "98765432")


@pytest.fixture(scope="module")
def served():
    with sandbox.running("empty") as systems:
        yield systems


@pytest.fixture
def tripletex(served, monkeypatch):
    """A company with some customers and contacts, none inactive, whose lists are soon too long.

    Its requests are not used up, which takes seconds, but where a test makes them few.
    """
    served.clear()
    tripletex = served.tripletex
    tripletex.lists.limit = FEW
    tripletex.allowance.limit = PLENTY
    monkeypatch.setattr(reading, "LONGEST_LIST", FEW)
    monkeypatch.setattr(refusing, "MOST", 0)
    name, number, email, phone = PERSON
    tripletex.create("customer", name=name, organizationNumber=number, email=email, phoneNumber=phone)
    for n in range(FEW - 1):
        tripletex.create("customer", name=f"Kunde {n} AS")
    for n in range(FEW + 2):
        tripletex.create("contact", firstName=f"Kari {n}", lastName="Nordmann", email=email)
    tripletex.clear_requests()
    return tripletex


@pytest.fixture
def run(tripletex, served, monkeypatch):
    """The command, with the settings of this company and its CRM."""
    monkeypatch.chdir(ROOT)
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)

    def run(*arguments, **environment):
        told = {
            "TARGET_TRIPLETEX_API_URL": tripletex.api_url,
            "TARGET_TRIPLETEX_CONSUMER_TOKEN": tripletex.consumer_token,
            "TARGET_TRIPLETEX_EMPLOYEE_TOKEN": tripletex.employee_token,
            "TARGET_CUSTOMCRM_API_URL": served.customcrm.api_url,
            "TARGET_CUSTOMCRM_API_KEY": served.customcrm.api_key,
        }
        ended = CliRunner(env={**told, **environment}).invoke(main, ["doctor", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended

    return run


@pytest.fixture
def examined(run):
    """What it found: by question the answer, and which of them mean that the sync would misbehave."""

    def examined(*arguments, **environment):
        ended = run(*arguments, "--json", **environment)
        findings = json.loads(ended.stdout)["findings"]
        wrong = {one["name"] for one in findings if one["verdict"] == "misbehaves"}
        assert ended.exit_code == (1 if wrong else 0)
        return {one["name"]: one["value"] for one in findings}, wrong

    return examined


@pytest.fixture
def few_requests(tripletex, monkeypatch):
    """Let no request in once they are asked for to be refused, until one was: who am I is asked once before."""
    asked = []

    def before(request):
        if request.path.endswith(">whoAmI"):
            asked.append(request)
            refused = any(one.status == 429 for one in tripletex.requests)
            tripletex.allowance.limit = PLENTY if refused or len(asked) == 1 else 0

    def few():
        monkeypatch.setattr(refusing, "MOST", 10)
        tripletex.before = before

    return few


def everything(tripletex):
    return {name: tripletex.all(name) for name in ("customer", "contact", "product")}


def writes(tripletex):
    return [one for one in tripletex.requests if one.is_write]


# -- which company it is


@pytest.mark.parametrize("variant", SINGLY, ids=lambda variant: " ".join(variant.said) or "default")
def test_a_trial_tells_every_variant_apart_and_leaves_nothing_behind(tripletex, few_requests, examined, variant):
    tripletex.variant = variant
    told = set(DIMENSIONS)
    if variant.said in ((), ("rate-headers=untold",)):
        few_requests()
    else:
        told.remove("rate-headers")
    before = everything(tripletex)
    found, _ = examined("--write")
    assert {name: found[name] for name in told} == {name: variant[name] for name in told}
    assert everything(tripletex) == before
    assert tripletex.session_tokens == []


@pytest.mark.parametrize("variant", covering(), ids=lambda variant: " ".join(variant.said))
def test_any_two_variants_at_once_are_told_apart_and_none_makes_the_sync_misbehave(tripletex, examined, variant):
    tripletex.variant = variant
    found, wrong = examined("--write")
    assert {**variant, "rate-headers": "not known"}.items() <= found.items()
    assert wrong == set()


def test_every_question_has_an_answer_after_a_trial(few_requests, examined):
    few_requests()
    found, _ = examined("--write")
    assert [name for name, value in found.items() if value == "not known"] == ["vat"]
    assert list(found) == [one.name for one in (*READING, *WRITING)]


@pytest.mark.parametrize("variant", singly(), ids=lambda variant: variant.said[0])
def test_reading_alone_writes_nothing_and_is_never_wrong(tripletex, examined, variant):
    tripletex.variant = variant
    found, _ = examined()
    assert writes(tripletex) == []
    assert {name: found[name] for name in DIMENSIONS if found.get(name, "not known") != "not known"}.items() <= (
        variant.items()
    )


def test_reading_alone_tells_what_lists_tell(tripletex, examined):
    tripletex.create("customer", name="Sovende AS", isInactive=True)
    tripletex.create("contact", firstName="Sovende", isInactive=True)
    told = {"id-filter": "all", "changed-since": "exclusive", "time-offsets": "on", "list-limit": "off"}
    tripletex.variant = Variant(*(f"{name}={value}" for name, value in told.items()))
    found, _ = examined()
    assert {**told, "inactive-contacts": "listed"}.items() <= found.items()


def test_an_api_token_is_told(tripletex, examined):
    tokens = {"TARGET_TRIPLETEX_CONSUMER_TOKEN": "", "TARGET_TRIPLETEX_EMPLOYEE_TOKEN": ""}
    assert examined(TARGET_TRIPLETEX_REFRESH_TOKEN=tripletex.refresh_token, **tokens)[0]["session"] == "api-token"


def test_an_empty_company_is_told_apart_by_a_trial_as_well(tripletex, examined):
    for resource in ("contact", "customer"):
        for one in tripletex.all(resource):
            tripletex.remove(resource, one["id"])
    tripletex.variant = Variant("changed-since=exclusive", "time-offsets=on", "id-filter=all", "null=refused")
    found, _ = examined("--write")
    assert {
        name: found[name] for name in set(DIMENSIONS) - {"list-limit", "rate-headers"}
    }.items() <= tripletex.variant.items()


# -- what the sync could not live with


def answering(tripletex, method, path, status, code=9000):
    """Refuse requests of this kind."""

    def refuse(request):
        if request.method == method and re.fullmatch(path, request.path):
            return sandbox.Fault.answer(status, {"status": status, "code": code, "message": "Nei"})
        return None

    tripletex.before = refuse


@pytest.mark.parametrize(
    ("method", "path", "status", "wrong"),
    [
        ("GET", "/v2/contact", 403, "access"),
        ("POST", "/v2/contact", 403, "contact"),
        ("POST", "/v2/customer", 422, "customer"),
        ("PUT", r"/v2/contact/\d+", 403, "contact-inactive"),
    ],
)
def test_what_the_employee_may_not_do_is_told(tripletex, examined, method, path, status, wrong):
    answering(tripletex, method, path, status)
    assert wrong in examined("--write")[1]


def test_suppliers_that_may_not_be_listed_are_told_and_nothing_goes_wrong(tripletex, examined):
    assert examined()[0]["suppliers"] == "listed"
    answering(tripletex, "GET", "/v2/supplier", 403)
    found, wrong = examined()
    assert (found["suppliers"], wrong) == ("denied", set())


def test_creating_by_the_companys_own_default_is_wrong_where_that_is_ehf(tripletex, examined):
    tripletex.variant = Variant("ehf-default=on")
    assert examined("--write")[1] == set()
    assert examined("--write", TARGET_TRIPLETEX_NEW_CUSTOMER_INVOICES="company")[1] == {"customer"}
    assert len(tripletex.all("customer")) == FEW


def test_a_wrong_time_zone_is_told(examined):
    assert "timezone" in examined("--write", TARGET_TRIPLETEX_TIMEZONE="Asia/Tokyo")[1]


def test_properties_that_the_company_hides_are_wrong_where_a_table_names_them(tripletex, examined, monkeypatch):
    show = type(tripletex.renderer()).show

    def hidden(*names):
        def shown(self, row, chosen):
            return {name: value for name, value in show(self, row, chosen).items() if name not in names}

        return shown

    monkeypatch.setattr(type(tripletex.renderer()), "show", hidden("category3", "isFactoring"))
    found, wrong = examined()
    assert (found["fields"], wrong) == ("hidden-unused", set())
    monkeypatch.setattr(type(tripletex.renderer()), "show", hidden("organizationNumber"))
    found, wrong = examined()
    assert (found["fields"], wrong) == ("hidden", {"fields"})


def test_texts_that_are_cut_are_told(tripletex, examined):
    tripletex.register.normalise = lambda _kind, _name, text: text[:50]
    found, wrong = examined("--write")
    assert found["lengths"] == "cut"
    assert "lengths" in wrong


# -- nothing is left behind


def test_nothing_is_written_elsewhere_than_in_the_test_environment_unless_it_is_meant(run, tripletex, monkeypatch):
    monkeypatch.setattr(company, "_is_here", lambda _host: False)
    ended = run("--write")
    assert (ended.exit_code, "--i-mean-it" in ended.stderr) == (2, True)
    assert tripletex.requests == []
    assert run("--write", "--i-mean-it").exit_code == 0
    assert writes(tripletex)


WHEN = (
    "POST /v2/customer",
    "POST /v2/contact",
    r"PUT /v2/customer/\d+",
    r"GET /v2/contact/\d+",
    "DELETE /v2/contact/list",
)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_trial_is_removed(run, tripletex, when, number):
    before = everything(tripletex)
    sent = []

    def interrupt(request):
        if not sent and re.fullmatch(when, f"{request.method} {request.path}"):
            sent.append(request)
            os.kill(os.getpid(), number)

    tripletex.after = interrupt
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    ended = run("--write")
    assert sent
    assert (ended.exit_code, ended.stdout) == (130, "")
    assert everything(tripletex) == before
    assert tripletex.session_tokens == []
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_nothing_keeps_an_interrupted_trial_from_being_removed(run, tripletex):
    before = everything(tripletex)

    def interrupt(request):
        if request.is_write and request.path != "/v2/customer":
            os.kill(os.getpid(), signal.SIGINT)

    tripletex.after = interrupt
    assert run("--write").exit_code == 130
    assert everything(tripletex) == before
    assert [one.method for one in writes(tripletex)] == ["POST", "POST", "DELETE", "DELETE"]


@pytest.mark.parametrize("resource", ["customer", "contact"])
def test_a_record_whose_creation_was_not_answered_is_removed(run, tripletex, resource):
    before = everything(tripletex)

    def drop(request):
        lost = (request.method, request.path) == ("POST", f"/v2/{resource}")
        return sandbox.Fault.drop_answer() if lost else None

    tripletex.after = drop
    run("--write")
    assert everything(tripletex) == before


def test_what_a_killed_trial_left_is_removed_by_the_next_and_nothing_else_that_is_named_alike(tripletex, run):
    theirs = tripletex.create("customer", name="Kjell, our Dataflow doctor")
    before = everything(tripletex)
    left = tripletex.create("customer", name="Dataflow doctor 0badcafe kan slettes", isInactive=True)
    tripletex.create("contact", firstName="Dataflow doctor 0badcafe kan slettes", customer={"id": left["id"]})
    assert run("--write").exit_code == 0
    assert everything(tripletex) == before
    assert tripletex.get("customer", theirs["id"])


def test_what_cannot_be_deleted_is_set_inactive_and_told(tripletex, examined):
    answering(tripletex, "DELETE", r"/v2/customer/\d+", 422, 18000)
    found, _ = examined("--write")
    assert found["removal"] == "deactivated"
    (left,) = [one for one in tripletex.all("customer") if one["name"].startswith("Dataflow doctor")]
    assert left["isInactive"]


def test_what_cannot_be_removed_at_all_is_told(tripletex, run):
    before = len(tripletex.all("customer"))

    def refuse(request):
        gone = request.method == "DELETE" and request.path.startswith("/v2/customer/")
        is_last = request.method == "PUT" and b"isInactive" in request.raw_body
        if gone or is_last:
            return sandbox.Fault.answer(422, {"status": 422, "code": 18000, "message": "Nei"})
        return None

    tripletex.before = refuse
    ended = run("--write")
    assert (ended.exit_code, "Dataflow doctor" in ended.stderr) == (1, True)
    assert len(tripletex.all("customer")) == before + 1


# -- the CRM


def test_whether_the_crm_is_as_its_profile_says_is_told_too(served, run):
    for n in range(3):
        served.customcrm.create("contact", FirstName=f"Kari {n}", Email=PERSON[2])
    found = json.loads(run("--json").stdout)["crm"]
    assert {one["stream"]: one["problems"] for one in found} == {"contact": [], "customer": [], "product": []}
    assert "3 records on the first page" in run(COLUMNS="300").stdout


def test_a_profile_that_does_not_fit_is_told_without_what_the_crm_says(served, run):
    def refuse(request):
        if request.path.startswith("/api/v1/contact"):
            return sandbox.Fault.answer(422, {"message": f"Ugyldig: {PERSON[2]}"})
        return None

    served.customcrm.before = refuse
    ended = run()
    assert (ended.exit_code, "misbehaves" in ended.stdout) == (1, True)
    assert "422" in ended.stdout
    assert PERSON[2] not in ended.output


def test_a_crm_that_cannot_be_asked_does_not_keep_tripletex_from_being_told_of(run):
    ended = run("--json", TARGET_CUSTOMCRM_API_KEY="another-key")
    told = json.loads(ended.stdout)
    assert (ended.exit_code, told["crm"], bool(told["findings"])) == (3, None, True)
    assert ended.stderr.startswith("dataflow: The CRM could not be asked: ")
    assert (ended.stderr.count("\n"), "another-key" in ended.stderr) == (1, False)


# -- what is told


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--write",), ("--write", "--json")], ids=" ".join)
def test_what_is_told_holds_no_secret_and_nobodys_data(tripletex, served, run, arguments):
    served.customcrm.create("contact", FirstName="Kari", Email=PERSON[2], Phone=PERSON[3])
    tripletex.variant = Variant("null=refused", "list-limit=on")
    ended = run(*arguments)
    ids = {str(one["id"]) for some in everything(tripletex).values() for one in some}
    secret = {*PERSON, "Kari", tripletex.consumer_token, tripletex.employee_token, str(tripletex.company_id), *ids}
    secret.add(served.customcrm.api_key)
    addresses = {system.api_url.partition("://")[2].partition("/")[0] for system in (tripletex, served.customcrm)}
    assert [one for one in (*secret, *addresses) if one in ended.output] == []
    made = {
        one["id"] for seen in writes(tripletex) for one in [(seen.response_body or {}).get("value", {})] if "id" in one
    }
    assert [one for one in made if str(one) in ended.output] == []


def test_the_table_tells_assumption_company_and_meaning(run, few_requests):
    few_requests()
    table = run("--write", COLUMNS="300").stdout
    assert "What this company does" in table
    assert "it is accepted" in table
    assert "The sync works, as far as is known; 1 could not be told." in table
    assert "misbehaves" not in table


def test_a_company_that_cannot_be_asked_is_no_finding(run):
    ended = run("--json", TARGET_TRIPLETEX_EMPLOYEE_TOKEN="another-employee-token")
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (3, "", 1)
    assert "another-employee-token" not in ended.stderr


def test_every_dimension_of_the_sandbox_is_a_question_with_its_answers():
    questions = {one.name: one for one in (*READING, *WRITING)}
    assert len(questions) == len(READING) + len(WRITING)
    for name, values in DIMENSIONS.items():
        assert questions[name].answers.keys() >= set(values), name
