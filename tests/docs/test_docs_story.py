"""The README's account is what `make sync` prints without credentials, which is `sandbox sync`.

`UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs/test_docs_story.py` writes it anew.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
README = ROOT / "README.md"
SHOWN = re.compile(r"    First run\n(?:    .*\n)+?    …\n    .*\n")
OURS = ("MELTANO_", "TAP_", "TARGET_", "CUSTOMCRM_", "TRIPLETEX_")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """What the command prints, in a copy of the project."""
    copy = tmp_path_factory.mktemp("project")
    shutil.copy2(ROOT / "meltano.yml", copy)
    shutil.copytree(ROOT / "transforms", copy / "transforms")
    (copy / ".venv").symlink_to(BIN.parent)
    ended = subprocess.run(
        [BIN / "sandbox", "sync"],
        cwd=copy,
        env={**ENVIRONMENT, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    logs = [path.read_text(encoding="utf-8")[-1500:] for path in copy.glob("var/*.log")] if ended.returncode else []
    assert ended.returncode == 0, "\n".join([ended.stdout, ended.stderr, *logs])
    return ended.stdout


def table(story, title):
    """A table of the story, without the blanks at the ends of its lines."""
    lines = [line.rstrip() for line in story.splitlines()]
    start = lines.index(title)
    end = next(number for number in range(start, len(lines)) if lines[number].startswith("└"))
    return lines[start : end + 1]


def test_the_story_ends_with_a_run_that_writes_nothing(story):
    said = " ".join(story.split())
    assert "No credentials in .env" in said
    assert "Both systems say the same: the third run made no write request" in said


def test_the_account_in_the_readme_is_the_one_that_is_printed(story):
    proof = re.search(
        r"Both systems say the same: the third run made no write request", " ".join(story.split())
    ).group()
    account = textwrap.indent("\n".join([*table(story, "First run"), "…", proof, ""]), "    ")
    text = README.read_text(encoding="utf-8")
    assert len(SHOWN.findall(text)) == 1
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(SHOWN.sub(lambda _: account, text), encoding="utf-8")
    assert SHOWN.search(README.read_text(encoding="utf-8")).group() == account, "run with UPDATE_DOCS=1"


def test_after_the_edits_only_they_are_written(story):
    second = table(story, "Second run")
    header = re.split("[┃│]", second[2])
    columns = [name.strip() for name in header]
    for line in second[4:]:
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) == len(columns):
            row = dict(zip(columns, cells, strict=True))
            assert (row["Matched"], row["Created"], row["Waiting"]) == ("·", "·", "·"), line
