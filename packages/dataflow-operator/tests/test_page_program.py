"""``dataflow serve`` as a program: how it begins, how it ends, and what it refuses to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from dataflow_operator.testing.page import Visitor

pytest_plugins = ["dataflow_operator.testing.fixtures"]

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[3]
OURS = ("MELTANO_", "TAP_", "TARGET_", "DATAFLOW_", "LINKS_URL", "COLUMNS", "FORCE_COLOR", "PYTEST")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
TOKEN = "a-token-for-this-test-only"


@contextmanager
def program(url, *arguments, **settings):
    """The command as a process of its own, until the block ends."""
    process = subprocess.Popen(
        [BIN / "dataflow", "serve", *arguments],
        env={**ENVIRONMENT, "LINKS_URL": url, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address_told(process):
    """What it says first, as JSON."""
    told = ""
    while "}" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line
    return json.loads(told)["address"].rstrip("/")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_interrupted_and_ends_without_a_word(world, number):
    world.pair()
    with program(world.url, "--port", "0", "--json") as process:
        address = address_told(process)
        with requests.Session() as session:  # its connection stays open
            assert session.get(address, timeout=60).status_code == 200
            process.send_signal(number)
            out, error = process.communicate(timeout=60)
        assert (out, error) == ("", "")
        assert process.returncode in ((0,) if number == signal.SIGINT else (0, -signal.SIGTERM))


def test_a_person_is_told_where_it_is(world):
    with program(world.url, "--port", "0") as process:
        assert process.stdout.readline().startswith("The page is at http://127.0.0.1:")


def test_a_port_that_is_taken_is_one_line(world):
    with program(world.url, "--port", "0", "--json") as first:
        port = address_told(first).rpartition(":")[2]
        with program(world.url, "--port", port) as second:
            out, error = second.communicate(timeout=60)
    assert (second.returncode, out) == (1, "")
    assert error == f"dataflow: Port {port} is taken. Stop what listens there, or choose another: --port.\n"


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (("--host", "0.0.0.0"), {}, "it needs a token: set DATAFLOW_TOKEN"),  # noqa: S104
        (("--host", "::"), {"DATAFLOW_TOKEN": ""}, "it needs a token: set DATAFLOW_TOKEN"),
        (("--host", "0.0.0.0", "--token", "short"), {}, "too short to be safe: 16 characters at the least"),  # noqa: S104
        (("--host", "203.0.113.7"), {"DATAFLOW_TOKEN": TOKEN}, "Nothing can listen at 203.0.113.7"),
        (("--host", "no.such.host.example.com"), {"DATAFLOW_TOKEN": TOKEN}, "is no address of this machine"),
    ],
)
def test_what_would_not_be_safe_or_cannot_be_is_refused_in_one_line(world, arguments, settings, told):
    with program(world.url, "--port", "0", *arguments, **settings) as process:
        out, error = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert told in error
    assert error.count("\n") == 1
    assert TOKEN not in error


def test_beyond_this_machine_the_token_is_asked_for_and_never_told(world):
    world.pair()
    with program(world.url, "--host", "0.0.0.0", "--port", "0", "--json", DATAFLOW_TOKEN=TOKEN) as process:  # noqa: S104
        address = address_told(process).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        visitor = Visitor(address)
        assert visitor.get("/").headers["Location"] == "/enter"
        visitor.post("/enter", form=visitor.form_token("/enter"), token=TOKEN)
        assert visitor.get("/").status_code == 200
        visitor.close()
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert "put a proxy that speaks TLS before it" in error
    assert TOKEN not in out + error


def test_the_other_commands_start_without_what_serves_a_page():
    heavy = "{'starlette', 'uvicorn', 'jinja2', 'anyio'}"
    code = f"import sys, dataflow_operator.cli; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_meltano_serves_the_page_of_its_environment_until_it_is_interrupted(world, tmp_path):
    world.pair()
    project = tmp_path / "project"
    (project / "var").mkdir(parents=True)
    shutil.copy2(ROOT / "meltano.yml", project)
    shutil.copytree(ROOT / "transforms", project / "transforms")
    (project / ".venv").symlink_to(BIN.parent)
    (tmp_path / "links.db").rename(project / "var/links.db")
    process = subprocess.Popen(
        [BIN / "meltano", "--environment=production", "invoke", "dataflow:serve", "--port", "0"],
        cwd=project,
        env={**ENVIRONMENT, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # as a terminal's Ctrl-C, which reaches all of it
    )
    try:
        told = ""
        while "The page is at" not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        answer = requests.get(re.search(r"http://127\.0\.0\.1:\d+/", told)[0], timeout=60)
        assert answer.status_code == 200
        assert str(project / "var/links.db") in answer.text
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert "Traceback" not in told + out
        assert out.count("\n") <= 3, out  # Meltano says a word of its own, and ends with a code of its own
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
