"""What `make sync` decides before it does anything: which systems, and whether it can."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NAMES = ("CUSTOMCRM_API_URL", "CUSTOMCRM_API_KEY", "TRIPLETEX_CONSUMER_TOKEN", "TRIPLETEX_EMPLOYEE_TOKEN")
ALL = [f"{name}=something" for name in NAMES]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", *NAMES))}


def make(*arguments, cwd):
    return subprocess.run(["make", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture
def make_sync(tmp_path):
    """Run `make sync` with a .env, in a copy whose commands only say that they were called."""
    shutil.copy2(ROOT / "Makefile", tmp_path)
    for name in ("meltano", "sandbox"):
        script = tmp_path / ".venv/bin" / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f'#!/bin/sh\necho "{name} $*"\nexit ${{EXIT_CODE:-0}}\n', encoding="utf-8")
        script.chmod(0o755)

    def sync(*lines, encoding="utf-8", newline="\n"):
        (tmp_path / ".env").write_text("\n".join([*lines, ""]), encoding=encoding, newline=newline)
        return make("--old-file=.venv/.ready", "sync", cwd=tmp_path)

    return sync


def test_without_credentials_the_sandbox_is_shown(make_sync):
    ended = make_sync()
    assert (ended.returncode, ended.stdout) == (0, "sandbox sync\n")


def test_the_example_as_it_stands_holds_no_credentials(make_sync):
    ended = make_sync(*(ROOT / ".env.example").read_text(encoding="utf-8").splitlines())
    assert (ended.returncode, ended.stdout) == (0, "sandbox sync\n")


@pytest.mark.parametrize("written", ["{}=something", "export {}=something", '{}="something"', "{} = 'something'"])
def test_with_credentials_the_real_systems_are_synchronised_and_that_is_said_first(make_sync, written):
    ended = make_sync("# the real ones", *(written.format(name) for name in NAMES))
    said, did = ended.stdout.splitlines()
    assert "synchronising the real systems (Meltano environment production)" in said
    assert did == "meltano --environment=production run two-way"


def test_credentials_as_windows_writes_them_are_found_and_read_by_meltano(make_sync, tmp_path):
    (tmp_path / ".env").touch(0o600)
    ended = make_sync(*ALL, encoding="utf-8-sig", newline="\r\n")
    *_, did = ended.stdout.splitlines()
    assert did == "meltano --environment=production run two-way"
    # Meltano's own reader takes a byte order mark for the beginning of the first name.
    assert dict(dotenv_values(tmp_path / ".env")) == dict.fromkeys(NAMES, "something")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / ".venv/env").exists()


def test_a_blank_credential_as_windows_writes_it_is_none(make_sync):
    ended = make_sync(*(f"{name}=" for name in NAMES), encoding="utf-8-sig", newline="\r\n")
    assert ended.stdout.splitlines()[-1] == "sandbox sync"


@pytest.mark.parametrize("missing", NAMES)
@pytest.mark.parametrize("written", [None, "{}=", "{}=''", '{}=""', "# {}=something", "{}= # to be filled in"])
def test_a_missing_credential_is_named_and_nothing_runs(make_sync, missing, written):
    given = [line for line in ALL if not line.startswith(missing)]
    ended = make_sync(*given, *([written.format(missing)] if written else []))
    assert ended.returncode != 0
    (said,) = ended.stdout.splitlines()
    assert said.startswith(f"Missing in .env: {missing}. Fill them in")


def test_an_api_token_takes_the_place_of_both_tokens(make_sync):
    crm = [line for line in ALL if line.startswith("CUSTOMCRM_")]
    ended = make_sync(*crm, "TRIPLETEX_CONSUMER_TOKEN=", "TRIPLETEX_REFRESH_TOKEN=something")
    assert ended.stdout.splitlines()[-1] == "meltano --environment=production run two-way"
    ended = make_sync("TRIPLETEX_REFRESH_TOKEN=something")
    assert ended.stdout.startswith("Missing in .env: CUSTOMCRM_API_URL CUSTOMCRM_API_KEY. Fill them in")


def test_all_missing_credentials_are_named_at_once(make_sync):
    ended = make_sync("CUSTOMCRM_API_KEY=something", "TRIPLETEX_COMPANY_ID=0")
    (said,) = ended.stdout.splitlines()
    assert all(name in said for name in NAMES if name != "CUSTOMCRM_API_KEY")
    assert "CUSTOMCRM_API_KEY" not in said
    assert "something" not in said + ended.stderr


def test_settings_other_than_credentials_are_no_reason_to_go_to_the_real_systems(make_sync):
    ended = make_sync("TRIPLETEX_COMPANY_ID=0", "MELTANO_LOG_LEVEL=debug")
    assert ended.stdout == "sandbox sync\n"


def test_an_old_python_is_refused_in_one_line_before_anything_is_made(tmp_path):
    here = [shutil.which(name) for name in ("python3.9", "python3.8", "python2.7")]
    of_pyenv = [str(one) for one in Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python")]
    found = next((one for one in [*of_pyenv, *here] if one is not None), None)
    if found is None:
        pytest.skip("no Python older than 3.10 is on this machine")
    for goal in ("sync", "test"):
        ended = make(f"PYTHON={found}", f"VENV={tmp_path}/venv", goal, cwd=ROOT)
        assert ended.returncode != 0
        assert ended.stdout == f"Python 3.10 or newer is needed: make PYTHON=/path/to/python3.12 {goal}\n"
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_not_there_is_said_so(tmp_path):
    ended = make("PYTHON=no-such-python", f"VENV={tmp_path}/venv", "sync", cwd=ROOT)
    assert ended.returncode != 0
    assert "no-such-python" in ended.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("given", "tried"), [([], "all"), (["BACKENDS=directus"], "directus")])
def test_the_real_crms_are_all_tried_unless_some_are_named(tmp_path, given, tried):
    shutil.copy2(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "BACKENDS=$BACKENDS $*"\n', encoding="utf-8")
    python.chmod(0o755)
    ended = make("--old-file=.venv/.ready", "test-backends", *given, cwd=tmp_path)
    assert ended.stdout == f"BACKENDS={tried} -m pytest tests/backends\n"
