"""The command `sandbox`, and records kept in a directory."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

import sandbox

COMMAND = [sys.executable, "-c", "from sandbox.cli import main; main()", "start"]


@pytest.fixture
def start():
    started = []

    def begin(*arguments):
        ports = ["--customcrm-port", "0", "--tripletex-port", "0"]
        process = subprocess.Popen([*COMMAND, *ports, *arguments], stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        started.append((process, watchdog))
        lines = [process.stdout.readline() for _ in range(3)]
        assert all(lines), "it ended before it served"
        return process, [line.split()[1] for line in lines[:2]]

    yield begin
    for process, watchdog in started:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def ended(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


def listing(address, resource="customers"):
    headers = {"Authorization": "Bearer sandbox-api-key"}
    return requests.get(f"{address}/{resource}", headers=headers, params={"per_page": 500}, timeout=60).json()["data"]


def test_it_serves_sample_data_until_it_is_told_to_stop(start):
    process, (customcrm, tripletex) = start("--customers", "20")
    assert 5 < len(listing(customcrm)) < 30
    assert requests.get(f"{tripletex}/customer", timeout=60).status_code == 401
    assert ended(process) == 0


def test_a_directory_keeps_the_records_through_a_kill(start, tmp_path):
    process, (customcrm, _) = start("--customers", "20", "--database", str(tmp_path / "kept"))
    headers = {"Authorization": "Bearer sandbox-api-key"}
    made = requests.post(f"{customcrm}/customers", json={"Name": "Ærlig AS"}, headers=headers, timeout=60).json()
    before = listing(customcrm)
    process.kill()
    process.wait()
    _, (customcrm, _) = start("--customers", "20", "--database", str(tmp_path / "kept"))
    assert listing(customcrm) == before
    assert made in before


def test_fresh_begins_anew(start, tmp_path):
    options = ["--customers", "20", "--database", str(tmp_path)]
    process, (customcrm, _) = start(*options)
    before = listing(customcrm)
    record = f"{customcrm.removesuffix('/api/v1')}/_sandbox/records/customer/{before[0]['Id']}"
    assert requests.delete(record, timeout=60).status_code == 204
    assert ended(process) == 0
    _, (customcrm, _) = start(*options, "--fresh")
    assert listing(customcrm) == before


def refused(*arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_taken_port_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--customcrm-port", str(port), "--tripletex-port", "0", "--data", "empty")
    assert line.startswith(f"sandbox: Port {port} is taken.")


def test_a_directory_that_cannot_be_used_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    line = refused("--database", str(tmp_path / "file"), "--customcrm-port", "0", "--tripletex-port", "0")
    assert "Choose another --database." in line


def test_tripletex_objects_come_back_as_they_were(tmp_path: Path):
    with sandbox.running(customers=30, directory=tmp_path) as systems:
        customer = systems.tripletex.all("customer")[3]["id"]
        systems.tripletex.edit("customer", customer, name="Nytt AS")
        systems.tripletex.remove("contact", systems.tripletex.all("contact")[0]["id"])
        next_id = systems.tripletex.create("contact", firstName="Siste")["id"] + 1
        systems.tripletex.remove("contact", next_id - 1)
        before = {kind: without_urls(systems.tripletex.all(kind)) for kind in ("customer", "contact", "product")}
    with sandbox.running(directory=tmp_path) as systems:
        assert {kind: without_urls(systems.tripletex.all(kind)) for kind in before} == before
        assert systems.tripletex.create("contact", firstName="Ny")["id"] == next_id
        systems.clear()
        assert systems.is_empty


def without_urls(value):
    if isinstance(value, dict):
        return {name: without_urls(each) for name, each in value.items() if name != "url"}
    return [without_urls(each) for each in value] if isinstance(value, list) else value
