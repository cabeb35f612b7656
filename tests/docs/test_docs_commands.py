"""Every command in the documentation is run here, or it is said which test runs it, or why none does.

A command that no test knows fails `test_every_command_in_the_documentation_is_known`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from record_sync.store import Store

import sandbox

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *(ROOT / name / "README.md" for name in ("tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex")),
]
PROGRAMS = (
    "make", "meltano", "tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex", "dataflow-mapper",
    "dataflow", "sandbox", "python", "pip", "uv", "git", "cp", "tail", "export", "sqlite3", "psql", "cd",
)  # fmt: skip

PIPE = (
    "tap-customcrm --config tap.json --state state.json | dataflow-mapper --config mapper.json"
    " | target-tripletex --config target.json > states.jsonl"
)
BACKUP = "sqlite3 var/links.db \".backup 'var/links-backup.db'\""
RUN_HERE = {
    PIPE: "piped",
    "tail -n 1 states.jsonl > state.json": "piped",
    "target-customcrm --config config.json < messages.jsonl": "test_a_target_behind_any_other_tap_is_an_ordinary_one",
    "target-tripletex --config config.json < messages.jsonl": "test_a_target_behind_any_other_tap_is_an_ordinary_one",
    "meltano job list": "test_meltano_lists_jobs_and_schedules",
    "meltano schedule list": "test_meltano_lists_jobs_and_schedules",
    "meltano --environment=production config list target-tripletex": "test_meltano_tells_the_settings_but_no_secret",
    "meltano --environment=test run two-way": "test_meltano_understands_the_cycle",
    "meltano --environment=production run two-way": "test_meltano_understands_the_cycle",
    "meltano --environment=production run two-way --full-refresh": "test_meltano_understands_the_cycle",
    "MELTANO_SYS_DIR_ROOT=$PWD/var/meltano-test meltano --environment=test run two-way": (
        "test_a_second_meltano_has_a_folder_of_its_own"
    ),
    "meltano --environment=production invoke dataflow:plan": "test_meltano_hands_the_plan_over",
    "meltano --environment=production invoke dataflow:doctor": "test_meltano_hands_the_doctor_over",
    "meltano --environment=test invoke dataflow:doctor --write": "test_meltano_hands_the_doctor_over",
    "meltano --environment=test invoke dataflow:doctor --write --json > doctor.json": (
        "test_meltano_hands_the_doctor_over"
    ),
    BACKUP: "test_a_store_that_is_in_use_is_backed_up_whole",
}
"""Command to what runs it in this file. That a whole cycle does what it should is tests/pipeline's business."""

