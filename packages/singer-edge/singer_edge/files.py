"""Files named on a plug-in's command line: read once, refused in one line where they make no sense."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from singer_edge.errors import UnusableFile

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    # Only newer versions of click let it be subscripted.
    _ParamType = click.ParamType


class _Breadcrumb(msgspec.Struct):
    breadcrumb: list[str]
    metadata: dict[str, Any]


class _Entry(msgspec.Struct):
    tap_stream_id: str
    schema: dict[str, Any] = {}
    metadata: list[_Breadcrumb] = []
    key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None


class _Catalog(msgspec.Struct):
    streams: list[_Entry]


class _State(msgspec.Struct):
    bookmarks: dict[str, dict[str, Any]] = {}


NOTHING_READ = "{}"
"""The state of a tap that has read nothing yet."""

_logger = logging.getLogger(__name__)

SHAPES: dict[str, type[msgspec.Struct]] = {"--catalog": _Catalog, "--state": _State}


def read_object(path: str, option: str) -> dict[str, Any]:
    """The JSON object in a file (``-``: standard input). Raises UnusableFile, naming the option and the file."""
    return _object_in(_text_of(path, option), option, path)


def _text_of(path: str, option: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableFile(f"{option} {path}: this is not UTF-8 text; a JSON file is needed") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise UnusableFile(f"{option} {path}: {reason}") from None


def _object_in(text: str, option: str, path: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnusableFile(f"{option} {path}: not JSON ({error.msg}, {where})") from None
    except RecursionError:
        raise UnusableFile(f"{option} {path}: nested too deeply") from None
    if not isinstance(found, dict):
        raise UnusableFile(f"{option} {path}: a JSON object is needed, this is {_kind(found)}")
    check_shape(found, option, f"{option} {path}")
    return found


def check_shape(found: dict[str, Any], option: str, where: str) -> None:
    """Raise UnusableFile where a catalog or a state is not built as Singer has it."""
    shape = SHAPES.get(option)
    if shape is None:
        return
    try:
        msgspec.convert(found, shape)
    except msgspec.ValidationError as error:
        raise UnusableFile(f"{where}: not a Singer {option[2:]}: {error}") from None


class SingerFile(_ParamType):
    """A command line option that names a JSON file, given to the SDK as the open file it expects."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        """Read and check the file now, while its name can still be told."""
        if not isinstance(value, str):
            return value
        option = param.opts[0] if param is not None else "file"
        text = NOTHING_READ if option == "--state" and _is_empty(value) else _text_of(value, option)
        _object_in(text, option, value)
        return io.StringIO(text)


def _is_empty(path: str) -> bool:
    """Whether a state file is not there yet, or a run that emitted no state left nothing in it."""
    try:
        is_empty = path != "-" and (not Path(path).exists() or (Path(path).is_file() and not Path(path).stat().st_size))
    except (OSError, ValueError):
        return False
    if is_empty:
        _logger.warning("--state %s: there is no state in it yet, so everything is read", path)
    return is_empty


def _kind(found: Any) -> str:
    return {list: "a list", str: "a text", type(None): "null", bool: "true or false"}.get(type(found), "a number")
