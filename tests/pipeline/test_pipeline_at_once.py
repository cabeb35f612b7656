"""Runs that begin together, runs that died, stores and states that cannot be used: one says why, nothing is lost."""

import json
import resource
import shutil
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX, Lines, said, until

from sandbox import Fault

pytest_plugins = ["record_sync.testing.fixtures"]

DIRECTIONS = (TO_TRIPLETEX, TO_CUSTOMCRM)
directions = pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda one: one.name)


def fill(systems):
    """Records on both sides: one that is in both already, and some that are in one."""
    crm, tripletex = systems.customcrm, systems.tripletex
    crm.create("customer", Name="Begge AS", OrganizationNumber="910 000 004")
    tripletex.create("customer", name="Begge AS", organizationNumber="910000004")
    alfa = crm.create("customer", Name="Alfa AS", OrganizationNumber="910 000 012")
    beta = tripletex.create("customer", name="Beta AS", organizationNumber="910000020")
    crm.create("contact", FirstName="Kari", LastName="Alfa", Email="kari@example.no", CustomerId=alfa["Id"])
    tripletex.create("contact", firstName="Ola", lastName="Beta", email="ola@example.no", customer={"id": beta["id"]})


def work_on(systems):
    """What users of both systems do next: new records, and edits of one record in both."""
    crm, tripletex = systems.customcrm, systems.tripletex
    (here,) = (one for one in crm.all("customer") if one["Name"] == "Begge AS")
    (there,) = (one for one in tripletex.all("customer") if one["name"] == "Begge AS")
    crm.edit("customer", here["Id"], Email="post@example.no")
    tripletex.edit("customer", there["id"], phoneNumber="22 33 44 55")
    # No number to find them by: made twice, they would stay two.
    crm.create("customer", Name="Ny i CRM")
    tripletex.create("customer", name="Ny i regnskapet")


def writes(systems):
    return [f"{seen.method} {seen.path}" for system in systems.both for seen in system.requests if seen.is_write]


def digits(number):
    """A number in Norway, however it is written."""
    return "".join(one for one in number or "" if one.isdigit())[-8:]


def agree(systems, *, customers, contacts):
    """Both systems hold these, once each, and say the same of them."""
    crm, tripletex = systems.customcrm, systems.tripletex
    assert sorted(one["Name"] for one in crm.all("customer")) == customers
    assert sorted(one["name"] for one in tripletex.all("customer")) == customers
    assert sorted(one["Email"] for one in crm.all("contact")) == contacts
    assert sorted(one["email"] for one in tripletex.all("contact")) == contacts
    employers = {one["Id"]: one["Name"] for one in crm.all("customer")}
    told = said(systems)
    assert sorted(employers[one["CustomerId"]] for one in crm.all("contact")) == sorted(
        one["customer"] for one in told["tripletex contact"]
    )
    here = [(one["Name"], one["Email"] or "", digits(one["Phone"])) for one in crm.all("customer")]
    there = [(one["name"], one["email"] or "", digits(one["phoneNumber"])) for one in tripletex.all("customer")]
    assert sorted(here) == sorted(there)


BEFORE = {"customers": ["Alfa AS", "Begge AS", "Beta AS"], "contacts": ["kari@example.no", "ola@example.no"]}
AFTER = {**BEFORE, "customers": [*BEFORE["customers"], "Ny i CRM", "Ny i regnskapet"]}


def is_settled(lines, **records):
    """An ordinary cycle brings both systems to say the same, with every user's edit; the next writes nothing."""
    systems = lines.systems
    lines.cycle()
    agree(systems, **records)
    if records["customers"] == AFTER["customers"]:
        (both,) = (one for one in systems.customcrm.all("customer") if one["Name"] == "Begge AS")
        assert both["Email"] == "post@example.no"
        assert digits(both["Phone"]) == "22334455"
    systems.clear_requests()
    lines.cycle()
    assert writes(systems) == []


def one_line(ran, plugin, *words):
    """A plug-in ended with one line that has these words, and nobody with a traceback."""
    assert ran.codes[plugin] == 1, ran.log
    (line,) = ran.errors(plugin)
    for word in words:
        assert word in line
    assert "Traceback" not in ran.log


def beside(lines, name):
    """Lines of another starter of runs: the same systems and store, settings and states of its own."""
    folder = lines.folder / name
    folder.mkdir()
    other = Lines(lines.systems, folder, lines._starter, lines.project)
    for one in DIRECTIONS:
        other.settings[one.target]["links_url"] = lines.settings[one.target]["links_url"]
    return other


