"""Refusing a profile that contradicts itself, or names what is not there, before anything is sent.

The first thing found wrong is raised as a `Fault`: one line with file, line, what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from located_yaml import Fault, suggestion
from located_yaml.structs import Places

from customcrm_client.encoders import ENCODERS
from customcrm_client.paths import ABSENT, WrongPath, first, places
from customcrm_client.profile import Errors, Mark, Profile, Property, Stream
from customcrm_client.profile_auth import HeaderKey, OAuth2
from customcrm_client.profile_paging import (
    CursorPaging,
    NextHeaderPaging,
    NextUrlPaging,
    NoPaging,
    OffsetPaging,
    PagePaging,
    Paging,
)
from customcrm_client.profile_reading import Deletions, Question, Search
from customcrm_client.profile_writing import Call, ETag, Update, VersionField
from customcrm_client.templates import names_in, unknown_encoders
from customcrm_client.times import check_format, check_zone

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
RESERVED = ("Id", "CreatedAt", "UpdatedAt", "Deleted")
LISTED = ("page", "size", "fields", "columns")
"""What every request that reads may hold."""
TWO = 2
FILLED = (*LISTED, "id", "ids", "since", "field", "value", "values", "before", "record", "records", "version")
"""What templates are filled with beside the variables."""


def check(profile: Profile, places: Places, *, inferring: bool = False) -> None:
    """Refuse a profile that is wrong. `inferring`: nothing need say which properties a stream has. Raises Fault."""
    checker = _Checker(profile, places, inferring=inferring)
    checker.top()
    for name, stream in profile.streams.items():
        checker.stream(f"streams.{name}", stream)


class _Checker:
    def __init__(self, profile: Profile, places: Places, *, inferring: bool) -> None:
        self.profile = profile
        self.inferring = inferring
        self.places = places

    def refuse(self, path: str, problem: str) -> NoReturn:
        """Raise at where the key stands, else at the nearest that stands around it."""
        here = path
        while here and here not in self.places:
            here = here.rpartition(".")[0]
        raise Fault(self.places[here], problem)

    def top(self) -> None:
        profile = self.profile
        if not profile.streams:
            self.refuse("streams", "the profile has no streams. Add `streams: {contact: {path: /contacts}}`.")
        for name in profile.variables:
            if name in FILLED:
                self.refuse(f"variables.{name}", f"{{{name}}} has a meaning of its own. Rename the variable.")
        headers = [(f"headers.{name}", name) for name in profile.headers]
        if isinstance(profile.auth, HeaderKey):
            headers.append(("auth.name", profile.auth.name))
        headers += [(f"rate.{key}", getattr(profile.rate, key)) for key in ("limit", "remaining", "reset")]
        for path, name in headers:
            if not _HEADER.fullmatch(name):
                self.refuse(path, f"{name!r} is no name of a header. Write it without colon and blanks.")
        for name, template in profile.headers.items():
            self.template(f"headers.{name}", template, ())
        if isinstance(profile.auth, OAuth2):
            self.template("auth.token_path", profile.auth.token_path, ())
        self.errors("errors", profile.errors)

    def mark(self, at: str, said: Mark | str | None) -> None:
        self.paths(at, said.path if isinstance(said, Mark) else said)

    def errors(self, at: str, errors: Errors) -> None:
        for key in ("message", "details", "field", "text", "code"):
            self.paths(f"{at}.{key}", getattr(errors, key))
        self.mark(f"{at}.flag", errors.flag)
        for status in errors.permanent:
            if not 500 <= status <= 599:
                self.refuse(f"{at}.permanent", f"{status} is none of 500 to 599; those below are permanent anyway.")

    def stream(self, at: str, stream: Stream) -> None:
        self.template(f"{at}.path", stream.path, ())
        self.writable_path(f"{at}.id", stream.id)
        self.paths(f"{at}.updated_at", stream.updated_at)
        self.paths(f"{at}.created_at", stream.created_at)
        self.mark(f"{at}.deleted", stream.deleted)
        self.paths(f"{at}.unwrap", stream.unwrap)
        self.rule(f"{at}.times", check_format, stream.times)
        self.rule(f"{at}.timezone", check_zone, stream.timezone)
        self.properties(at, stream)
        self.reading(at, stream)
        self.looking(at, stream)
        self.writing(at, stream)
        if stream.errors is not None:
            self.errors(f"{at}.errors", stream.errors)

    def properties(self, at: str, stream: Stream) -> None:
        if not stream.properties and stream.schema is None and not self.inferring:
            self.refuse(
                at,
                f"nothing says which properties {at.rpartition('.')[2]} has. Add properties:, or make a file with "
                "tap-customcrm --infer and name it under schemas:.",
            )
        if stream.schema is not None and not isinstance(stream.schema.get("properties"), dict):
            self.refuse(f"{at}.schema", "the schema has no properties. Write `{properties: {Name: {type: string}}}`.")
        for name, said in stream.properties.items():
            path = f"{at}.properties.{name}"
            if name.endswith(":"):
                plain = name.rstrip(":")
                self.refuse(
                    path, f"{name!r} is no name. In braces write {{{plain}: {plain}}}, or each on a line of its own."
                )
            if name in RESERVED:
                key = {"Id": "id", "CreatedAt": "created_at", "UpdatedAt": "updated_at", "Deleted": "deleted"}[name]
                self.refuse(path, f"{name} is made of {key}:. Say there where it stands, and remove this.")
            one = said if isinstance(said, Property) else Property(path=said or None)
            for key, dotted in (("path", one.path), ("write", one.write)):
                if dotted is not None:
                    self.writable_path(f"{path}.{key}", dotted)
            self.written(path, one)

    def written(self, at: str, one: Property) -> None:
        """How a property is written, where it is not as it stands."""
        if one.write_as is not None:
            self.template(f"{at}.write_as", one.write_as, ("value",), needed="value")
        if one.nulls == "parent" and len(places(one.write or one.path or "") or []) < 2:
            self.refuse(f"{at}.nulls", "the property stands in no object. Write a path like company.id, or another.")
        if one.relation is None:
            return
        for name in ("set", "clear"):
            call: Call | None = getattr(one.relation, name)
            if call is None:
                continue
            known = ("id", "value") if name == "set" else ("id", "before")
            for key in ("path", "params", "headers", "body"):
                self.template(f"{at}.relation.{name}.{key}", getattr(call, key), known)
            used = set(names_in([call.path, call.params, call.body]))
            if not {known[1], "id"} <= used:
                self.refuse(
                    f"{at}.relation.{name}", f"{{id}} and {{{known[1]}}} are needed. Put them where they belong."
                )

    def question(self, at: str, said: Question, filled: tuple[str, ...] = ()) -> set[str]:
        """A request that reads; the names in it."""
        known = (*filled, *LISTED)
        for key in ("path", "params", "headers", "body"):
            self.template(f"{at}.{key}", getattr(said, key), known)
        for name in said.headers:
            if not _HEADER.fullmatch(name):
                self.refuse(
                    f"{at}.headers.{name}", f"{name!r} is no name of a header. Write it without colon and blanks."
                )
        if said.body is not None and said.method == "GET":
            self.refuse(f"{at}.method", "a GET has no body. Remove method:, or write params: for body:.")
        return set(names_in([getattr(said, key) for key in ("path", "params", "headers", "body")]))

    def reading(self, at: str, stream: Stream) -> None:
        read = stream.read
        self.question(f"{at}.read", read)
        self.template(f"{at}.read.with_deleted", read.with_deleted, ())
        self.paths(f"{at}.read.records", read.records)
        if not read.records:
            self.refuse(f"{at}.read.records", "no path to the records. Write `$` for a bare array.")
        self.ids(f"{at}.read.ids", read.ids, stream)
        self.paging(f"{at}.read.paging", read.paging, self.question(f"{at}.read", read))
        increments = read.increments
        if read.deletions is not None:
            self.deletions(f"{at}.read.deletions", read.deletions)
        if increments is None:
            return
        if not stream.updated_at:
            self.refuse(
                f"{at}.read.increments",
                "changes are told apart by updated_at:, which is missing. Add it, or remove increments:.",
            )
        used = self.question(f"{at}.read.increments", increments, ("since",))
        elsewhere = "since" in set(names_in([increments.path, increments.headers, increments.body]))
        for index, params in enumerate(increments.params):
            if not elsewhere and "since" not in set(names_in(params)):
                self.refuse(
                    f"{at}.read.increments.params[{index}]", "{since} is missing. Put it where its value belongs."
                )
        if (increments.path or increments.body is not None) and "since" not in used:
            self.refuse(f"{at}.read.increments", "{since} is missing. Put it where its value belongs.")
        if increments.at_most is not None and not (increments.in_order and len(increments.params) < TWO):
            self.refuse(
                f"{at}.read.increments.at_most",
                "where a list goes on is known only if changes come in order. Add in_order: true, or remove it.",
            )
        self.paths(f"{at}.read.increments.records", increments.records)
        self.template(f"{at}.read.increments.sort", increments.sort, ())
        self.rule(f"{at}.read.increments.format", check_format, increments.format)

    def deletions(self, at: str, how: Deletions) -> None:
        self.question(at, how, ("since",))
        self.paths(f"{at}.records", how.records)
        self.paths(f"{at}.id", how.id)
        self.paths(f"{at}.deleted_at", how.deleted_at)
        if how.paging is not None:
            self.paging(f"{at}.paging", how.paging, set())

    def paging(self, at: str, paging: Paging, used: set[str]) -> None:
        if isinstance(paging, NoPaging):
            return
        for key in ("total", "pages", "more"):
            self.paths(f"{at}.end.{key}", getattr(paging.end, key))
        if isinstance(paging, CursorPaging):
            self.paths(f"{at}.cursor", paging.cursor)
        if isinstance(paging, NextUrlPaging):
            self.paths(f"{at}.url", paging.url)
        if isinstance(paging, NextHeaderPaging) and not _HEADER.fullmatch(paging.name):
            self.refuse(f"{at}.name", f"{paging.name!r} is no name of a header. Write it without colon and blanks.")
        is_sized = paging.size_param is not None or "size" in used
        if paging.end.short_page and not is_sized and paging.size_at_most is None:
            self.refuse(
                f"{at}.end.short_page",
                "which page is short is not known. Add size_param:, or size_at_most: for a CRM with a fixed size.",
            )
        if isinstance(paging, OffsetPaging) and paging.step == "size" and not is_sized:
            self.refuse(f"{at}.step", "the page size is not asked for. Add size_param:, or remove step:.")
        numbered = isinstance(paging, (PagePaging, OffsetPaging))
        if paging.end.pages is not None and not isinstance(paging, PagePaging):
            self.refuse(f"{at}.end.pages", "a number of pages ends numbered pages only. Remove it.")
        if paging.end.statuses and not numbered:
            self.refuse(f"{at}.end.statuses", "statuses end numbered pages and offsets only. Remove them.")

    def looking(self, at: str, stream: Stream) -> None:
        get, many = stream.get, stream.get_many
        if get is not None:
            used = self.question(f"{at}.get", get, ("id",))
            if get.path is not None and "id" not in used:
                self.refuse(f"{at}.get.path", "{id} is missing. Put it into path:, params: or body:.")
            self.paths(f"{at}.get.record", get.record)
        if many is not None:
            if "ids" not in self.question(f"{at}.get_many", many, ("ids",)):
                where = "params" if many.body is None else "body"
                self.refuse(f"{at}.get_many.{where}", "{ids} is missing. Put it where its value belongs.")
            self.template(f"{at}.get_many.each", many.each, ("id",), needed="id")
            self.paths(f"{at}.get_many.records", many.records)
            if many.paging is not None:
                self.paging(f"{at}.get_many.paging", many.paging, set())
        if stream.search is not None:
            self.search(f"{at}.search", stream.search, stream)

    def search(self, at: str, search: Search, stream: Stream) -> None:
        used = self.question(at, search, ("field", "value", "values"))
        if used.isdisjoint({"value", "values"}):
            where = "params" if search.body is None else "body"
            self.refuse(f"{at}.{where}", "{value} is missing. Put it where its value belongs.")
        for name in search.properties:
            if stream.properties and name not in stream.properties:
                self.refuse(f"{at}.properties", f"there is no property {name}. {suggestion(name, stream.properties)}")
        self.paths(f"{at}.records", search.records)
        self.ids(f"{at}.ids", search.ids, stream)
        if search.paging is not None:
            self.paging(f"{at}.paging", search.paging, set())

    def ids(self, at: str, path: str | None, stream: Stream) -> None:
        self.paths(at, path)
        if path is not None and stream.get is None and stream.get_many is None:
            self.refuse(at, "the records are read by their ids, and nothing says how. Add get: or get_many:.")

    def writing(self, at: str, stream: Stream) -> None:
        write = stream.write
        if write is None:
            return
        at = f"{at}.write"
        if stream.get is None and stream.get_many is None:
            self.refuse(at, "a record is read before it is written, and nothing says how. Add get: or get_many:.")
        if isinstance(write.locking, ETag) and write.locking.path is None and stream.get is None:
            self.refuse(f"{at}.locking", "an ETag is told where one record is read. Add get:, or choose another kind.")
        if isinstance(write.locking, VersionField):
            self.writable_path(f"{at}.locking.path", write.locking.path)
            if write.locking.header is not None and not _HEADER.fullmatch(write.locking.header):
                self.refuse(f"{at}.locking.header", f"{write.locking.header!r} is no name of a header.")
        if isinstance(write.locking, ETag):
            self.paths(f"{at}.locking.path", write.locking.path)
        for name, how, filled in (
            ("create", write.create, ("record",)),
            ("update", write.update, ("record", "id")),
            ("delete", write.delete, ("id",)),
        ):
            if how is None:
                continue
            self.template(
                f"{at}.{name}.path", how.path, filled[1:] if name == "update" else filled if name == "delete" else ()
            )
            self.template(f"{at}.{name}.params", how.params, ("id",) if name != "create" else ())
            self.template(f"{at}.{name}.headers", how.headers, ())
            # A property may stand beside the new record.
            beside = tuple(stream.properties) if name == "create" else ()
            self.template(
                f"{at}.{name}.body", how.body, (*filled, *beside), needed="record" if name != "delete" else None
            )
            batch = getattr(how, "batch", None)
            if batch is not None:
                self.template(f"{at}.{name}.batch.path", batch.path, ())
                self.template(f"{at}.{name}.batch.body", batch.body, ("records",), needed="records")
                each = ("record", "id") if name == "update" else ("record",)
                self.template(f"{at}.{name}.batch.each", batch.each, each, needed="record")
                self.paths(f"{at}.{name}.batch.records", batch.records)
                if isinstance(how, Update) and how.whole:
                    self.refuse(f"{at}.update.batch", "whole records are sent one by one. Remove batch: or whole:.")
        self.answers(at, stream)

    def answers(self, at: str, stream: Stream) -> None:
        write = stream.write
        create, update = (write.create, write.update) if write else (None, None)
        if create is not None:
            self.paths(f"{at}.create.record", create.record)
            self.paths(f"{at}.create.id", create.id)
            if create.record is None and create.id is None:
                self.refuse(
                    f"{at}.create.record",
                    "with no record in the answer its id must be there. Add id: with the path to it.",
                )
            for path in create.constants:
                self.writable_path(f"{at}.create.constants.{path}", path)
        if update is not None:
            self.paths(f"{at}.update.record", update.record)
            if update.merges and update.whole:
                self.refuse(f"{at}.update.merges", "whole records are sent, so nothing is merged. Remove one of them.")
            path = update.path if update.path is not None else "{id}"
            used = set(names_in([path, update.body, update.params]))
            if "id" not in used and not update.with_id:
                self.refuse(f"{at}.update", "nothing says which record is changed. Put {id} into path: or body:.")

    # -- the pieces

    def template(self, at: str, template: Any, filled: Iterable[str], needed: str | None = None) -> None:
        known = (*filled, *self.profile.variables)
        used = list(names_in(template))
        for name in used:
            if name not in filled and self.profile.variables.get(name, ABSENT) is None:
                self.refuse(at, f"{{{name}}} is null here, where a text is made of it. Give it a value in variables:.")
            if name not in known:
                there = ", ".join(f"{{{one}}}" for one in known) or "no names"
                self.refuse(
                    at, f"{{{name}}} is not known here. There are: {there}. Add it to variables:, or correct it."
                )
        for encoder in unknown_encoders(template):
            self.refuse(at, f"there is no encoder {encoder}. {suggestion(encoder, ENCODERS)}")
        if needed is not None and needed not in used:
            self.refuse(at, f"{{{needed}}} is missing. Put it where its value belongs.")

    def paths(self, at: str, said: str | Iterable[str] | None) -> None:
        for path in [said] if isinstance(said, str) else said or ():
            self.template(at, path, ())
            self.rule(at, first, path)

    def writable_path(self, at: str, path: str) -> None:
        self.template(at, path, ())
        if places(path) is None:
            self.refuse(
                at,
                f"{path!r} is no path that can be written to. Write names with dots between them, in brackets where "
                "they hold one: ['a.b']; into a list by emails[?primary].value or companies[0].",
            )

    def rule(self, at: str, check_one: Any, value: Any) -> None:
        try:
            check_one(value)
        except WrongPath as error:
            self.refuse(at, f"{value!r} is no JSONPath ({error}). Write for example data.items.")
        except ValueError as error:
            self.refuse(at, f"{value!r} {error}")
