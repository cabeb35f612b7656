"""docs/profiles.md tells every key that a profile may have, and its examples are profiles.

`UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs/test_docs_profiles.py` writes the tables anew from the structs.
"""

import os
import re
import types
import typing
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from customcrm_client import profile, profile_auth, profile_paging, profile_rate, profile_reading, profile_writing
from customcrm_client.loading import load, shipped
from located_yaml.structs import bare

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/profiles.md"
TABLES = re.compile(r"(<!-- keys: .*? -->\n).*?(<!-- end of keys -->)", re.DOTALL)
PARTS = (profile, profile_auth, profile_paging, profile_rate, profile_reading, profile_writing)
SECTIONS = {
    "A profile": [profile.Profile],
    "auth": list(get_args(profile_auth.Auth)),
    "streams.NAME": [profile.Stream],
    "streams.NAME.properties.PROPERTY": [profile.Property],
    "streams.NAME.properties.PROPERTY.relation": [profile_writing.Relation],
    "streams.NAME.properties.PROPERTY.relation.set, streams.NAME.properties.PROPERTY.relation.clear": [
        profile_writing.Call
    ],
    "streams.NAME.deleted, errors.flag": [profile.Mark],
    "streams.NAME.read": [profile_reading.Read],
    "streams.NAME.read.paging": list(get_args(profile_paging.Paging)),
    "streams.NAME.read.paging.end": [profile_paging.End],
    "streams.NAME.read.increments": [profile_reading.Increments],
    "streams.NAME.read.deletions": [profile_reading.Deletions],
    "streams.NAME.get": [profile_reading.Get],
    "streams.NAME.get_many": [profile_reading.GetMany],
    "streams.NAME.search": [profile_reading.Search],
    "streams.NAME.write": [profile_writing.Write],
    "streams.NAME.write.locking": list(get_args(profile_writing.Locking)),
    "streams.NAME.write.create": [profile_writing.Create],
    "streams.NAME.write.update": [profile_writing.Update],
    "streams.NAME.write.delete": [profile_writing.Delete],
    "streams.NAME.write.create.batch, streams.NAME.write.update.batch": [profile_writing.Batch],
    "errors": [profile.Errors],
    "rate": [profile_rate.Rate],
}
KINDS = {str: "text", int: "whole number", float: "number", bool: "true, false", dict: "mapping"}


def in_words(kind):
    inner, _ = bare(kind)
    origin = get_origin(inner)
    if inner is profile_reading.Params:
        return "parameters"
    if origin in (Union, types.UnionType):
        told = list(dict.fromkeys(in_words(one) for one in get_args(inner)))
        return "keys" if set(told) == {"keys"} else " or ".join(told)
    if origin is Literal:
        return " or ".join(f"`{str(one).lower() if isinstance(one, bool) else one}`" for one in get_args(inner))
    if origin is tuple:
        return f"list of {in_words(get_args(inner)[0])}"
    if origin is dict:
        return "mapping"
    if inner is type(None):
        return "null"
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        return "keys"
    return KINDS.get(inner, "anything")


def default_of(field):
    if field.required:
        return "**required**"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, msgspec.Struct):
        tag = type(value).__struct_config__.tag
        return f"`kind: {tag}`" if tag else ""
    if value in (None, (), {}, ""):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def declared(struct):
    """The types of a struct's keys, choices in the order in which they are written.

    `Literal["a", "b"] | None` equals `Literal["b", "a"] | None`, and typing hands out the one that the process made
    first, wherever that was.
    """
    for forget in typing._cleanups:
        forget()
    return get_type_hints(struct, include_extras=True)


def rows(struct):
    hints = declared(struct)
    for field in msgspec.structs.fields(struct):
        inner, said = bare(hints[field.name])
        assert said, f"{struct.__name__}.{field.name} says nothing of itself"
        yield f"| `{field.name}` | {in_words(inner)} | {default_of(field)} | {said} |"


def section(title, structs):
    lines = [f"### {title}" if title == "A profile" else f"### `{title}`", ""]
    if len(structs) == 1:
        lines += [
            structs[0].__doc__,
            "",
            "| Key | Is | If left out | |",
            "| --- | --- | --- | --- |",
            *rows(structs[0]),
        ]
        return "\n".join(lines)
    shared = [row for row in rows(structs[-1]) if all(row in list(rows(one)) for one in structs if list(rows(one)))]
    lines += ["| `kind` | | Its own keys |", "| --- | --- | --- |"]
    for struct in structs:
        own = [row for row in rows(struct) if row not in shared]
        told = "<br>".join(
            f"`{key}`" + (f" ({default})" if default else "") + f": {said}"
            for key, _, default, said in (
                re.match(r"\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|", row).groups() for row in own
            )
        )
        lines.append(f"| `{struct.__struct_config__.tag}` | {struct.__doc__} | {told} |")
    if shared:
        lines += [
            "",
            "All of them but `none` have these too:",
            "",
            "| Key | Is | If left out | |",
            "| --- | --- | --- | --- |",
            *shared,
        ]
    return "\n".join(lines)


def tables():
    return "\n\n".join(section(title, structs) for title, structs in SECTIONS.items())


def test_the_page_tells_every_key():
    text = PAGE.read_text(encoding="utf-8")
    current = TABLES.sub(lambda found: f"{found.group(1)}\n{tables()}\n\n{found.group(2)}", text)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(current, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == current, "run this test with UPDATE_DOCS=1 in the environment"


def test_every_part_of_the_format_has_its_section():
    parts = {
        one for module in PARTS for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and not one.__subclasses__()
    }  # fmt: skip
    assert parts - {struct for structs in SECTIONS.values() for struct in structs} == set()


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
def test_the_examples_are_profiles(example):
    """Those that show a part of one are put into one."""
    whole = example if re.search(r"^(streams|extends):", example, re.MULTILINE) else f"extends: reference\n{example}"
    load(whole)


def test_the_shipped_profiles_are_named():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in shipped() if f"`{name}`" not in text] == []
