"""Settings of a plug-in: how they are described, and what is wrong with those that somebody gave.

Every fault becomes a sentence that names the setting and what to do; the value of a secret setting never shows.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from dotenv import find_dotenv
from dotenv.main import DotEnv
from singer_sdk import typing as th
from singer_sdk.configuration._dict_config import TRUTHY
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR, extend_validator_with_defaults

from singer_edge.errors import one_line
from singer_edge.times import parse_moment

Check = Callable[[str], None]
"""Raises ValueError, saying what is wrong, where a text is not what the setting needs."""

FALSY = ("false", "0", "no", "off")

PREVIEW = 60
"""Characters of a wrong value that are shown."""

_VALIDATOR = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)


def api_url(default: str | None = None, *, example: str) -> th.Property[str]:
    """The setting for the address of a system's API."""
    return th.Property(
        "api_url",
        th.StringType(nullable=False),
        required=default is None,
        default=default,
        title="API URL",
        description=f"Base address of the API, for example {example}",
    )


def start_date(bounds: str) -> th.Property[str]:
    """The setting for the moment before which nothing is read."""
    return th.Property(
        "start_date",
        th.StringType(nullable=False),
        title="Start date",
        description=(
            f"Oldest change to read ({bounds}), as 2024-01-31 or 2024-01-31T00:00:00Z. Leave it out for a "
            "two-way sync: with it nothing is known of older records, and deletions are not noticed"
        ),
    )


def full_read_every() -> th.Property[float]:
    """The setting for how often everything is read again."""
    return th.Property(
        "full_read_every",
        th.NumberType(minimum=0, nullable=False),
        default=24,
        title="Full read every",
        description=(
            "Hours after which a run reads everything again instead of the changes only, which is how deleted "
            "records are noticed. 0: every run"
        ),
    )


def max_concurrent_requests(default: int) -> th.Property[int]:
    """The setting for how many requests are under way at once."""
    return th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=32, nullable=False),
        default=default,
        title="Requests at a time",
        description=(
            "So many requests may be under way at once; fewer where the API has not many left to give in its period"
        ),
    )


def check_api_url(text: str) -> None:
    """An API's address is absolute, http or https, and carries neither credentials nor a query."""
    if any(character.isspace() for character in text):
        raise ValueError("has blanks or line breaks in it")
    address = urlsplit(text)
    if address.scheme.lower() not in ("http", "https") or not address.hostname:
        raise ValueError("must begin with https:// (or http://) and a host")
    _ = address.port  # raises ValueError where it is no port number
    if address.username is not None or address.password is not None:
        raise ValueError("must not hold a user name or password")
    if address.query or address.fragment:
        raise ValueError("must not have a '?' or '#' part")


def check_moment(text: str) -> None:
    """A moment is a date or an RFC 3339 time."""
    parse_moment(text)


def check_zone(text: str) -> None:
    """A time zone is known by its IANA name."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise ValueError("is not a time zone; give a name like Europe/Oslo") from None


def check_secret(text: str) -> None:
    """A key or token travels in a header or an address: printable ASCII without blanks."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds blanks, line breaks or letters that no key has; was it pasted whole and alone?")


CHECKS: Mapping[str, Check] = {"api_url": check_api_url, "start_date": check_moment, "timezone": check_zone}
"""What is looked at beyond the type, by the name of the setting."""


