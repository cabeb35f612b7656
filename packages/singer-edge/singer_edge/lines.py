"""The lines that Singer messages come in: checked before anything is done with them, and never shown when one is wrong.

A line holds people's data, so an error tells its number and what is wrong with it, not what is in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import msgspec
from api_transport.json_text import NotJson, finite, read_patiently

from singer_edge.errors import RunFailed

NEEDED: Mapping[str, Mapping[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": dict},
    "ACTIVATE_VERSION": {"stream": str, "version": int},
    "BATCH": {"stream": str},
}
"""The types of messages, and what each must have."""

_decode = msgspec.json.Decoder().decode


def lines_of(file_input: IO[str] | None) -> Iterator[bytes | str]:
    """The lines of a file, or of standard input. Raises RunFailed where it cannot be read."""
    try:
        yield from sys.stdin.buffer if file_input is None else file_input
    except OSError as error:
        raise RunFailed(f"The input cannot be read: {error.strerror}.") from None


def message_of(
    line: bytes | str,
    number: int,
    decode: Callable[[bytes | str], Any] = _decode,
    number_type: Callable[[str], Any] = finite,
) -> dict[str, Any]:
    """The message in a line.

    Args:
        line: one JSON object.
        number: of the line, for errors.
        decode: reads JSON in good order.
        number_type: makes a number with a fraction or exponent of its text, where `decode` did not take the line.

    Raises:
        RunFailed: it is not JSON, or no Singer message.

    """
    try:
        message = decode(line)
    except RecursionError:
        raise too_deep(number) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        message = _patiently(line, number, error, number_type)
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in NEEDED:
        raise RunFailed(f"Line {number} of the input is not a Singer message: its type is none of {', '.join(NEEDED)}.")
    for key, expected in NEEDED[kind].items():
        if type(message.get(key)) is not expected:
            raise RunFailed(f"Line {number} of the input is a {kind} whose {key} is missing or of the wrong type.")
    return message  # type: ignore[no-any-return]


def too_deep(number: int) -> RunFailed:
    """What ends a run whose input holds JSON that no reader here gets to the bottom of."""
    return RunFailed(f"Line {number} of the input is nested too deeply.")


def _patiently(line: bytes | str, number: int, error: Exception, number_type: Callable[[str], Any]) -> Any:
    try:
        return read_patiently(line, number_type)
    except NotJson:
        reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
        raise RunFailed(
            f"Line {number} of the input is cut off or not JSON ({reason}). Whatever writes it has stopped in the "
            "middle or prints something else; see its log, which belongs on standard error."
        ) from None
