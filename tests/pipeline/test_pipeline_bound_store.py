"""A store belongs to two systems. A run that reads or writes another one ends before anything is written."""

import json

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX

import sandbox

SETTINGS = ("api_url", "api_key", "consumer_token", "employee_token")
directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)


def fill(systems, name):
    """Records of which each system gives the same ids, whatever they are called."""
    systems.customcrm.create("customer", Name=f"{name} i CRM AS", OrganizationNumber="910 000 004")
    systems.tripletex.create("customer", name=f"{name} i regnskapet AS", organizationNumber="910000012")


def point(lines, plugin, system):
    """Let a plug-in work with another system than the line does."""
    settings = lines.settings[plugin]
    lines.settings[plugin] = {**settings, **{one: getattr(system, one) for one in SETTINGS if one in settings}}


def writes(systems):
    return [f"{seen.method} {seen.path}" for one in systems.both for seen in one.requests if seen.is_write]


def asked_who(tripletex):
    return sum(seen.path.endswith("whoAmI") for seen in tripletex.requests)


@pytest.fixture
def others():
    with sandbox.running("empty") as systems:
        fill(systems, "Andre")
        yield systems


@directions
@pytest.mark.parametrize("which", ["tap", "target", "both"])
def test_another_system_behind_the_same_store_is_refused_before_anything_is_written(
    lines, systems, others, direction, which
):
    fill(systems, "Våre")
    lines.cycle()
    side = "customcrm" if which == "both" else getattr(direction, which).partition("-")[2]
    other = getattr(others, side)
    for plugin in (f"tap-{side}", f"target-{side}") if which == "both" else (getattr(direction, which),):
        point(lines, plugin, other)
    systems.customcrm.edit("customer", systems.customcrm.all("customer")[0]["Id"], Name="Endret AS")
    systems.tripletex.edit("customer", systems.tripletex.all("customer")[0]["id"], name="Endret AS")
    systems.clear_requests()
    others.clear_requests()
    ran = lines.run(direction, full_refresh=True)
    assert ran.codes[direction.target] == 1
    (error,) = ran.errors(direction.target)
    assert "belongs to" in error
    assert "Use another links_url or sync_name" in error
    assert [*writes(systems), *writes(others)] == []


def test_a_company_is_asked_for_once_as_long_as_credentials_stay_the_same(lines, systems):
    fill(systems, "Våre")
    lines.cycle()
    systems.clear_requests()
    ran = lines.well(TO_CUSTOMCRM)
    assert asked_who(systems.tripletex) == 0
    assert ran.states[-1]["systems"]["tripletex"]["identity"].startswith("Tripletex company ")
    assert systems.tripletex.employee_token not in ran.output + ran.log


def test_a_tap_that_does_not_say_what_it_reads_is_believed_as_before(lines, systems):
    fill(systems, "Våre")
    messages = lines.messages(TO_TRIPLETEX).read_text(encoding="utf-8").splitlines()
    told = [json.loads(one) for one in messages]
    assert [one for one in told if one["type"] == "STATE" and "systems" in one["value"]]
    for one in told:
        if one["type"] == "STATE":
            one["value"].pop("systems", None)
    ran = lines.load(TO_TRIPLETEX, "".join(json.dumps(one) + "\n" for one in told).encode())
    assert ran.ok
    lines.cycle()


@pytest.mark.parametrize("systems_told", ["x", [], {"customcrm": "x"}, {"customcrm": {"identity": 7}}, {"other": {}}])
def test_a_state_that_says_it_in_another_way_is_no_failure(lines, systems, systems_told):
    fill(systems, "Våre")
    messages = lines.messages(TO_TRIPLETEX).read_text(encoding="utf-8").splitlines()
    told = [json.loads(one) for one in messages]
    for one in told:
        if one["type"] == "STATE":
            one["value"]["systems"] = systems_told
    assert lines.load(TO_TRIPLETEX, "".join(json.dumps(one) + "\n" for one in told).encode()).ok
    # The tap takes such a state over, too.
    lines.well(TO_TRIPLETEX)
