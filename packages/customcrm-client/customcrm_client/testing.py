"""A small CRM on this machine, of any kind: for the tests of profiles, the tap and the target.

It knows no profile. `KINDS` has, for each way to page, authenticate and write, what the server does and what a profile
must say of it.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from api_transport.testing import Asked, Said, Server, serving

Row = dict[str, Any]
START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
LARGEST_PAGE = 5
KEY, USER = "the-secret-key", "the-user"
REFUSED = "nobody is called this"


class SmallCrm:
    """People with `id`, `name`, `mail`, `changed` and `version`; each edit makes `changed` a second later."""

    def __init__(self, *, paging: str = "page", auth: str = "bearer", writing: str = "plain") -> None:
        self.rows: dict[str, Row] = {}
        self.paging = paging
        self.auth = auth
        self.writing = writing
        self.ignores_filter = False
        self.before: Callable[[Asked], Said | None] = lambda _: None
        self.seconds = 0
        self.tokens: list[str] = []
        self.url = ""
        self._lock = threading.Lock()
        self._number = 0

    def add(self, name: str, **more: Any) -> Row:
        """Add a person, as a user of the CRM would."""
        with self._lock:
            self._number += 1
            row = {"id": self._number, "name": name, "mail": f"{self._number}@example.no", **more}
            self.rows[str(row["id"])] = row
            self.touch(row)
        return row

    def touch(self, row: Row) -> None:
        """Make a record look edited."""
        self.seconds += 1
        row["changed"] = f"{START + dt.timedelta(seconds=self.seconds):%Y-%m-%dT%H:%M:%SZ}"
        row["version"] = int(row.get("version", 0)) + 1

    def respond(self, asked: Asked) -> Said:
        """Answer a request."""
        said = self.before(asked)
        if said is not None:
            return said
        if asked.path == "/token":
            return self._token(asked)
        if not self._is_known(asked):
            return Said({"error": {"message": "who are you?"}}, 401)
        with self._lock:
            path = asked.path.rstrip("/")
            if path == "/people":
                return self._list(asked) if asked.method == "GET" else self._create(asked)
            found = re.fullmatch(r"/people/([^/]+)", path)
            return self._one(asked, found.group(1)) if found else Said({"error": {"message": "no such page"}}, 404)

    # -- auth

    def _token(self, asked: Asked) -> Said:
        form = dict(parse_qsl(asked.body.decode()))
        sent = (form.get("client_id"), form.get("client_secret"))
        if self.auth == "oauth2_header":
            sent = tuple(_basic(asked).split(":", 1))  # type: ignore[assignment]
        if sent != (USER, KEY) or form.get("grant_type") != "client_credentials":
            return Said({"error": "invalid_client"}, 401)
        self.tokens.append(f"token-number-{len(self.tokens) + 1}")
        return Said({"access_token": self.tokens[-1], "expires_in": 3600})

    def _is_known(self, asked: Asked) -> bool:
        given = asked.headers.get("Authorization", "")
        checks: dict[str, Callable[[], bool]] = {
            "none": lambda: True,
            "bearer": lambda: given == f"Bearer {KEY}",
            "header": lambda: asked.headers.get("X-Api-Key") == f"Key {KEY}",
            "query": lambda: asked.query.get("api_token") == KEY,
            "basic": lambda: _basic(asked) == f"{USER}:{KEY}",
            "oauth2": lambda: bool(self.tokens) and given == f"Bearer {self.tokens[-1]}",
            "extra": lambda: given == f"Bearer {KEY}" and asked.headers.get("X-Tenant") == "acme",
        }
        return checks[self.auth.removesuffix("_header")]()

    # -- reading

    def _list(self, asked: Asked) -> Said:
        query = asked.query
        rows = sorted(self.rows.values(), key=lambda row: (row["changed"], row["id"]))
        if query.get("since") and not self.ignores_filter:
            rows = [row for row in rows if row["changed"] >= query["since"]]
        if query.get("ids"):
            rows = [row for row in rows if str(row["id"]) in query["ids"].split(",")]
        for name in ("name", "mail"):
            if query.get(name):
                rows = [row for row in rows if row[name] == query[name]]
        return PAGED[self.paging](Wanted(rows, asked, self.url))

    # -- writing

    def _create(self, asked: Asked) -> Said:
        body = json.loads(asked.body)
        many = body if isinstance(body, list) else None
        records = many if many is not None else [body.get("data", body) if self.writing != "plain" else body]
        if self.writing == "batch" and asked.method == "PATCH":
            return self._change_many(records)
        if any(record.get("name") == REFUSED or not record.get("name") for record in records):
            status = 500 if self.writing == "permanent" else 200 if self.writing == "flag" else 422
            return Said(
                {"error": {"message": "no such name", "fields": {"name": ["is not wanted"]}}, "failed": True}, status
            )
        made = []
        for record in records:
            self._number += 1
            row = {"id": self._number, **record}
            self.rows[str(row["id"])] = row
            self.touch(row)
            made.append(dict(row))
        return self._said(made if many is not None else made[0], 201)

    def _change_many(self, records: list[Row]) -> Said:
        if any(record.get("name") == REFUSED for record in records):
            return Said({"error": {"message": "no such name"}}, 422)
        if any(self.rows[str(one["id"])]["version"] != one.pop("version") for one in records):
            return Said({"error": {"message": "changed meanwhile"}}, 412)
        for record in records:
            row = self.rows[str(record.pop("id"))]
            row.update(record)
            self.touch(row)
            record["id"] = row["id"]
        return Said([dict(self.rows[str(record["id"])]) for record in records])

    def _said(self, row: Any, status: int) -> Said:
        headers = {"ETag": f'"{row["version"]}"'} if isinstance(row, dict) else {}
        if self.writing in ("wrapped", "whole"):
            return Said({"data": row}, status, headers)
        if self.writing == "no_record":
            return Said({"message": "done", "new": {"id": row["id"]}}, 200)
        return Said(row, status, headers)

    def _one(self, asked: Asked, record_id: str) -> Said:
        row = self.rows.get(record_id)
        if row is None:
            return Said({"error": {"message": "no such person"}}, 404)
        if asked.method == "GET":
            return Said(
                {"data": row} if self.writing in ("wrapped", "whole") else row, 200, {"ETag": f'"{row["version"]}"'}
            )
        expected = asked.headers.get("If-Match")
        if asked.method == "DELETE":
            if expected not in (None, f'"{row["version"]}"'):
                return Said({"error": {"message": "changed meanwhile"}}, 412)
            del self.rows[record_id]
            return Said(None, 204)
        body = json.loads(asked.body)
        body = body["data"] if self.writing in ("wrapped", "whole") else body
        if expected not in (None, f'"{row["version"]}"') or body.get("version", row["version"]) != row["version"]:
            return Said({"error": {"message": "changed meanwhile"}}, 412)
        if {"id", "changed"} & set(body):
            return Said({"error": {"message": "id and changed are ours"}}, 422)
        if asked.method == "PUT":
            for name in [name for name in row if name not in ("id", "changed", "version")]:
                del row[name]
        row.update({name: value for name, value in body.items() if name != "version"})
        self.touch(row)
        return Said(None, 204) if self.writing == "no_record" else self._said(dict(row), 200)


@contextmanager
def small_crm(**kinds: str) -> Iterator[tuple[SmallCrm, Server]]:
    """Run a CRM of these kinds (`paging`, `auth`, `writing`)."""
    crm = SmallCrm(**kinds)
    with serving(crm.respond) as server:
        crm.url = server.url
        yield crm, server


# -- paging, as servers do it


@dataclass(frozen=True)
class Wanted:
    """A list that is asked for: all rows of it, and the request."""

    rows: list[Row]
    asked: Asked
    base: str

    @property
    def query(self) -> dict[str, str]:
        """The request's parameters."""
        return self.asked.query


