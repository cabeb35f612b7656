"""Links in the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("README.md", "docs/**/*.md", "ta*-*/README.md", "packages/*/README.md", "sandbox/README.md")
    for path in ROOT.glob(pattern)
)
MEMBERS = sorted(path.parent for path in ROOT.glob("*/pyproject.toml")) + sorted(
    path.parent for path in ROOT.glob("packages/*/pyproject.toml")
)


def anchors(page):
    """The headings of a page as a browser finds them."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_are_there(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_package_has_a_readme_and_says_what_it_is():
    for folder in MEMBERS:
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert len(text.strip().splitlines()) >= 3, folder.name


def test_readme_and_pages_fit_a_screen_s_width():
    """Prose, that is: tables, code and headings are as long as they are."""
    long = []
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")):
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        generated = re.sub(r"<!-- settings:.*<!-- /settings -->", "", text, flags=re.DOTALL)
        long += [
            line
            for line in generated.splitlines()
            if len(line) > 140 and not line.lstrip().startswith("|") and not line.startswith("    ")
        ]
    assert long == []


def test_the_licence_is_the_one_that_the_packages_name():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    for folder in MEMBERS:
        assert 'license = "Apache-2.0"' in (folder / "pyproject.toml").read_text(encoding="utf-8"), folder.name
