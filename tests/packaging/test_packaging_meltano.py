"""The project as Meltano has it: `meltano test`, and what is said where a credential is missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sandbox

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
OURS = ("MELTANO_", "TAP_", "TARGET_", "CUSTOMCRM_", "TRIPLETEX_", "PYTEST")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@pytest.fixture
def meltano(tmp_path):
    """Run Meltano in a copy of the project: the checkout's own .env may hold the credentials of a real company."""
    shutil.copy2(ROOT / "meltano.yml", tmp_path)
    shutil.copytree(ROOT / "transforms", tmp_path / "transforms")
    (tmp_path / ".venv").symlink_to(BIN.parent)

    def run(*arguments, **settings):
        return subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=tmp_path,
            env={**ENVIRONMENT, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_meltano_test_tries_both_connections_and_runs_the_suite(meltano):
    with sandbox.running("norwegian", customers=5) as systems:
        crm, tripletex = systems.customcrm, systems.tripletex
        ended = meltano(
            "test",
            "--all",
            TAP_CUSTOMCRM_API_URL=crm.api_url,
            TAP_CUSTOMCRM_API_KEY=crm.api_key,
            TAP_TRIPLETEX_API_URL=tripletex.api_url,
            TAP_TRIPLETEX_CONSUMER_TOKEN=tripletex.consumer_token,
            TAP_TRIPLETEX_EMPLOYEE_TOKEN=tripletex.employee_token,
            # The suite would run this test again.
            PYTEST_ADDOPTS=f"{ROOT}/tests/packaging/test_packaging_lock.py -k ci_runs -p no:cacheprovider",
            PYTEST_XDIST_AUTO_NUM_WORKERS="1",
        )
        read = {request.path.rpartition("/")[2] for system in systems.both for request in system.requests}
        written = [one for system in systems.both for one in system.requests if one.is_write]
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, told[-3000:]
    for test in ("tap-customcrm:test", "tap-tripletex:test", "suite:test"):
        assert f"{test}..." in ended.stdout
    assert "3 test(s) successful. 0 test(s) failed." in ended.stdout
    assert "1 passed" in ended.stdout
    assert {"contacts", "customers", "products", "contact", "customer", "product", "country"} <= read
    assert [one.path for one in written] == []
    secrets = (crm.api_key, tripletex.consumer_token, tripletex.employee_token)
    assert not any(secret in told for secret in secrets)


def test_a_failed_connection_test_fails_meltano_test(meltano):
    with sandbox.running("empty") as systems:
        ended = meltano(
            "test", "tap-customcrm", TAP_CUSTOMCRM_API_URL=systems.customcrm.api_url, TAP_CUSTOMCRM_API_KEY="wrong-key"
        )
    assert ended.returncode != 0
    (said,) = [line for line in (ended.stdout + ended.stderr).splitlines() if "401" in line]
    assert "api_key" in said
    assert "wrong-key" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"TRIPLETEX_EMPLOYEE_TOKEN": "given"}, {"TAP_CUSTOMCRM_API_URL", "TAP_CUSTOMCRM_API_KEY"}),
        (
            {"CUSTOMCRM_API_URL": "http://127.0.0.1:9", "CUSTOMCRM_API_KEY": "given"},
            {"TARGET_TRIPLETEX_EMPLOYEE_TOKEN"},
        ),
    ],
    ids=["the tap", "the target"],
)
def test_missing_credentials_are_named_in_one_line_by_the_plugin_that_needs_them(meltano, tmp_path, given, missing):
    """Where the cycle is run by a schedule, without make."""
    ended = meltano("--environment=production", "run", "two-way", TRIPLETEX_CONSUMER_TOKEN="given", **given)
    assert ended.returncode != 0
    (told,) = [line for line in (ended.stdout + ended.stderr).splitlines() if "missing setting" in line]
    assert set(re.findall(r"(?:TAP|TARGET)_\w+", told)) == missing
    assert not (tmp_path / "var").exists()


def test_a_profile_and_its_variables_are_told_once_for_all_plugins(meltano):
    told = "".join(
        (ROOT / file).read_text(encoding="utf-8") for file in ("meltano.yml", "transforms/dataflow.meltano.yml")
    )
    assert told.count(": $CUSTOMCRM_PROFILE\n") == told.count(": $CUSTOMCRM_PROFILE_VARIABLES\n") == 3
    asked = ("--environment=production", "invoke", "--dump=config", "tap-customcrm")
    assert '"contacts": "people"' in meltano(*asked, CUSTOMCRM_PROFILE_VARIABLES='{"contacts": "people"}').stdout
    assert "profile_variables" not in meltano(*asked).stdout