RUN_ELSEWHERE = {
    "make sync": "tests/docs/test_docs_story.py",
    "make test": ".ci/run",
    "make test-backends": "tests/packaging/test_packaging_make.py",
    "make test-backends BACKENDS=directus": "tests/packaging/test_packaging_make.py",
    "make test-backends BACKENDS=odata": "tests/packaging/test_packaging_make.py",
    "make bench": "tests/benchmarks/test_benchmarks.py",
    "make bench BENCH=tap-tripletex": "tests/benchmarks/test_benchmarks.py",
    "tap-customcrm | dataflow-mapper | target-tripletex": "tests/benchmarks/test_benchmarks.py",
    "tap-tripletex | dataflow-mapper": "tests/benchmarks/test_benchmarks.py",
    "make dist": "tests/packaging/test_packaging_plugins.py",
    "python -m pip install --find-links dist tap-customcrm": "tests/packaging/test_packaging_plugins.py",
    "python -m pip install --find-links dist target-tripletex": "tests/packaging/test_packaging_plugins.py",
    "python -m pip install --find-links dist customcrm-tripletex-dataflow": "tests/packaging/test_packaging_plugins.py",
    "meltano --environment=production test tap-customcrm": "tests/packaging/test_packaging_meltano.py",
    "meltano --environment=production test tap-tripletex": "tests/packaging/test_packaging_meltano.py",
    "tap-customcrm --about": "tests/docs/test_docs_settings.py",
    "tap-customcrm --config config.json --test": "tests/packaging/test_packaging_meltano.py",
    "tap-customcrm --config config.json --test=connection": "tap-customcrm/tests/test_tap_customcrm_profiles.py",
    "tap-customcrm --config config.json --test=connection --verbose": (
        "tap-customcrm/tests/test_tap_customcrm_profiles.py"
    ),
    "tap-customcrm --config config.json --infer my-crm.schemas.json": (
        "tap-customcrm/tests/test_tap_customcrm_profiles.py"
    ),
    "tap-customcrm --config config.json [--state state.json] [--catalog catalog.json]": (
        "tap-customcrm/tests/test_tap_customcrm.py"
    ),
    "tap-tripletex --about": "tests/docs/test_docs_settings.py",
    "tap-tripletex --config config.json --test": "tests/packaging/test_packaging_meltano.py",
    "tap-tripletex --config config.json [--state state.json] [--catalog catalog.json]": (
        "tap-tripletex/tests/test_tap_tripletex.py"
    ),
    "target-customcrm --about": "tests/docs/test_docs_settings.py",
    "target-tripletex --about": "tests/docs/test_docs_settings.py",
    "dataflow status": "packages/dataflow-operator/tests/test_operator_command.py",
    "dataflow failures": "packages/dataflow-operator/tests/test_operator_command.py",
    "dataflow conflicts": "packages/dataflow-operator/tests/test_operator_command.py",
    "dataflow runs": "packages/dataflow-operator/tests/test_operator_command.py",
    "dataflow doctor": "packages/dataflow-operator/tests/test_operator_doctor.py",
    "dataflow document": "packages/dataflow-operator/tests/test_operator_document.py",
    "dataflow audit": "packages/dataflow-operator/tests/test_operator_audit.py",
    "dataflow audit --html audit.html": "packages/dataflow-operator/tests/test_operator_audit.py",
    "meltano invoke dataflow:audit": "packages/dataflow-operator/tests/test_operator_audit.py",
    "dataflow document --format html": "packages/dataflow-operator/tests/test_operator_document.py",
    "dataflow document --to docs/dataflow.md": "packages/dataflow-operator/tests/test_operator_document.py",
    "dataflow document --format rst --to docs/dataflow.rst": (
        "packages/dataflow-operator/tests/test_operator_document.py"
    ),
    "dataflow serve": "packages/dataflow-operator/tests/test_page_program.py",
    "dataflow plan": "tests/pipeline/test_pipeline_plan.py",
    "dataflow plan --full-refresh": "tests/pipeline/test_pipeline_plan.py",
    "dataflow plan tap-customcrm customcrm-to-tripletex target-tripletex --limit 1": (
        "tests/pipeline/test_pipeline_plan.py"
    ),
    "dataflow status --json": "packages/dataflow-operator/tests/test_operator_reading.py",
    "dataflow runs --json": "packages/dataflow-operator/tests/test_operator_reading.py",
    "dataflow forget": "packages/dataflow-operator/tests/test_operator_forgetting.py",
    "dataflow forget --flow contact --id p17": "packages/dataflow-operator/tests/test_operator_forgetting.py",
    "meltano --environment=production invoke dataflow:serve": "packages/dataflow-operator/tests/test_page_program.py",
    "dataflow conflicts resolve 1 --take tripletex": "packages/dataflow-operator/tests/test_operator_deciding.py",
    "dataflow let-through customer deletions": "packages/dataflow-operator/tests/test_operator_deciding.py",
}
"""Command to the file that runs it."""

NOT_RUN = {
    "export PATH=$PWD/.venv/bin:$PATH": "the shell's own",
    "python -m tests.backends.running directus": "it installs a real CRM; make test-backends starts it as well",
    "cp .env.example .env": "it would overwrite credentials; the example is tested in test_docs_settings.py",
}
"""Command to the reason."""

CRON = re.compile(r"^(?:\S+ ){5}cd \S+ && (?P<command>.*?) >> \S+ 2>&1$")
OURS = ("MELTANO_", "TAP_", "TARGET_", "CUSTOMCRM_", "TRIPLETEX_")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def commands(text):
    """The commands that a page shows: in blocks of shell, in indented blocks, and in running text."""
    found = []
    for kind, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
        if kind in ("sh", "console", "bash", "crontab"):
            found += [line.strip() for line in block.splitlines() if line.strip()]
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^    (\S.*)$", prose, re.MULTILINE)
    found += [line for line in indented if re.match(rf"(?:{'|'.join(PROGRAMS)}) [^ ]", line) and "──" not in line]
    spans = re.findall(r"`([^`\n]+)`", prose)
    found += [span for span in spans if span.removeprefix(".venv/bin/").split(" ")[0] in PROGRAMS and " " in span]
    return [normal(one) for one in found]


