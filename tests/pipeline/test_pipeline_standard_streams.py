"""Standard streams that are closed, or lead to a full disk: one line, and an exit code that is not 0."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox.lines import TO_TRIPLETEX

BIN = Path(sys.executable).parent
PLUGINS = ["tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex", "dataflow-mapper"]
FULL = Path("/dev/full")

everybody = pytest.mark.parametrize("plugin", PLUGINS)
on_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a disk that is always full")


def shell(command, plugin, *arguments, messages=b""):
    """Run a plug-in by a shell's command line, in which it is `"$@"`."""
    line = ["/bin/sh", "-c", command, "sh", BIN / plugin, *arguments]
    return subprocess.run(line, input=messages, capture_output=True, timeout=120, check=False)


def only_line(ran):
    (line,) = [one for one in ran.stderr.decode().splitlines() if "| INFO " not in one]
    return line


@everybody
@pytest.mark.parametrize(
    ("closed", "told"),
    [("<&-", "Standard input is closed"), (">&-", "Standard output is closed"), ("2>&-", "")],
    ids=["input", "output", "error"],
)
def test_a_standard_stream_that_is_closed(plugin, closed, told):
    ran = shell(f'exec "$@" {closed}', plugin, "--about")
    assert ran.returncode == 1
    assert ran.stdout == b""
    assert [line[: len(told)] for line in ran.stderr.decode().splitlines()] == ([told] if told else [])


@everybody
@on_a_full_disk
def test_words_for_people_that_a_full_disk_does_not_take(plugin):
    ran = shell(f'exec "$@" > {FULL}', plugin, "--about")
    assert ran.returncode == 1
    assert only_line(ran).endswith("Standard output cannot be written: No space left on device.")


@pytest.mark.parametrize("plugin", [TO_TRIPLETEX.tap, "dataflow-mapper", TO_TRIPLETEX.target])
@on_a_full_disk
def test_messages_that_a_full_disk_does_not_take(lines, systems, plugin, tmp_path):
    systems.customcrm.create("customer", Name="Alfa AS")
    messages = lines.messages(TO_TRIPLETEX).read_bytes()
    if plugin == "dataflow-mapper":
        messages = b'{"type":"STATE","value":{}}\n'
    config = tmp_path / f"{plugin}.json"
    settings = lines.settings[plugin]
    config.write_text(json.dumps({"direction": TO_TRIPLETEX.name, **settings} if "tables" in settings else settings))
    ran = shell(f'exec "$@" > {FULL}', plugin, "--config", str(config), messages=messages)
    assert ran.returncode == 1, ran.stderr
    (line,) = [one for one in ran.stderr.decode().splitlines() if "| INFO " not in one]
    assert line.endswith("Standard output cannot be written: No space left on device.")
