"""Each plugin installs alone: from a git URL by uv and by Meltano, and from the wheels of `make dist` by pip.

The git repository is a copy of this one with all that is not committed yet. The versions are those of the lock, so that
a release on the package index does not change what is tested.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
OWN = "customcrm-tripletex-"

PLUGINS = {
    "tap-customcrm": "tap-customcrm",
    "tap-tripletex": "tap-tripletex",
    "target-customcrm": "target-customcrm",
    "target-tripletex": "target-tripletex",
    "dataflow-mapper": "packages/dataflow",
}
"""Console script, and the folder it comes from."""

TAP = {"api-transport", "singer-edge"}
TARGET = {"api-transport", "value-spelling", "record-sync", "singer-edge", "sync-target"}
NEEDED = {
    "tap-customcrm": {"tap-customcrm", "customcrm-client", "located-yaml", *TAP},
    "tap-tripletex": {"tap-tripletex", "tripletex-client", *TAP},
    "target-customcrm": {"target-customcrm", "customcrm-client", "located-yaml", *TARGET},
    "target-tripletex": {"target-tripletex", "tripletex-client", *TARGET},
    "dataflow-mapper": {"dataflow", "customcrm-client", "tripletex-client", "located-yaml", "value-spelling", *TAP},
}
"""What of this repository each one brings along. A tap needs nothing of the sync, and no plugin the other system."""

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PYTEST", "PYTHON", "MELTANO_", "TAP_", "TARGET_", "GIT_")) and name != "VIRTUAL_ENV"
}


def run(*command, cwd=None, **environment):
    """The output of a command that must succeed."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**CLEAN, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout[-2000:]} {ended.stderr[-2000:]}"
    return ended.stdout


def for_each_plugin(work):
    """Do something for every plugin, side by side."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(PLUGINS, pool.map(work, PLUGINS), strict=True))


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip(f"this is no git checkout: {listed.stderr.strip()}")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The URL of a git repository with the files as they are now."""
    copy = tmp_path_factory.mktemp("repository")
    for name in tracked_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    # Always the same commit of the same files: what uv built of them once is in its cache.
    moment = {f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}
    run("git", "init", "--quiet", "--initial-branch=main", cwd=copy)
    run("git", "add", "--all", cwd=copy)
    person = ("-c", "user.name=Kari", "-c", "user.email=kari@example.no", "-c", "commit.gpgsign=false")
    run("git", *person, "commit", "--quiet", "--message=As it is", cwd=copy, **moment)
    return f"git+file://{copy}"


@pytest.fixture(scope="module")
def constraints(tmp_path_factory):
    """The lock's versions without their hashes, or an installer would ask for hashes of our own packages too."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    path = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    path.write_text("\n".join(line.rstrip(" \\") for line in lines if re.match("[a-z0-9]", line)), encoding="utf-8")
    return path


def answers(environment, plugin):
    """What an environment holds of this repository, and the name that the plugin gives itself."""
    about = json.loads(run(environment / "bin" / plugin, "--about", "--format=json", cwd=environment))
    installed = json.loads(run(BIN / "uv", "pip", "list", "--quiet", "--format=json", "--python", environment))
    ours = {one["name"].removeprefix(OWN) for one in installed if one["name"].startswith((OWN, "tap-", "target-"))}
    return about["name"], ours


def expected():
    return {plugin: (plugin, NEEDED[plugin]) for plugin in PLUGINS}


def test_each_plugin_installs_alone_by_uv_from_a_git_url(repository, constraints, tmp_path):
    def install(plugin):
        environment = tmp_path / plugin
        run(BIN / "uv", "venv", "--quiet", "--python", sys.executable, environment)
        url = f"{repository}#subdirectory={PLUGINS[plugin]}"
        run(BIN / "uv", "pip", "install", "--quiet", "--python", environment, "--constraint", constraints, url)
        return answers(environment, plugin)

    assert for_each_plugin(install) == expected()


def test_each_plugin_installs_alone_by_pip_from_the_wheels(constraints, tmp_path):
    wheels = tmp_path / "wheels"
    # The environment of this test is ready, or the test would not run: it must not be made anew meanwhile.
    ready = BIN.parent / ".ready"
    run("make", "--old-file", ready, "dist", f"VENV={BIN.parent}", f"DIST={wheels}", cwd=ROOT)

    def install(plugin):
        environment = tmp_path / plugin
        run(sys.executable, "-m", "venv", "--without-pip", environment)
        pip = (sys.executable, "-m", "pip", "--quiet", "--python", environment / "bin" / "python")
        distribution = plugin if plugin in NEEDED[plugin] else OWN + "dataflow"
        run(*pip, "install", "--no-compile", "--constraint", constraints, "--find-links", wheels, distribution)
        return answers(environment, plugin)

    assert for_each_plugin(install) == expected()
    names = [name for wheel in wheels.glob("*.whl") for name in zipfile.ZipFile(wheel).namelist()]
    assert [name for name in names if name.startswith("tests/")] == []


def test_another_meltano_project_installs_the_plugins_as_the_readme_says(repository, constraints, tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    snippet = next(block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "pip_url" in block)
    project = YAML(typ="safe").load(snippet.replace("git+<repository>", repository))
    names = {one["name"] for kind in project["plugins"].values() for one in kind}
    assert names == set(PLUGINS)
    project |= {"version": 1, "project_id": "another", "default_environment": "dev", "environments": [{"name": "dev"}]}
    with (tmp_path / "meltano.yml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(project, file)
    settings = {
        "MELTANO_PROJECT_ROOT": str(tmp_path),
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "UV_CONSTRAINT": str(constraints),
    }
    run(BIN / "meltano", "install", cwd=tmp_path, **settings)
    scripts = {
        plugin: tmp_path / ".meltano" / kind / plugin / "venv" / "bin" / plugin
        for kind, several in project["plugins"].items()
        for plugin in (one["name"] for one in several)
    }
    assert [plugin for plugin, script in scripts.items() if not script.is_file()] == []
    # What each says of itself is tested above; here that Meltano finds one and what belongs to it.
    told = run(BIN / "meltano", "invoke", "target-tripletex", "--about", "--format=json", cwd=tmp_path, **settings)
    assert json.loads(told[told.index("{") :])["name"] == "target-tripletex"