@pytest.fixture
def settled(lines):
    """Lines that have run, and users who have gone on working since."""
    fill(lines.systems)
    lines.cycle()
    agree(lines.systems, **BEFORE)
    work_on(lines.systems)
    lines.systems.clear_requests()
    return lines


# -- at once


@pytest.mark.parametrize("is_new", [True, False], ids=["an empty store", "a store in use"])
def test_of_both_directions_at_once_one_works_and_one_says_who_does(lines, is_new):
    systems, other = lines.systems, beside(lines, "other")
    fill(systems)
    if not is_new:
        lines.cycle()
        work_on(systems)
        for direction in DIRECTIONS:
            shutil.copy(lines.state_file(direction), other.state_file(direction))
    go_on = threading.Event()
    for system in systems.both:
        # Whoever writes first holds the store, and holds it until the other has come to it.
        system.before = lambda seen: Fault.delay(go_on) if seen.is_write else None
    with ExitStack() as stack:
        stack.callback(go_on.set)
        started = {
            direction: stack.enter_context(which.start(direction))
            for direction, which in ((TO_TRIPLETEX, lines), (TO_CUSTOMCRM, other))
        }
        targets = {direction: line.processes[direction.target] for direction, line in started.items()}
        until(lambda: any(target.has_ended for target in targets.values()))
        go_on.set()
        ran = {direction: line.finish() for direction, line in started.items()}
    (winner,) = (direction for direction in DIRECTIONS if ran[direction].ok)
    (loser,) = (direction for direction in DIRECTIONS if not ran[direction].ok)
    one_line(ran[loser], loser.target, "Another run works with this link store", f"process {targets[winner].pid} on ")
    assert [one for one in ran[loser].states if "as_of" in json.dumps(one)] == []
    lines.keep_state(winner, ran[winner])
    is_settled(lines, **BEFORE if is_new else AFTER)


def test_two_cycles_started_together_write_nothing_twice(settled):
    other = beside(settled, "other")
    for direction in DIRECTIONS:
        shutil.copy(settled.state_file(direction), other.state_file(direction))
    together = threading.Barrier(2)

    def cycle(lines):
        together.wait()
        return [(direction, lines.run(direction)) for direction in DIRECTIONS]

    with ThreadPoolExecutor(2) as pool:
        ran = [one for both in pool.map(cycle, (settled, other)) for one in both]
    assert any(one.ok for _, one in ran)
    for direction, one in ran:
        if not one.ok:
            one_line(one, direction.target, "Another run works with this link store")
    is_settled(settled, **AFTER)
    # Whoever else has kept a state of its own goes on from it.
    other.cycle()
    assert writes(settled.systems) == []


def test_a_cycle_that_read_before_another_wrote_and_loads_after_it_takes_nothing_back(settled):
    stale = {direction: settled.messages(direction) for direction in DIRECTIONS}
    other = beside(settled, "other")
    for direction in DIRECTIONS:
        shutil.copy(settled.state_file(direction), other.state_file(direction))
    other.cycle()
    agree(settled.systems, **AFTER)
    settled.systems.clear_requests()
    for direction in DIRECTIONS:
        assert settled.load(direction, stale[direction]).ok
    assert writes(settled.systems) == []
    other.cycle()
    is_settled(settled, **AFTER)


# -- a dead one's lock


def test_a_store_locked_by_a_killed_run_is_open_to_the_next(settled):
    killed_in_the_middle(settled, TO_CUSTOMCRM)
    assert list(settled.folder.glob("*.holder")) != []
    is_settled(settled, **AFTER)
    assert list(settled.folder.glob("*.holder")) == []


def test_a_store_on_postgresql_locked_by_a_killed_run_is_open_to_the_next(lines, postgresql_url):
    for one in DIRECTIONS:
        lines.settings[one.target]["links_url"] = postgresql_url
    fill(lines.systems)
    lines.cycle()
    work_on(lines.systems)
    killed_in_the_middle(lines, TO_TRIPLETEX)
    is_settled(lines, **AFTER)


def target_system(lines, direction):
    return lines.systems.tripletex if direction is TO_TRIPLETEX else lines.systems.customcrm


def killed_in_the_middle(lines, direction):
    """A run whose target is killed when its first write arrives, which is carried out all the same."""
    target = Future()

    def kill(seen):
        if seen.is_write:
            target.result().send(signal.SIGKILL)
            target.result().wait()

    system = target_system(lines, direction)
    system.before = kill
    with lines.start(direction) as line:
        target.set_result(line.processes[direction.target])
        until(lambda: writes(lines.systems))
        ran = line.finish()
    system.before = None
    assert ran.codes[direction.target] == -signal.SIGKILL
    assert "Traceback" not in ran.log


