"""A first load that is killed half-way goes on where it was, and does not begin again."""

import signal
from concurrent.futures import Future
from math import ceil

from sandbox.lines import TO_TRIPLETEX

from sandbox import Fault

CUSTOMERS = 1500
IN_A_LIST = 100
KILLED_AT = 11
"""The list write at which the target dies: one of its second batch of a thousand."""


def test_a_first_load_that_is_killed_goes_on_where_it_was(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    for number in range(CUSTOMERS):
        # Every other one has nothing that it could be searched by.
        key = {"OrganizationNumber": str(910_000_000 + number)} if number % 2 else {}
        crm.create("customer", Name=f"Kunde {number} AS", **key)
    lines.settings["target-tripletex"]["max_concurrent_requests"] = 2
    messages = lines.messages(TO_TRIPLETEX)
    target: Future = Future()
    posts = []

    def killed(seen):
        if not seen.is_write:
            return None
        posts.append(seen)
        if len(posts) != KILLED_AT:
            return None
        target.result().send(signal.SIGKILL)
        target.result().wait()
        return Fault.drop_answer()

    tripletex.after = killed
    with lines.start_target(TO_TRIPLETEX, messages) as line:
        target.set_result(line.processes["target-tripletex"])
        ran = line.finish()
    tripletex.after = None
    assert ran.codes == {"target-tripletex": -signal.SIGKILL}
    made = len(tripletex.all("customer"))
    assert KILLED_AT * IN_A_LIST <= made < CUSTOMERS

    systems.clear_requests()
    assert lines.load(TO_TRIPLETEX, messages).ok
    names = [one["name"] for one in tripletex.all("customer")]
    assert sorted(names) == sorted(f"Kunde {number} AS" for number in range(CUSTOMERS))
    writes = [seen for seen in tripletex.requests if seen.is_write]
    assert len(writes) == ceil((CUSTOMERS - made) / IN_A_LIST)
    # Token, whoAmI, countries, and listings: not a search for each record whose answer was lost.
    assert len(tripletex.requests) - len(writes) <= 25

    systems.clear_requests()
    assert lines.load(TO_TRIPLETEX, messages).ok
    assert tripletex.requests == []
