"""requirements.lock: complete, verifiable, and bound to no package index."""

import importlib.metadata
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = re.split(r"\n(?=\S)", LOCK.strip())
NOT_A_LIBRARY = {"pip", "setuptools"}
"""What Python itself puts into an environment."""


def pyproject(path):
    """Of a pyproject.toml its name and what it depends on, extras too."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    return project["name"], [Requirement(one) for some in lists for one in some]


@pytest.fixture(scope="module")
def locked():
    """Name to pinned version; a name may be pinned differently for different machines."""
    found = {}
    for entry in ENTRIES:
        if not entry.startswith("#"):
            requirement = Requirement(re.sub(r"\s*\\\n.*", "", entry, flags=re.DOTALL))
            (pin,) = requirement.specifier
            assert pin.operator == "==", entry
            found.setdefault(canonicalize_name(requirement.name), []).append((pin.version, requirement.marker))
    return found


@pytest.fixture(scope="module")
def members():
    """Name of each package of the workspace to what it needs."""
    workspace = [
        *ROOT.glob("packages/*/pyproject.toml"),
        *ROOT.glob("ta*-*/pyproject.toml"),
        ROOT / "sandbox/pyproject.toml",
    ]
    return dict(pyproject(path) for path in workspace)


def test_every_package_of_the_lock_has_hashes():
    without = [entry for entry in ENTRIES if not entry.startswith("#") and "--hash=sha256:" not in entry]
    assert without == []
    hashes = re.findall(r"--hash=(\S+)", LOCK)
    assert [one for one in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", one)] == []


def test_the_lock_names_no_index_no_address_and_no_file():
    options = [line for line in LOCK.splitlines() if re.match(r"\s*-", line) and "--hash=" not in line]
    assert options == []
    assert re.findall(r"\S*(?:://|file:|\s@\s)\S*", LOCK) == []


def test_the_lock_has_what_the_packages_ask_for(locked, members):
    asked = [
        Requirement(line) for line in (ROOT / "requirements.in").read_text().splitlines() if re.match(r"[a-z]", line)
    ]
    asked += [one for needed in members.values() for one in needed]
    assert len(asked) > 30
    missing = [
        str(one)
        for one in asked
        if one.name not in members
        and not any(one.specifier.contains(version) for version, _ in locked.get(canonicalize_name(one.name), []))
    ]
    assert missing == [], "run `make lock`"


def test_the_lock_has_none_of_our_own_packages(locked, members):
    assert sorted(set(locked) & set(members)) == []


def test_this_environment_is_what_the_lock_says(locked, members):
    """So what is tested here is what `make` sets up anywhere."""
    here = {canonicalize_name(one.name): one.version for one in importlib.metadata.distributions() if one.name}
    wanted = {name: [v for v, marker in pins if marker is None or marker.evaluate()] for name, pins in locked.items()}
    differing = {
        name: (version, wanted.get(name))
        for name, version in here.items()
        if name not in members and name not in NOT_A_LIBRARY and [version] != wanted.get(name)
    }
    missing = [name for name, versions in wanted.items() if versions and name not in here]
    assert (differing, missing) == ({}, []), "run `make setup`"


def test_make_installs_the_members_of_the_workspace(members):
    installed = subprocess.run(
        ["make", "--dry-run", "--always-make", "setup"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    editable = re.findall(r"--editable \./(\S+)", installed.stdout)
    assert {pyproject(ROOT / folder / "pyproject.toml")[0] for folder in editable} == set(members)
    assert len(editable) == len(members)


def test_ci_runs_what_a_newcomer_runs():
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").rstrip().endswith("\nmake test")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_suite_is_every_test_of_the_repository():
    """No list of folders from which one could be left out: what is named like a test is one."""
    description = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "testpaths" not in description


def test_meltano_runs_the_plugins_from_this_environment():
    """One environment for all: no plugin is installed a second time, by Meltano."""
    reader = YAML(typ="safe")
    files = [ROOT / "meltano.yml", ROOT / "transforms/dataflow.meltano.yml"]
    plugins = [one for file in files for kind in reader.load(file)["plugins"].values() for one in kind]
    assert len(plugins) >= 6
    assert [one["name"] for one in plugins if "pip_url" in one] == []
    assert [one["name"] for one in plugins if not one["executable"].startswith("./.venv/bin/")] == []
