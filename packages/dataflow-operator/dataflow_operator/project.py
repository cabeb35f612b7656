"""Which property tables a command works with: those that the project's own mappings name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflow.streams import absent, stream_schemas
from dataflow.tables import Dataflow
from located_yaml import Fault
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dataflow_operator import settings
from dataflow_operator.errors import OperatorError
from dataflow_operator.settings import told_of

MAPPINGS = Path("transforms/dataflow.meltano.yml")
"""Where the project says which tables make its mappings."""


def project_folder(environment: Mapping[str, str], folder: Path) -> Path:
    """The folder that paths are relative to: Meltano's project, else where the command was started."""
    return Path(environment.get("MELTANO_PROJECT_ROOT") or folder)


def dataflow_of(tables: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Dataflow:
    """The project's flows, read and checked; of these tables, where some are named.

    What the CRM's records are made of says its profile, which is found as `told_of` has it.

    Raises:
        OperatorError: the folder has no mappings, or the profile is wrong.
        TableError: a table is wrong.
    """
    # The other commands start without the SDK.
    from customcrm_client.settings import profile_of  # noqa: PLC0415
    from singer_edge.connections import PROFILE  # noqa: PLC0415
    from singer_sdk import typing as th  # noqa: PLC0415

    told = told_of("customcrm", th.PropertiesList(*PROFILE).to_dict(), environment)
    try:
        profile = profile_of(told)
    except Fault as error:
        raise OperatorError(str(error)) from None
    return Dataflow.load(list(tables) or tables_of(folder), folder, stream_schemas(profile), absent(profile))


def here(tables: Sequence[str] = ()) -> Dataflow:
    """Those of the project that the command was started in, with its settings."""
    return dataflow_of(tables, project_folder(os.environ, Path.cwd()), settings.environment(os.environ, Path.cwd()))


def tables_of(folder: Path) -> list[Any]:
    """The tables that the project's mappings name, in their order.

    Raises:
        OperatorError: there are no mappings here, or they name no tables.
    """
    file = folder / MAPPINGS
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        mappings = [one for mapper in content["plugins"]["mappers"] for one in mapper["mappings"]]
        named = [table for mapping in mappings for table in mapping["config"]["tables"]]
    except OSError:
        raise OperatorError(
            f"There is no {file}. Run this in the project's folder, or name the tables with --table."
        ) from None
    except (YAMLError, KeyError, TypeError, UnicodeDecodeError):
        raise OperatorError(
            f"{file} names no tables. Write plugins: mappers: mappings: config: tables: [...], "
            "or name the tables with --table."
        ) from None
    return [table for index, table in enumerate(named) if table not in named[:index]]
