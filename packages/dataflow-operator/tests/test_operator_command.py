"""The command as a program: output, exit codes, documentation, and Meltano's way in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
import pytest
from dataflow_operator.cli import main
from dataflow_operator.connections import TARGETS as CLASSES
from dataflow_operator.testing.world import NOTHING
from dataflow_operator.timestamps import age
from record_sync.record import SourceRecord

pytest_plugins = ["dataflow_operator.testing.fixtures"]

BIN = Path(sys.executable).parent
TARGETS = {target.side: target for target in CLASSES}
ROOT = Path(__file__).parents[3]
OURS = ("MELTANO_", "TAP_", "TARGET_", "DATAFLOW_", "LINKS_URL", "COLUMNS", "FORCE_COLOR", "PYTEST")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@pytest.fixture
def program(world, starter):
    """The console script as a process of its own."""

    def run(*arguments, **settings):
        return starter.run("dataflow", *arguments, environment={**ENVIRONMENT, "LINKS_URL": world.url, **settings})

    return run


HOSTILE = (
    "[bold red]Fjord[/] <script>alert(1)</script> =1+1 \x1b[31m\x07\x9b\u202eSA\u2066 \u05d0\u05d1 :boom:\r\nny linje"
)
SHOWN = (
    r"[bold red]Fjord[/] <script>alert(1)</script> =1+1 \x1b[31m\x07\x9b\u202eSA\u2066 "
    "\u05d0\u05d1"
    r" :boom:\r\nny linje"
)
STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile(world):
    """Names, ids, refusals and an error by strangers."""
    tripletex_id = world.pair()
    world.crm.put("customer", "c1", Name=HOSTILE)
    world.tripletex.put("customer", tripletex_id, name="[/] \x1b]0;owned\x07")
    world.cycle(conflict="manual")
    world.tripletex.refuse = lambda _values: f"Ugyldig: {HOSTILE}"
    world.crm.put("customer", "[red]a/b?c\x1b[2J\n", Name=HOSTILE * 100)
    world.run("tripletex", conflict="manual")
    session = world.begin("tripletex")
    session.close("failed", f"[bold] {HOSTILE}")


def numbers(dataflow):
    failure = next(one for one in dataflow("failures", "--json").told["failures"] if one["kind"] == "parked")
    (conflict,) = dataflow("conflicts", "--json").told["conflicts"]
    return str(failure["id"]), str(conflict["id"])


def test_every_command_runs_as_a_program_in_tables_and_in_json(world, program, hostile, dataflow):
    failure, conflict = numbers(dataflow)
    commands = (
        ("status",),
        ("links", "--id", "c1"),
        ("failures",),
        ("failures", "show", failure),
        ("failures", "retry", failure),
        ("conflicts", "list", "--all"),
        ("conflicts", "show", conflict),
        ("conflicts", "resolve", conflict, "--take", "customcrm"),
        ("let-through", "customer", "deletions"),
        ("let-through", "customer", "deletions", "--undo"),
        ("runs",),
        ("failures", "drop", failure, "--yes"),
    )
    assert {" ".join(one[:2]) for one in commands} >= {"failures drop", "conflicts resolve"}
    for arguments in commands:
        if arguments[1:2] != ("drop",):
            said = dataflow(*arguments, "--json")
            assert (said.code, said.err, said.out.isascii()) == (0, "", True), arguments
            assert isinstance(said.told, dict)
        ended = program(*arguments)
        assert (ended.returncode, ended.stderr) == (0, ""), arguments
        assert ended.stdout.endswith("\n")
        assert STEERS.search(ended.stdout) is None, arguments


def test_what_strangers_wrote_is_shown_literally(hostile, dataflow):
    failure, conflict = numbers(dataflow)
    assert SHOWN in dataflow("conflicts", "show", conflict).out
    assert r"[/] \x1b]0;owned\x07" in dataflow("conflicts", "show", conflict).out
    assert f"Ugyldig: {SHOWN}"[:100] in dataflow("failures").out
    assert r"[red]a/b?c\x1b[2J\n" in dataflow("failures").out
    assert f"[bold] {SHOWN}" in dataflow("runs").out
    shown = dataflow("failures", "show", failure, "--json").told
    assert shown["content"]["source"]["Name"] == HOSTILE * 100
    assert r"\x1b[2J" in dataflow("links", "--id", "\x1b[2J").out


def test_a_narrow_terminal_folds_and_loses_nothing(world, program):
    with world.begin("tripletex") as session:
        values = {"Name": "x" * 200, "Ærlig": "y" * 70}
        session.flows["customer"].park_all_invalid([(SourceRecord("c1", None, None, {}, values), "z" * 150)])
    for arguments, letters in ((("failures", "show", "1"), "xyz"), (("failures",), "z")):
        ended = program(*arguments, COLUMNS="70")
        assert ended.returncode == 0
        assert max(map(len, ended.stdout.splitlines())) <= 70
        for letter in letters:
            assert ended.stdout.count(letter) >= {"x": 200, "y": 70, "z": 150}[letter]


def test_values_that_are_no_texts_are_told_from_those_that_are(world, dataflow):
    with world.begin("tripletex") as session:
        values = {"a": None, "b": "", "c": " ", "d": True, "e": 1e308, "f": [1, "\u202e"], "g": "null"}
        session.flows["customer"].park_all_invalid([(SourceRecord("c1", None, None, {}, values), "not a valid record")])
    (row,) = dataflow("failures", "--json").told["failures"]
    said = dataflow("failures", "show", str(row["id"])).out
    found = dict(line.split(maxsplit=1) for line in said.splitlines() if re.match(r"\s+[a-g] ", line))
    assert {name: value.strip() for name, value in found.items()} == {
        "a": "(no value)",
        "b": '""',
        "c": '" "',
        "d": "true",
        "e": "1e+308",
        "f": r'[1, "\u202e"]',
        "g": "null",
    }


def test_a_terminal_without_norwegian_letters_shows_them_as_codes(world):
    world.pair()
    world.crm.put("customer", "blåbær", Name="Ærlig AS")
    world.run("tripletex")
    environment = {**ENVIRONMENT, "LINKS_URL": world.url, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(
        [BIN / "dataflow", "links", "--id", "blåbær"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert r"bl\xe5b\xe6r" in ended.stdout


def test_a_reader_that_leaves_early_is_no_failure_to_talk_about(world, program):
    for number in range(40):
        world.crm.put("customer", f"c{number}", Name=f"Kunde {number}")
    world.run("tripletex")
    piped = subprocess.run(
        ["sh", "-c", '"$0" links --json | head -1', BIN / "dataflow"],
        env={**ENVIRONMENT, "LINKS_URL": world.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (piped.stdout, piped.stderr) == ("{\n", "")


def test_programs_read_while_a_run_holds_the_store(world, program):
    world.pair()
    session = world.begin("customcrm")
    ended = program("status")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "running, or killed" in ended.stdout
    ended = program("let-through", "customer", "deletions")
    assert ended.returncode == 1
    assert f"process {os.getpid()} on" in ended.stderr
    session.close("done")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nonsense",), "No such command 'nonsense'; see dataflow --help"),
        (("links", "--nonsense"), "No such option '--nonsense'"),
        (("failures", "show"), "Missing argument 'NUMBER'; see dataflow failures show --help"),
        (("failures", "show", "x"), "'x' is not a valid integer"),
        (("conflicts", "resolve", "1"), "Missing option '--take'"),
        (("runs", "--limit", "0"), "0 is not in the range"),
        (("failures", "--kind", "lost"), "'lost' is not one of 'parked'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(world, program, arguments, told):
    ended = program(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("dataflow: ")
    assert ended.stderr.count("\n") == 1
    assert told in ended.stderr


def test_options_of_all_commands_may_stand_before_or_behind(world, dataflow):
    world.run("tripletex", records=NOTHING)
    before = dataflow("--json", "--sync-name", "default", "runs").told
    assert before == dataflow("runs", "--json", "--sync-name", "default").told
    assert dataflow("--links-url", "nonsense", "runs").code == 1
    assert "Commands:" in dataflow().out


def test_ages_are_told_in_their_two_largest_units():
    moment = datetime(2026, 5, 17, 12, tzinfo=timezone.utc)
    for span, told in (
        (timedelta(seconds=-5), "0.0 s"),
        (timedelta(seconds=2.25), "2.2 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
        (timedelta(days=1, minutes=5), "1 d"),
        (timedelta(days=400), "400 d"),
    ):
        assert age(moment - span, moment) == told


# -- documentation


def commands(command=main, path="dataflow"):
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


def test_every_command_and_option_is_documented():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    found = list(commands())
    assert len(found) > 12
    missing = [path for path, _ in found if f"`{path}" not in readme and f"{path}\n" not in readme]
    options = {
        option
        for _, command in found
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--version"
    }
    missing += [option for option in sorted(options) if option not in readme]
    assert missing == []


def test_the_help_of_every_command_says_what_it_does():
    for path, command in commands():
        assert command.help, path
        assert all(
            getattr(parameter, "help", "said elsewhere")
            for parameter in command.params
            if isinstance(parameter, click.Option)
        ), path


def test_the_readme_names_no_command_that_is_not_there():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    known = {path for path, _ in commands()}
    for path in re.findall(r"`(dataflow [a-z-]+)", readme):
        assert path in known


# -- Meltano


def test_meltano_runs_the_command_with_the_store_of_its_environment(world, dataflow, tmp_path):
    world.pair()
    project = tmp_path / "project"
    (project / "var").mkdir(parents=True)
    shutil.copy2(ROOT / "meltano.yml", project)
    shutil.copytree(ROOT / "transforms", project / "transforms")
    (project / ".venv").symlink_to(BIN.parent)
    (tmp_path / "links.db").rename(project / "var/sandbox-links.db")

    def meltano(*arguments, **settings):
        return subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=project,
            env={**ENVIRONMENT, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    ended = meltano("invoke", "dataflow:status", "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["store"].endswith("/var/sandbox-links.db")
    assert [one["linked"] for one in told["flows"]] == [0, 1]
    # A target's own setting goes before what meltano.yml says of the utility.
    moved = f"sqlite:///{project}/var/moved.db"
    ended = meltano("--environment=production", "invoke", "dataflow:runs", TARGET_CUSTOMCRM_LINKS_URL=moved)
    assert ended.returncode == 1
    assert "There is no link store" in ended.stdout + ended.stderr
    assert "moved.db" in ended.stdout + ended.stderr


def test_meltano_knows_the_commands_and_keeps_the_address_to_itself():
    from ruamel.yaml import YAML

    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    (utility,) = [one for one in project["plugins"]["utilities"] if one["name"] == "dataflow"]
    assert set(utility["commands"]) == set(main.commands)
    assert all(command["args"] == name for name, command in utility["commands"].items())
    sensitive = {one["name"]: one.get("sensitive", False) for one in utility["settings"]}
    assert sensitive.pop("links_url") is True
    assert sensitive.pop("sync_name") is False
    for side, target in TARGETS.items():
        described = target.settings_schema()["properties"]
        ours = {name.removeprefix(f"{side}_"): sensitive.pop(name) for name in list(sensitive) if name.startswith(side)}
        assert set(target.config_jsonschema.get("required", ())) <= set(ours)
        assert ours == {name: described[name].get("secret", False) for name in ours}
    assert sensitive == {}
    for environment in [project, *project["environments"]]:
        plugins = environment.get("plugins") or environment.get("config", {}).get("plugins") or {}
        loaders = [one.get("config", {}).get("links_url") for one in plugins.get("loaders", [])]
        ours = [one["config"]["links_url"] for one in plugins.get("utilities", []) if one["name"] == "dataflow"]
        assert set(ours) == set(loaders)