# -- a store that cannot be written, or read


@directions
def test_a_disk_that_is_full_in_the_middle_of_a_run(settled, direction):
    target = Future()

    def fill_up(seen):
        if seen.is_write:
            # The same to a program as a disk with no room: from here on no file of its grows.
            largest = settled.links.with_name("links.db-wal").stat().st_size
            resource.prlimit(target.result().pid, resource.RLIMIT_FSIZE, (largest, largest))

    system = target_system(settled, direction)
    system.before = fill_up
    state = settled.state_file(direction).read_bytes()
    with settled.start(direction) as line:
        target.set_result(line.processes[direction.target])
        ran = line.finish()
    system.before = None
    one_line(ran, direction.target, str(settled.links), "nothing was half written")
    # The system has carried the write out, and the store could not say so.
    assert len(writes(settled.systems)) > 0
    settled.keep_state(direction, ran)
    assert settled.state_file(direction).read_bytes() == state
    is_settled(settled, **AFTER)


def test_a_store_that_may_only_be_read(settled):
    for direction in DIRECTIONS:
        settings = settled.settings[direction.target]
        settled.settings[direction.target] = {
            **settings,
            "links_url": f"sqlite:///file:{settled.links}?mode=ro&uri=true",
        }
        unusable(settled, direction, "readonly", "Make the file and its folder writable")
        settled.settings[direction.target] = settings
    is_settled(settled, **AFTER)


def unusable(lines, direction, *words):
    """A run that cannot use its store writes nothing, and covers nothing that it read."""
    state = lines.state_file(direction).read_bytes()
    ran = lines.run(direction)
    one_line(ran, direction.target, str(lines.links), *words)
    assert writes(lines.systems) == []
    assert lines.state_file(direction).read_bytes() == state


def cut_off(content):
    return content[: len(content) // 2]


def overwritten(content):
    third = len(content) // 3
    return content[:third] + b"\xff" * (len(content) - third)


def without_beginning(content):
    return b"\0" * 512 + content[512:]


def test_a_damaged_store_is_told_and_left_as_it_is_and_its_backup_goes_on(settled):
    whole = settled.links.read_bytes()
    for damage, direction, words in (
        (cut_off, TO_TRIPLETEX, "malformed"),
        (overwritten, TO_CUSTOMCRM, "malformed"),
        (without_beginning, TO_TRIPLETEX, "not a database"),
    ):
        settled.links.write_bytes(damage(whole))
        unusable(settled, direction, words, "from a backup")
        assert settled.links.read_bytes() == damage(whole)
    settled.links.write_bytes(whole)
    is_settled(settled, **AFTER)


def test_a_backup_that_is_older_than_the_states_asks_for_a_full_refresh_and_doubles_nothing(settled):
    old = settled.links.read_bytes()
    settled.cycle()
    settled.systems.clear_requests()
    settled.links.write_bytes(old)
    for direction in DIRECTIONS:
        ran = settled.run(direction)
        one_line(ran, direction.target, "only what was read up to", "Run again with --full-refresh")
    assert writes(settled.systems) == []
    for direction in DIRECTIONS:
        settled.well(direction, full_refresh=True)
    is_settled(settled, **AFTER)


# -- a state that cannot be used


def test_a_corrupt_state_is_told_and_costs_nothing(settled):
    good = {direction: settled.state_file(direction).read_text(encoding="utf-8") for direction in DIRECTIONS}
    for number, word in enumerate(CORRUPT):
        direction = DIRECTIONS[number % 2]
        file = settled.state_file(direction)
        file.write_text(CORRUPT[word](good[direction]), encoding="utf-8")
        ran = settled.run(direction)
        one_line(ran, direction.tap, "--state", word)
        # Nobody took the rest of the line for a run that found nothing new.
        assert ran.states == []
        assert writes(settled.systems) == []
        assert file.read_text(encoding="utf-8") == CORRUPT[word](good[direction])
    for direction in DIRECTIONS:
        settled.state_file(direction).write_text(good[direction], encoding="utf-8")
    is_settled(settled, **AFTER)


def with_a_number_for_a_moment(good):
    state = json.loads(good)
    next(iter(state["bookmarks"].values()))["as_of"] = 17
    return json.dumps(state)


CORRUPT = {
    "not JSON": lambda good: good[: len(good) // 2],
    "not JSON (Expecting value": lambda _: "kaputt",
    "a JSON object is needed": lambda _: "[]",
    "not a Singer state": lambda _: '{"bookmarks": []}',
    "is damaged": with_a_number_for_a_moment,
}
"""States that cannot be used, by what is said of them."""
