"""Which link store and which sync name a command works with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from dataflow_operator.errors import OperatorError

TARGETS = ("TARGET_TRIPLETEX", "TARGET_CUSTOMCRM")
UTILITY = "DATAFLOW"
"""Meltano hands the utility's settings over under this name."""
STORES = {
    "": "var/links.db",
    "production": "var/links.db",
    "sandbox": "var/sandbox-links.db",
    "test": "var/test-links.db",
}
"""Where each Meltano environment of this project keeps its store."""


def environment(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables, and where they say nothing what the project's .env file says, as Meltano and the plugins take it.

    Args:
        variables: of the process.
        folder: where the command was started, if Meltano does not say where the project is.
    """
    file = Path(variables.get("MELTANO_PROJECT_ROOT") or folder) / ".env"
    told = dotenv_values(file, encoding="utf-8-sig") if file.is_file() else {}
    return {**{name: value for name, value in told.items() if value}, **variables}


def told_of(side: str, schema: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a side's plugins that a command takes over.

    A setting is what the target is told (``TARGET_TRIPLETEX_API_URL``), else what Meltano hands over of the utility's
    (``DATAFLOW_TRIPLETEX_API_URL``), else what the project's ``.env`` says for tap and target alike
    (``TRIPLETEX_API_URL``).

    Args:
        side: customcrm or tripletex.
        schema: what settings there are.
        environment: variables.
    """
    # The other commands start without the SDK.
    from singer_edge.settings import from_environment  # noqa: PLC0415

    name = side.upper()
    project, utility, target = (
        from_environment(schema, prefix, environment)
        for prefix in (f"{name}_", f"{UTILITY}_{name}_", f"TARGET_{name}_")
    )
    # What Meltano hands over empty, its environment means to be empty whatever stands in .env.
    emptied = {one for one in project if environment.get(f"{UTILITY}_{name}_{one.upper()}") == ""}
    return {one: value for one, value in project.items() if one not in emptied} | utility | target


def links_url(given: str | None, environment: Mapping[str, str], folder: Path) -> str:
    """The store's address: as given, else as the environment says, else the Meltano environment's own.

    Args:
        given: by the option ``--links-url``.
        environment: variables. What the targets are told goes before what Meltano tells the utility, since a
            person who moves the store tells the targets.
        folder: where paths begin that name no folder, if Meltano does not say where the project is.

    Raises:
        OperatorError: the targets are told different stores, or the Meltano environment is none of this project.
    """
    chosen = given or environment.get("LINKS_URL") or _told(environment, "LINKS_URL")
    if chosen:
        return chosen
    name = environment.get("MELTANO_ENVIRONMENT", "")
    if name not in STORES:
        raise OperatorError(
            f"The Meltano environment {name!r} has no link store that is known here. "
            "Say where it is with --links-url or LINKS_URL."
        )
    root = Path(environment.get("MELTANO_PROJECT_ROOT") or folder)
    return f"sqlite:///{root.absolute() / STORES[name]}"


def sync_name(given: str | None, environment: Mapping[str, str]) -> str:
    """The name under which the store keeps this company's rows.

    Raises:
        OperatorError: the targets are told different ones.
    """
    return given or _told(environment, "SYNC_NAME") or "default"


def _told(environment: Mapping[str, str], setting: str) -> str | None:
    names = [f"{target}_{setting}" for target in TARGETS]
    told = {environment[name] for name in names if environment.get(name)}
    if len(told) > 1:
        raise OperatorError(
            f"{' and '.join(names)} differ, though both targets need the same. "
            f"Put them right, or say --{setting.lower().replace('_', '-')}."
        )
    return next(iter(told), None) or environment.get(f"{UTILITY}_{setting}") or None
