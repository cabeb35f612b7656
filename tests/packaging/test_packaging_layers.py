"""Data runs one way down: what the code's own imports say of packages and plugins."""

from __future__ import annotations

import ast
import graphlib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(
    path.parent for pattern in ("packages/*/*/__init__.py", "ta*-*/*/__init__.py") for path in ROOT.glob(pattern)
)

SQL = ("sqlalchemy", "sqlite3", "alembic", "psycopg")
HTTP = ("requests", "urllib3", "api_transport")
SINGER = ("singer_sdk", "singer_edge")
PURE = (
    *("values", "canonical", "fingerprint", "record", "record_id", "rules", "intent", "waiting", "conflict"),
    *("plan", "matching", "breaker", "outcome", "agreement", "sent_records", "pairing"),
)
STEPS = ("recovery", "updating", "linking", "creating", "creation", "parked", "presence", "deletions", "put_back")


@cache
def modules() -> dict[str, Path]:
    """Every module that is not a test, by its name."""
    found = {}
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            if "tests" not in parts:
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name: str) -> set[str]:
    """All that a module imports, wherever in it that stands; what is for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules_named = whole & modules().keys()
            found |= modules_named
            if len(modules_named) < len(whole):
                found.add(node.module)
    return found


def is_of(imported: str, libraries: tuple[str, ...]) -> bool:
    return imported.split(".", maxsplit=1)[0] in libraries


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: imports_of(name) & modules().keys() - {name} for name in modules()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' imports '.join(reversed(error.args[1]))}")


@pytest.mark.parametrize("name", PURE)
def test_what_decides_does_no_input_or_output(name):
    imported = imports_of(f"record_sync.{name}")
    assert not [one for one in imported if is_of(one, (*SQL, *HTTP, *SINGER))]
    inner = {one.split(".")[1] for one in imported if one.startswith("record_sync.")}
    assert inner <= {*PURE, "errors"}


def test_only_ledger_and_store_speak_sql():
    speaking = {
        name
        for name in modules()
        if name.startswith("record_sync.") and any(is_of(one, SQL) for one in imports_of(name))
    }
    allowed = ("record_sync.ledger", "record_sync.store", "record_sync.testing")
    # Candidates are kept beside the process, in a database of their own that goes with it.
    assert {one for one in speaking if not one.startswith(allowed)} == {"record_sync.candidates"}


def test_record_sync_knows_neither_http_nor_singer_nor_a_system():
    systems = ("tripletex_client", "customcrm_client", "target_tripletex", "target_customcrm", "dataflow")
    for name in modules():
        if name.startswith("record_sync"):
            assert not [one for one in imports_of(name) if is_of(one, (*HTTP, *SINGER, *systems))], name


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_given_the_flow_and_knows_nobody_above_it(name):
    above = {"record_sync.flow_sync", "record_sync.session"}
    assert not imports_of(f"record_sync.{name}") & above


def test_the_flow_has_no_behaviour():
    (flow,) = [
        node
        for node in ast.parse(modules()["record_sync.flow"].read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    assert not [node for node in flow.body if isinstance(node, ast.FunctionDef)]
