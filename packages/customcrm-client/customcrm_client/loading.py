"""Loading a profile: from a file, by the name of a shipped one, or as the settings hold it.

`extends` names a profile that this one is laid over; `defaults` is laid under every stream. Both are resolved on the
YAML itself, so that a fault is told at the line it stands at, in whichever file that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, cast

import msgspec
from located_yaml import Fault, Node, parse, read_file, read_struct, suggestion
from located_yaml.node import content_of, entries_of
from located_yaml.structs import Places, plain

from customcrm_client.checking import check
from customcrm_client.profile import Profile, Property
from customcrm_client.templates import names_in, with_variables

SHIPPED = Path(__file__).parent / "profiles"
REFERENCE = "reference"
KIND = "kind"
"""The key that says which kind of auth, paging or locking is meant."""
_FILE_ENDINGS = (".yml", ".yaml", ".json")

Given: TypeAlias = str | Mapping[str, Any]
"""A path, the name of a shipped profile, a profile's own YAML or JSON text, or what that holds."""


def shipped() -> list[str]:
    """The names of the profiles that come with this package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load(
    given: Given = REFERENCE,
    root: Path | None = None,
    variables: Mapping[str, Any] | None = None,
    *,
    inferring: bool = False,
) -> Profile:
    """Read and check a profile. Paths are relative to `root` (by default the working folder).

    `variables` take the place of the profile's own. `inferring`: nothing need say which properties a stream has, for
    that is to be found out. Raises Fault: one line with file, line and what to do.
    """
    node = _flat(_node_of(given, root or Path.cwd(), ()))
    if variables:
        said = content_of({"variables": dict(variables)}, "profile_variables")
        node = said.over(node, KIND)
    places: Places = {}
    profile = read_struct(node, Profile, places)
    if not inferring:
        profile = _with_schemas(profile, places)
    profile = cast("Profile", with_variables(_without_unnamed(profile), profile.variables))
    check(profile, places, inferring=inferring)
    return profile


@lru_cache(maxsize=1)
def reference() -> Profile:
    """The reference contract's profile, which holds where none is given."""
    return load(REFERENCE)


def _node_of(given: Given, folder: Path, before: tuple[str, ...]) -> Node:
    """The profile laid over what it extends, with the files it names made absolute."""
    if isinstance(given, Mapping):
        return _extended(content_of(dict(given), "profile"), folder, before)
    if given.lstrip().startswith("{") or "\n" in given or ": " in given:
        return _extended(parse(given, "profile"), folder, before)
    if given in shipped():
        path, shown = SHIPPED / f"{given}.yml", given
    elif given.endswith(_FILE_ENDINGS):
        path, shown = folder / given, given
    else:
        raise Fault(
            "profile", f"no profile {given} is shipped. {suggestion(given, shipped())} A file of your own ends in .yml."
        )
    if str(path) in before:
        raise Fault(shown, "the profile extends itself. Remove one extends:.")
    node = read_file(path, shown, missing=f"Name a file, or a shipped profile: {', '.join(shipped())}.")
    return _extended(node, path.parent, (*before, str(path)))


def _extended(node: Node, folder: Path, before: tuple[str, ...]) -> Node:
    entries = node.mapping(None, (), "of a profile")
    if "schemas" in entries:
        said = entries["schemas"]
        entries["schemas"] = Node(str(folder / said.text()), said.place)
    base = entries.pop("extends", None)
    node = node.with_entries(entries)
    return node if base is None else node.over(_named_base(base, folder, before), KIND)


def _named_base(base: Node, folder: Path, before: tuple[str, ...]) -> Node:
    try:
        return _node_of(base.text(), folder, before)
    except Fault as fault:
        if fault.where == "profile":
            base.refuse(fault.problem)
        raise


def _flat(node: Node) -> Node:
    """The profile with its `defaults` laid under each stream, and without the streams that are said to be none."""
    entries = node.mapping(None, (), "of a profile")
    defaults = entries.pop("defaults", None)
    streams = entries.get("streams")
    given = entries_of(streams) if streams is not None else None
    if streams is not None and given is not None:
        without = [one.text() for one in entries["without"].one_or_more()] if "without" in entries else []
        without += [name for name, one in given.items() if one.value is None and name not in without]
        kept = {name: one for name, one in given.items() if name not in without}
        if without:
            entries["without"] = Node(without, entries["without"].place if "without" in entries else streams.place)
        if defaults is not None:
            kept = {name: one.over(defaults, KIND) for name, one in kept.items()}
        if "errors" in entries:
            kept = {name: _with_errors(one, entries["errors"]) for name, one in kept.items()}
        entries["streams"] = streams.with_entries(kept)
    return node.with_entries(entries)


def _with_errors(stream: Node, errors: Node) -> Node:
    """The stream with its own errors laid over the profile's."""
    entries = entries_of(stream)
    if entries is None or "errors" not in entries:
        return stream
    return stream.with_entries({**entries, "errors": entries["errors"].over(errors)})


def _without_unnamed(profile: Profile) -> Profile:
    """The profile without the properties that hang on a variable which is null: an installation has none for them."""
    unnamed = {name for name, value in profile.variables.items() if value is None}
    if not unnamed:
        return profile
    streams = {}
    for name, stream in profile.streams.items():
        gone = {key for key, said in stream.properties.items() if not unnamed.isdisjoint(_names_of(said))}
        search = stream.search
        if search is not None:
            kept = (
                {key: said for key, said in search.properties.items() if key not in gone}
                if isinstance(search.properties, dict)
                else tuple(key for key in search.properties if key not in gone)
            )
            # No name would mean: by all of them.
            search = msgspec.structs.replace(search, properties=kept) if kept or not search.properties else None
        properties: dict[str, Any] = {key: False if key in gone else said for key, said in stream.properties.items()}
        streams[name] = msgspec.structs.replace(stream, properties=properties, search=search)
    return msgspec.structs.replace(profile, streams=streams)


def _names_of(said: Any) -> set[str]:
    return set(names_in([said.path, said.write] if isinstance(said, Property) else said))


def _with_schemas(profile: Profile, places: Places) -> Profile:
    """The profile with each stream's schema in it, from the file of schemas where the stream has none."""
    if profile.schemas is None:
        return profile
    path = Path(profile.schemas)
    try:
        node = read_file(path, path.name, missing="Make it with tap-customcrm --infer, or remove schemas:.")
    except Fault as fault:
        raise Fault(places["schemas"], str(fault)) from None
    found = node.mapping(None, (), "of the file of schemas")
    streams = dict(profile.streams)
    for name, stream in streams.items():
        if stream.schema is None and not stream.properties and name in found:
            streams[name] = msgspec.structs.replace(stream, schema=plain(found[name].value))
            places[f"streams.{name}.schema"] = found[name].place
    return msgspec.structs.replace(profile, streams=streams)


__all__ = ["Fault", "Given", "load", "reference", "shipped"]