def normal(command):
    """A command without its comment, its folder, and what cron adds to it."""
    command = re.sub(r"\s+# .*$", "", command)
    cron = CRON.match(command)
    command = cron.group("command") if cron else command
    return " ".join(command.split()).removeprefix(".venv/bin/")


def shown():
    return {command: page for page in PAGES for command in commands(page.read_text(encoding="utf-8"))}


def test_commands_are_found_wherever_a_page_shows_them():
    page = (
        "Run `make sync`, or `meltano` with care.\n\n```sh\nmake test  # all of it\n```\n\n1. So:\n\n   ```sh\n"
        "   tap-x --about\n   ```\n\n    sandbox start\n    crm ──> tap-customcrm ──> \n\n```crontab\n"
        "0 * * * * cd /srv/x && .venv/bin/meltano run two-way >> var/log 2>&1\n```\n"
    )
    assert commands(page) == ["make test", "tap-x --about", "meltano run two-way", "sandbox start", "make sync"]


def test_every_command_in_the_documentation_is_known():
    known = {*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN}
    unknown = {command: str(page.relative_to(ROOT)) for command, page in shown().items() if command not in known}
    assert unknown == {}, "run them in a test, and add them to a list at the top of this file"


def test_no_list_names_a_command_that_the_documentation_does_not_show():
    assert {*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN} - set(shown()) == set()


def test_the_tests_that_are_said_to_run_a_command_are_there():
    here = Path(__file__).read_text(encoding="utf-8")
    missing = [one for one in RUN_HERE.values() if f"def {one}(" not in here]
    missing += [one for one in RUN_ELSEWHERE.values() if not (ROOT / one).is_file()]
    assert missing == []


