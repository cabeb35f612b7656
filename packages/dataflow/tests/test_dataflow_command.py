"""The command `dataflow-mapper`: what goes in and out of the process, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = str(Path(sys.executable).with_name("dataflow-mapper"))
TABLES = ["transforms/contact.yml", "transforms/customer.yml", "transforms/product.yml"]
SCHEMA = {
    "type": "SCHEMA",
    "stream": "product",
    "key_properties": ["Id"],
    "schema": {
        "type": "object",
        "properties": {
            "Id": {"type": "string"},
            "UpdatedAt": {"type": ["string", "null"]},
            "Deleted": {"type": ["boolean", "null"]},
            "Name": {"type": ["string", "null"]},
            "Number": {"type": ["string", "null"]},
        },
    },
}
SECRET_NAME = "Kari Nordmann"


def record(number):
    return {
        "type": "RECORD",
        "stream": "product",
        "record": {"Id": f"v-{number}", "UpdatedAt": None, "Name": SECRET_NAME, "Number": str(number)},
    }


def lines(*messages):
    return b"".join(json.dumps(one).encode() + b"\n" for one in messages)


@pytest.fixture
def configured(tmp_path):
    """What the command is started with."""

    def arguments(config=None):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"direction": "customcrm-to-tripletex", "tables": TABLES} | (config or {})))
        return "--config", str(path)

    return arguments


@pytest.fixture
def run(configured, starter):
    """Runs the command to its end: its code, and what it says."""

    def ran(given=b"", config=None, arguments=(), **environment):
        settings = {**os.environ, "LOGLEVEL": "WARNING", **environment}
        given_to = arguments or configured(config)
        done = starter.run("dataflow-mapper", *given_to, environment=settings, folder=ROOT, given=given)
        return done.returncode, done.stdout.encode(), done.stderr

    return ran


@pytest.fixture
def start(configured):
    """Starts the command; what is still running at the end is ended."""
    running = []

    def started(**environment):
        process = subprocess.Popen(
            [COMMAND, *configured()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "LOGLEVEL": "WARNING", **environment},
        )
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.communicate()


def ended(process, given=b""):
    out, err = process.communicate(given, timeout=60)
    return process.returncode, out, err.decode()


def test_messages_go_in_and_out(run):
    state = b'{"type":"STATE","value":{"bookmarks":{"product":{"x":1.10,"y":[null]}}}}\n'
    version = {"type": "ACTIVATE_VERSION", "stream": "product", "version": 17}
    code, out, err = run(lines(SCHEMA) + state + lines(record(1)) + b"\n" + lines(version) + state)
    assert (code, err) == (0, "")
    messages = [json.loads(line) for line in out.splitlines()]
    assert [one["type"] for one in messages] == ["SCHEMA", "STATE", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert messages[2]["record"] == {
        "firstName": SECRET_NAME,
        "lastName": "1",
        "_source": {
            "id": "v-1",
            "version": None,
            "modified_at": None,
            "deleted": False,
            "values": {"Name": SECRET_NAME, "Number": "1"},
        },
    }
    assert out.splitlines()[1] + b"\n" == state


def test_numbers_keep_every_digit(run, tmp_path):
    table = """\
flow: product
customcrm: product
tripletex: product
match_on: [[name]]
properties:
  - {customcrm: Name, tripletex: name}
  - {customcrm: Price, tripletex: priceExcludingVatCurrency}
