"""What each run leaves behind of itself: a row in the link store, and one JSON line on the log."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime

from sandbox.lines import TO_TRIPLETEX

from sandbox import Fault

NO_EMAIL = "ring Kari"


def rows(lines):
    with closing(sqlite3.connect(lines.links)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("select * from run order by id")]


def account(ran, plugin):
    """The one line whose message is nothing but JSON."""
    messages = [line.split(" | ")[-1] for line in ran.logs[plugin].splitlines() if '{"sync_run":' in line]
    assert len(messages) == 1
    return json.loads(messages[0])


def shown(root):
    """The line as docs/operating.md shows it, each of whose keys is explained there."""
    page = (root / "docs/operating.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.*?)\n```", page)
    line = json.loads(block)
    table = page.partition(block)[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))) == set(line)
    return line


def busy_once(system):
    """Say once that it is too much, where the first record is written."""
    told = []

    def fault(seen):
        if seen.is_write and not told:
            told.append(seen)
            return Fault.answer(429, {"message": "too many"}, {"Retry-After": "1"})
        return None

    system.before = fault


def test_a_run_leaves_what_it_did_waited_for_and_could_not_do(lines, systems, pytestconfig):
    systems.customcrm.create("contact", FirstName="Ola", LastName="Nordmann", Email="ola@example.no")
    refused = systems.customcrm.create("contact", FirstName="Kari", LastName="Nordmann", Email=NO_EMAIL)
    busy_once(systems.tripletex)
    ran = lines.well(TO_TRIPLETEX)
    told, (row,) = account(ran, TO_TRIPLETEX.target), rows(lines)

    assert list(told) == list(shown(pytestconfig.rootpath))
    assert (told["sync_run"], told["sync_name"], told["to"]) == (row["id"], "default", "tripletex")
    assert (told["outcome"], told["error"]) == (row["outcome"], row["error"]) == ("done", None)
    assert (
        told["flows"]
        == json.loads(row["counts"])
        == {"contact": {"created": 1, "parked": 1}, "customer": {}, "product": {}}
    )
    asked_by_target = [seen for seen in systems.tripletex.requests if "target-tripletex" in seen.headers["user-agent"]]
    assert asked_by_target.pop().path == "/v2/token/session/***"  # its farewell, after the account was made
    assert told["requests"] == row["requests"] == len(asked_by_target)
    assert told["waits"] == row["waits"] == 1
    assert 1 <= told["waited_seconds"] == row["waited_ms"] / 1000
    assert datetime.fromisoformat(told["started_at"].replace("Z", "+00:00")) <= datetime.fromisoformat(
        told["ended_at"].replace("Z", "+00:00")
    )
    # The store has the system's own words; the log line has nobody's.
    assert told["first_errors"] == [{"flow": "contact", "id": refused["Id"], "outcome": "parked"}]
    (error,) = json.loads(row["first_errors"])
    assert "Ugyldig e-postadresse" in error["reason"]
    assert {name: error[name] for name in ("flow", "id", "outcome")} == told["first_errors"][0]
    for personal in ("Kari", "Nordmann", NO_EMAIL, "example.no"):
        assert personal not in json.dumps(told)


def test_a_run_that_fails_tells_its_kind_of_failure(lines, systems):
    systems.customcrm.create("customer", Name="Alfa AS")
    lines.settings[TO_TRIPLETEX.target]["employee_token"] = "wrong/but+secret"
    ran = lines.run(TO_TRIPLETEX)
    told, (row,) = account(ran, TO_TRIPLETEX.target), rows(lines)
    assert (told["outcome"], row["outcome"]) == ("failed", "failed")
    assert told["error"] == "AccessDenied"
    assert "no session 401" in row["error"]
    assert "wrong/but" not in json.dumps(told)