# -- by pipes, with a further property


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def piped(readme, tmp_path_factory):
    """What the README's pipe does with a new customer, twice; the README's further property stands in the table."""
    folder = tmp_path_factory.mktemp("pipes")
    shutil.copytree(ROOT / "transforms", folder / "transforms")
    (row,) = re.findall(r"```yaml\n(  - \{customcrm: .*\})\n```", readme)
    table = folder / "transforms/customer.yml"
    written = table.read_text(encoding="utf-8")
    if "tripletex: invoiceEmail" not in written:
        table.write_text(f"{written.rstrip()}\n{row}\n", encoding="utf-8")
    (mapper,) = re.findall(r'`(\{"direction": .*?\})` in `mapper\.json`', " ".join(readme.split()))
    lines = [
        line for line in re.findall(r"^(?:tap-customcrm|tail) .*$", readme, re.MULTILINE) if normal(line) in RUN_HERE
    ]
    assert len(lines) == 2
    with sandbox.running("empty") as systems:
        crm, tripletex = systems.customcrm, systems.tripletex
        crm.create("customers", Name="Fjord AS", OrganizationNumber="923 609 016", Email="post@fjord.example.no")
        tokens = {"consumer_token": tripletex.consumer_token, "employee_token": tripletex.employee_token}
        links_url = f"sqlite:///{folder}/links.db"
        for name, content in {
            "tap": {"api_url": crm.api_url, "api_key": crm.api_key},
            "mapper": json.loads(mapper),
            "target": {"api_url": tripletex.api_url, **tokens, "links_url": links_url},
        }.items():
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        ended = []
        for _ in range(2):
            systems.clear_requests()
            ended.append(
                subprocess.run(
                    ["bash", "-o", "pipefail", "-c", " && ".join(lines)],
                    cwd=folder,
                    env={**ENVIRONMENT, "PATH": f"{BIN}:{os.environ['PATH']}"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
            )
        yield ended, tripletex.all("customer"), list(tripletex.requests), folder


def test_the_pipe_carries_a_record_over_and_the_second_time_nothing(piped):
    (first, second), customers, requests_of_the_second, folder = piped
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "customer: 1 created" in first.stderr
    assert "customer: 1 unchanged" in second.stderr
    assert [one["name"] for one in customers] == ["Fjord AS"]
    assert requests_of_the_second == []
    assert set(json.loads((folder / "state.json").read_text())["bookmarks"]) == {"contact", "customer", "product"}


def test_the_further_property_of_the_readme_is_written_to_a_new_customer(piped):
    _, (customer,), _, _ = piped
    assert customer["invoiceEmail"] == "post@fjord.example.no"


@pytest.mark.parametrize(("side", "id_name", "name"), [("customcrm", "Id", "Name"), ("tripletex", "id", "name")])
def test_a_target_behind_any_other_tap_is_an_ordinary_one(side, id_name, name, tmp_path):
    with sandbox.running("empty") as systems:
        system = getattr(systems, side)
        known = system.create("customer", **{name: "Gammel AS"})
        credentials = {
            "customcrm": {"api_key": systems.customcrm.api_key},
            "tripletex": {"consumer_token": systems.tripletex.consumer_token}
            | {"employee_token": systems.tripletex.employee_token},
        }
        properties = {id_name: {"type": ["string", "integer", "null"]}, name: {"type": "string"}}
        records = [{id_name: known[id_name], name: "Omdøpt AS"}, {name: "Ny AS"}]
        messages = [
            {"type": "SCHEMA", "stream": "customer", "key_properties": [], "schema": {"properties": properties}},
            *({"type": "RECORD", "stream": "customer", "record": record} for record in records),
        ]
        config = {"api_url": system.api_url, **credentials[side], "create_without_match": True}
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / "messages.jsonl").write_text("\n".join(json.dumps(one) for one in messages), encoding="utf-8")
        command = f"target-{side} --config config.json < messages.jsonl"
        assert command in RUN_HERE
        ended = subprocess.run(
            ["bash", "-c", f"{BIN}/{command}"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert sorted(one[name] for one in system.all("customer")) == ["Ny AS", "Omdøpt AS"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["config.json", "messages.jsonl"]


# -- Meltano


@pytest.fixture(scope="module")
def meltano(tmp_path_factory):
    """Run Meltano in a copy of the project: the checkout's own .env may hold the credentials of a real company."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copy2(ROOT / "meltano.yml", copy)
    shutil.copytree(ROOT / "transforms", copy / "transforms")
    (copy / ".venv").symlink_to(BIN.parent)

    def run(*arguments, **settings):
        ended = subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=copy,
            env={**ENVIRONMENT, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
        return ended.stdout + ended.stderr

    return run


LINES = (
    "tap-customcrm customcrm-to-tripletex target-tripletex",
    "tap-tripletex tripletex-to-customcrm target-customcrm",
)


def test_meltano_lists_jobs_and_schedules(meltano):
    assert f"two-way: {list(LINES)}" in meltano("job", "list")
    assert "[@hourly] job hourly: two-way" in meltano("schedule", "list")


def test_meltano_tells_the_settings_but_no_secret(meltano):
    secret = "only-for-this-test-4711"
    told = meltano(
        "--environment=production", "config", "list", "target-tripletex", "--all",
        TRIPLETEX_EMPLOYEE_TOKEN=secret, TARGET_TRIPLETEX_LINKS_URL=f"postgresql://kari:{secret}@localhost/links",
    )  # fmt: skip
    for name in ("api_url", "employee_token", "links_url", "max_delete_share", "sync_name"):
        assert f"TARGET_TRIPLETEX_{name.upper()}" in told
    assert secret not in told


# The command without --full-refresh is tried with it.
@pytest.mark.parametrize(
    "command", ["--environment=production run two-way --full-refresh", "--environment=test run two-way"]
)
def test_meltano_understands_the_cycle(meltano, command):
    assert f"meltano {command}" in RUN_HERE
    told = meltano(*command.split(), "--dry-run")
    for line in LINES:
        first, *_, last = line.split()
        assert first in told
        assert last in told


def test_a_second_meltano_has_a_folder_of_its_own(meltano, tmp_path):
    meltano("--environment=test", "run", "two-way", "--dry-run", MELTANO_SYS_DIR_ROOT=str(tmp_path / "own"))
    assert (tmp_path / "own").is_dir()


def test_meltano_hands_the_plan_over(meltano):
    told = meltano("--environment=production", "invoke", "dataflow:plan", "--help")
    assert "Show what the next cycle would do" in told


def test_meltano_hands_the_doctor_over(meltano):
    told = meltano("--environment=test", "invoke", "dataflow:doctor", "--write", "--json", "--help")
    assert "Ask a Tripletex company how it does what differs between companies" in told


# -- the link store


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="SQLite's own command is not installed")
def test_a_store_that_is_in_use_is_backed_up_whole(tmp_path):
    (tmp_path / "var").mkdir()
    with Store(f"sqlite:///{tmp_path}/var/links.db", ("customcrm", "tripletex")) as store:
        subprocess.run(["bash", "-c", BACKUP], cwd=tmp_path, check=True)
        key = store.prints.of("x")
    with Store(f"sqlite:///{tmp_path}/var/links-backup.db", ("customcrm", "tripletex")) as backup:
        assert backup.prints.of("x") == key