def given(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that hold something: an empty environment variable or null is a setting not given."""
    return {name: value for name, value in config.items() if value is not None and value != ""}


def from_environment(
    schema: Mapping[str, Any], prefix: str, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The settings that environment variables hold, empty ones left out.

    Where no `environment` is given they are the process's own, and those of a .env file, as the SDK has it. A text that
    is not of the setting's type is kept as it is, for `faults` to name.
    """
    if environment is None:
        # As the SDK does, but for the byte order mark that Windows' editors put before the first name.
        DotEnv(find_dotenv(), encoding="utf-8-sig").set_as_environment_variables()
        environment = os.environ
    found = {}
    for name, described in schema.get("properties", {}).items():
        text = environment.get(prefix + name.upper().replace("-", "_"), "")
        if text:
            found[name] = _typed(text, described)
    return found


def _typed(text: str, described: Mapping[str, Any]) -> Any:
    kinds = described.get("type", [])
    if "string" in kinds:
        return text
    if "boolean" in kinds:
        return {**dict.fromkeys(TRUTHY, True), **dict.fromkeys(FALSY, False)}.get(text.lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def secrets_in(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """The texts that must not show: the values of secret settings, and of secret addresses what is secret in them."""
    found: list[str] = []
    for name, described in schema.get("properties", {}).items():
        if described.get("secret") and name in config:
            value = str(config[name])
            # Where a database is has to be told, when it cannot be reached.
            found += _secrets_in_url(value) if name.endswith("_url") else [value]
    return found


def _secrets_in_url(url: str) -> list[str]:
    try:
        address = urlsplit(url)
        password = address.password
    except ValueError:
        return [url]
    queried = [value for name, value in parse_qsl(address.query) if "pass" in name.lower()]
    return [form for secret in (password, *queried) if secret for form in (secret, unquote(secret))]


def faults(
    config: dict[str, Any],
    schema: Mapping[str, Any],
    *,
    plugin: str,
    own: Mapping[str, Any],
    checks: Mapping[str, Check] = CHECKS,
    complete: bool = True,
) -> list[str]:
    """What is wrong with a configuration, a sentence each; defaults are filled in on the way.

    ``own`` are the settings of the plug-in's own, named where no known setting is near an unknown one.
    Without ``complete`` a required setting may be missing (discovery needs none).
    """
    found = list(_unknown(config, schema, own))
    for error in _VALIDATOR(schema).iter_errors(config):
        if error.validator == "required" and not error.absolute_path:
            found += _missing(config, schema, plugin) if complete else []
        else:
            found.append(_wrong(error, schema))
    found += _checked(config, schema, checks)
    return list(dict.fromkeys(found))


def _unknown(config: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    known = list(schema.get("properties", {}))
    for name in config:
        # Meltano keeps its own extras under such names, and people their comments.
        if name in known or name.startswith("_"):
            continue
        near = difflib.get_close_matches(name.lower(), known, n=1)
        if near:
            yield f"unknown setting '{name}' – did you mean '{near[0]}'?"  # noqa: RUF001 - a dash for people
        else:
            yield f"unknown setting '{name}'; there are {', '.join(sorted(own))}"


def _missing(config: Mapping[str, Any], schema: Mapping[str, Any], plugin: str) -> list[str]:
    prefix = plugin.upper().replace("-", "_")
    return [
        f"missing setting '{name}' ({_title(name, schema)}): "
        f"set it in the configuration file, or as {prefix}_{name.upper()}"
        for name in schema.get("required", [])
        if name not in config
    ]


def _wrong(error: Any, schema: Mapping[str, Any]) -> str:
    path = [str(part) for part in error.absolute_path]
    if not path:
        return one_line(error.message)[:500]
    name = ".".join(path)
    is_secret = schema["properties"].get(path[0], {}).get("secret")
    shown = "" if is_secret else f", not {preview(error.instance)}"
    if error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"setting '{name}' must be of type {' or '.join(kind for kind in kinds if kind != 'null')}{shown}"
    if error.validator in ("minimum", "maximum"):
        bound = {"minimum": "at least", "maximum": "at most"}[error.validator]
        return f"setting '{name}' must be {bound} {error.validator_value}{shown}"
    if is_secret:
        return f"setting '{name}' is not as it must be ({error.validator})"
    return f"setting '{name}': {one_line(error.message)[:300]}"


def _checked(config: Mapping[str, Any], schema: Mapping[str, Any], checks: Mapping[str, Check]) -> Iterator[str]:
    for name, described in schema.get("properties", {}).items():
        secret = bool(described.get("secret"))
        # A secret address may hold what a path holds.
        check = checks.get(name, check_secret if secret and not name.endswith("_url") else None)
        text = config.get(name)
        if check is None or not isinstance(text, str):
            continue
        try:
            check(text)
        except ValueError as error:
            shown = "" if secret or name.endswith("_url") else f" {preview(text)}"
            yield f"setting '{name}'{shown}: {error}"


def preview(value: Any) -> str:
    """A wrong value, cut short."""
    text = one_line(repr(value))
    return text if len(text) <= PREVIEW else text[:PREVIEW] + "…"


def _title(name: str, schema: Mapping[str, Any]) -> str:
    return str(schema["properties"].get(name, {}).get("title") or name)