Paged = Callable[[Wanted], Said]


def _size(query: Mapping[str, str], name: str = "size") -> int:
    return min(int(query.get(name) or LARGEST_PAGE), LARGEST_PAGE)


def _cut(rows: list[Row], start: int, size: int) -> tuple[list[Row], bool]:
    return rows[start : start + size], start + size < len(rows)


def _next(asked: Asked, base: str, start: int) -> str:
    query = {name: values[-1] for name, values in parse_qs(urlsplit(asked.target).query).items()}
    return f"{base}{asked.path}?{urlencode({**query, 'at': start})}"


def _no_pages(one: Wanted) -> Said:
    return Said(one.rows)


def _pages(one: Wanted) -> Said:
    size = _size(one.query)
    return Said({"data": _cut(one.rows, (int(one.query.get("page") or 1) - 1) * size, size)[0]})


def _zero_pages(one: Wanted) -> Said:
    size = _size(one.query, "p[size]")
    some, _ = _cut(one.rows, int(one.query.get("p[number]") or 0) * size, size)
    return Said({"data": some, "meta": {"total": len(one.rows)}})


def _counted_pages(one: Wanted) -> Said:
    size = _size(one.query)
    some, _ = _cut(one.rows, (int(one.query.get("page") or 1) - 1) * size, size)
    return Said({"data": some, "pages": -(-len(one.rows) // size)})


def _pages_to_404(one: Wanted) -> Said:
    size, page = _size(one.query), int(one.query.get("page") or 1)
    some, _ = _cut(one.rows, (page - 1) * size, size)
    return Said("<html>nothing here</html>", 404) if page > 1 and not some else Said({"data": some})


def _offsets(one: Wanted) -> Said:
    some, more = _cut(one.rows, int(one.query.get("offset") or 0), _size(one.query, "limit"))
    return Said({"rows": some, "more": more})


def _counted_offsets(one: Wanted) -> Said:
    return Said(
        {
            "rows": _cut(one.rows, int(one.query.get("offset") or 0), _size(one.query, "limit"))[0],
            "total": str(len(one.rows)),
        }
    )


def _cursors(one: Wanted) -> Said:
    size, start = _size(one.query), int(one.query.get("after") or 0)
    some, more = _cut(one.rows, start, size)
    return Said(
        {"groups": [{"rows": some[:2]}, {"rows": some[2:]}], "paging": {"next": start + size if more else None}}
    )


def _links(one: Wanted) -> Said:
    size, start = _size(one.query), int(one.query.get("at") or 0)
    some, more = _cut(one.rows, start, size)
    link = _next(one.asked, one.base, start + size) if more else None
    return Said({"value": [{"fields": row} for row in some], "@odata.nextLink": link})


def _link_header(one: Wanted) -> Said:
    size, start = _size(one.query), int(one.query.get("at") or 0)
    some, more = _cut(one.rows, start, size)
    link = f'<{one.base}/people>; rel="first", <{_next(one.asked, one.base, start + size)}>; rel="next"'
    return Said(some, headers={"Link": link} if more else {})


def _next_header(one: Wanted) -> Said:
    size, start = _size(one.query), int(one.query.get("at") or 0)
    some, more = _cut(one.rows, start, size)
    return Said(some, headers={"X-Next": _next(one.asked, "", start + size)} if more else {})


PAGED: dict[str, Paged] = {
    "none": _no_pages,
    "page": _pages,
    "page_short": _pages,
    "page_from_zero": _zero_pages,
    "page_count": _counted_pages,
    "page_404": _pages_to_404,
    "offset": _offsets,
    "offset_total": _counted_offsets,
    "offset_plain": _offsets,
    "cursor": _cursors,
    "next_url": _links,
    "link_header": _link_header,
    "next_header": _next_header,
}

READ: dict[str, Any] = {
    "none": {"records": "$"},
    "page": {"records": "data", "paging": {"kind": "page", "size_param": "size"}},
    "page_short": {
        "records": "data",
        "paging": {"kind": "page", "size_param": "size", "size_at_most": LARGEST_PAGE, "end": {"short_page": True}},
    },
    "page_from_zero": {
        "records": "data",
        "paging": {
            "kind": "page",
            "param": "p[number]",
            "first": 0,
            "size_param": "p[size]",
            "end": {"total": "meta.total"},
        },
    },
    "page_count": {"records": "data", "paging": {"kind": "page", "size_param": "size", "end": {"pages": "pages"}}},
    "page_404": {"records": "data", "paging": {"kind": "page", "size_param": "size", "end": {"statuses": [404]}}},
    "offset": {"records": "rows", "paging": {"kind": "offset", "size_param": "limit", "end": {"more": "more"}}},
    "offset_total": {"records": "rows", "paging": {"kind": "offset", "size_param": "limit", "end": {"total": "total"}}},
    "offset_plain": {"records": "rows", "paging": {"kind": "offset", "size_param": "limit", "overlap": False}},
    "cursor": {
        "records": "$.groups[*].rows",
        "paging": {"kind": "cursor", "param": "after", "cursor": "paging.next", "size_param": "size"},
    },
    "next_url": {
        "records": "value",
        "paging": {"kind": "next_url", "url": "$['@odata.nextLink']", "size_param": "size"},
    },
    "link_header": {"records": "$", "paging": {"kind": "link_header", "size_param": "size"}},
    "next_header": {"records": "$", "paging": {"kind": "next_header", "name": "X-Next", "size_param": "size"}},
}
"""What a profile says under `read`, by the kind of paging."""

AUTH: dict[str, Any] = {
    "none": {"auth": {"kind": "none"}},
    "bearer": {"auth": {"kind": "bearer"}},
    "header": {"auth": {"kind": "header", "name": "X-Api-Key", "prefix": "Key "}},
    "query": {"auth": {"kind": "query", "name": "api_token"}},
    "basic": {"auth": {"kind": "basic"}},
    "oauth2": {"auth": {"kind": "oauth2", "token_path": "/token", "scope": "crm"}},
    "oauth2_header": {"auth": {"kind": "oauth2", "token_path": "/token", "client_in": "header"}},
    "extra": {"auth": {"kind": "bearer"}, "headers": {"X-Tenant": "{tenant}"}, "variables": {"tenant": "acme"}},
}
"""What a profile says, by the kind of auth."""

WRITE: dict[str, Any] = {
    "plain": {"write": {"locking": {"kind": "etag"}}},
    "version": {"write": {"locking": {"kind": "version", "path": "version"}}},
    "compared": {"write": {"locking": {"kind": "none"}}},
    "wrapped": {
        "get": {"record": "data"},
        "write": {
            "locking": {"kind": "etag"},
            "create": {"body": {"data": "{record}"}, "record": "data"},
            "update": {"body": {"data": "{record}"}, "record": "data"},
        },
    },
    "whole": {
        "get": {"record": "data"},
        "write": {
            "create": {"body": {"data": "{record}"}, "record": "data"},
            "update": {"method": "PUT", "whole": True, "body": {"data": "{record}"}, "record": "data"},
        },
    },
    "no_record": {
        "write": {
            "locking": {"kind": "etag"},
            "create": {"record": None, "id": "new.id"},
            "update": {"record": None},
        }
    },
    "batch": {
        "write": {
            "locking": {"kind": "version", "path": "version"},
            "create": {"batch": {"size": 3}},
            "update": {"batch": {"size": 3}},
        }
    },
    "permanent": {"write": {}},
    "flag": {"write": {}},
}
"""What a profile says of a stream, by the kind of writing."""


def profile_for(*, paging: str = "page", auth: str = "bearer", writing: str = "plain") -> dict[str, Any]:
    """The profile of a CRM of these kinds."""
    return {
        **AUTH[auth],
        "errors": {
            "message": "error.message",
            "details": "error.fields",
            "flag": "failed",
            "permanent": [500],
        },
        "streams": {
            "contact": {
                "path": "/people",
                "updated_at": "changed",
                "unwrap": "fields" if paging == "next_url" else None,
                "properties": {"FirstName": "name", "Email": "mail"},
                "read": {**READ[paging], "increments": {"params": {"since": "{since}"}, "format": "rfc3339_seconds"}},
                "get_many": {"params": {"ids": "{ids}"}},
                "search": {"params": {"{field}": "{value}"}},
                **WRITE[writing],
            }
        },
    }


def _basic(asked: Asked) -> str:
    given = asked.headers.get("Authorization", "")
    return base64.b64decode(given.removeprefix("Basic ")).decode() if given.startswith("Basic ") else ":"