"""
    (tmp_path / "product.yml").write_text(table)
    schema = json.loads(json.dumps(SCHEMA))
    schema["schema"]["properties"]["Price"] = {"type": ["number", "null"]}
    raw = b'{"type":"RECORD","stream":"product","record":{"Id":"v-1","Price":1234567890123456.7890}}\n'
    code, out, _ = run(lines(schema) + raw, {"tables": [str(tmp_path / "product.yml")]})
    assert code == 0
    assert out.count(b"1234567890123456.7890") == 2


def test_input_may_come_from_a_file(run, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(lines(SCHEMA, record(1)))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"direction": "customcrm-to-tripletex", "tables": TABLES}))
    code, out, _ = run(arguments=("--config", str(config), "--input", str(tmp_path / "in.jsonl")))
    assert code == 0
    assert len(out.splitlines()) == 2


def test_tables_are_found_from_anywhere_in_a_meltano_project(start, tmp_path):
    process = start(MELTANO_PROJECT_ROOT=str(tmp_path))
    code, _, err = ended(process)
    assert code == 1
    assert f"transforms/contact.yml: there is no such file in {tmp_path}" in err


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"direction": "sideways"}, "direction"),
        ({"direction": None}, "direction"),
        ({"tables": []}, "tables"),
        ({"tables": None}, "tables"),
        ({"tabels": []}, "tabels"),
        ({"tables": ["transforms/nowhere.yml"]}, "transforms/nowhere.yml: there is no such file"),
    ],
)
def test_wrong_settings_end_in_one_line_and_code_1(run, config, said):
    code, out, err = run(lines(SCHEMA), config)
    assert code == 1
    assert out == b""
    assert len(err.splitlines()) == 1
    assert said in err


def test_a_typo_in_a_table_ends_in_one_line_and_code_1(run, tmp_path):
    table = (ROOT / "transforms/product.yml").read_text().replace("tripletex: lastName", "tripletex: lastNam")
    (tmp_path / "product.yml").write_text(table)
    code, out, err = run(lines(SCHEMA), {"tables": [str(tmp_path / "product.yml")]})
    assert code == 1
    assert out == b""
    (line,) = err.splitlines()
    number = 1 + next(index for index, one in enumerate(table.splitlines()) if "lastNam}" in one or "lastNam," in one)
    assert f"product.yml:{number}: Tripletex contact has no property lastNam. Did you mean lastName?" in line


@pytest.mark.parametrize(
    "bad",
    [
        b'{"type": "RECORD", "stream": "product", "record": {"Name": "Kari Nor',
        b'{"type": "RECORD", "stream": "other", "record": {"Name": "Kari Nordmann"}}\n',
        b'{"type": "BATCH", "stream": "product", "manifest": ["Kari Nordmann"]}\n',
        b'{"type": "SCHEMA", "stream": "product", "schema": {"properties": {"Name": {"const": "Kari Nordmann"}}}}\n',
    ],
)
def test_what_cannot_be_mapped_ends_the_run_in_one_line_that_does_not_show_it(run, bad):
    code, out, err = run(lines(SCHEMA, record(7)) + bad, LOGLEVEL="DEBUG")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert "Traceback" not in err
    assert "Nord" not in err
    assert len([one for one in err.splitlines() if "ERROR" in one]) == 1


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_it_at_once_where_it_waits_in_the_middle_of_a_line(start, signum, code):
    process = start()
    process.stdin.write(lines(SCHEMA, record(1), {"type": "STATE", "value": {}}))
    process.stdin.flush()
    assert [json.loads(process.stdout.readline())["type"] for _ in range(3)] == ["SCHEMA", "RECORD", "STATE"]
    process.stdin.write(lines(record(2))[:20])
    process.stdin.flush()
    wait_until_read(process)
    process.send_signal(signum)
    process.send_signal(signum)
    assert ended(process) == (code, b"", "")


def wait_until_read(process):
    """Until the mapper has taken all that was written to its pipe."""
    import array
    import fcntl
    import termios
    import time

    waiting = array.array("i", [1])
    end = time.monotonic() + 30
    while waiting[0] and time.monotonic() < end:
        fcntl.ioctl(process.stdin, termios.FIONREAD, waiting)
    assert waiting[0] == 0


def test_a_signal_in_full_flow_leaves_whole_messages(start):
    process = start()
    process.stdin.write(lines(SCHEMA))
    process.stdin.flush()
    process.stdout.readline()
    many = lines(*(record(number) for number in range(200)))
    os.set_blocking(process.stdin.fileno(), False)
    sent = 0
    while sent < 2_000_000:
        try:
            sent += os.write(process.stdin.fileno(), many)
        except BlockingIOError:
            break  # the mapper waits for us to read
    process.send_signal(signal.SIGTERM)
    out = process.stdout.read()
    assert process.wait(30) == 143
    assert process.stderr.read() == b""
    assert all(json.loads(line)["type"] == "RECORD" for line in out.splitlines())
    process.stdin = None


def test_a_reader_that_goes_away_is_no_matter_of_noise(start):
    process = start()
    process.stdin.write(lines(SCHEMA))
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    with pytest.raises(BrokenPipeError):  # noqa: PT012 - whichever write notices it
        for number in range(100_000):
            process.stdin.write(lines(record(number), {"type": "STATE", "value": {}}))
            process.stdin.flush()
    assert process.wait(30) != 0
    assert process.stderr.read() == b""
    process.stdin = process.stdout = None


def test_about_describes_the_settings():
    out = subprocess.run([COMMAND, "--about", "--format", "json"], capture_output=True, check=True).stdout
    about = json.loads(out)
    assert about["name"] == "dataflow-mapper"
    assert set(about["settings"]["properties"]) == {"direction", "tables", "profile", "profile_variables"}
    assert all(one["description"] for one in about["settings"]["properties"].values())


def test_the_version_is_that_of_the_package():
    out = subprocess.run([COMMAND, "--version"], capture_output=True, check=True).stdout
    assert out.startswith(b"dataflow-mapper v0.")
