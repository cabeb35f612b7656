"""As much of a Customcrm (reference contract) as a sync and its peers use: customers, the other lists empty."""

from __future__ import annotations

import base64
import itertools
from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

import msgspec
from value_spelling.organisation_number import is_norwegian

from benchmarks.api import sample
from benchmarks.api.request import NOT_FOUND, Reply, Request

Record = dict[str, Any]
NEW = 50_000_000
"""Numbers of customers that are seeded in neither system begin here."""


class Customcrm:
    """A CRM with so many customers, the ones of `sample`, in the order of (UpdatedAt, Id)."""

    def __init__(self, customers: int) -> None:
        self._rows: dict[str, bytes] = {}
        self._order: list[tuple[str, str]] = []
        self._moments: dict[str, str] = {}
        self._deleted: set[str] = set()
        for number in range(customers):
            said = sample.words(number)
            self._place(str(said["key"]), str(said["utc"]), (sample.CRM_CUSTOMER % said).encode())

    def answer(self, request: Request) -> Reply:  # noqa: PLR0911 - a case a path
        """Answer a request."""
        match request.method, request.path:
            case "GET", ["customers"]:
                return self._list(request)
            case "GET", [_]:
                return Reply(200, b'{"data":[],"links":{"next":null}}')
            case "POST", ["customers"]:
                key = f"n{len(self._rows):09d}"
                return Reply(201, self._write(key, request.json()), self._etag(key))
        if len(request.path) != 2 or request.path[0] != "customers" or request.path[1] not in self._rows:
            return NOT_FOUND
        key = request.path[1]
        if key in self._deleted:
            return NOT_FOUND
        expected = request.headers.get(b"if-match")
        if request.method == "GET":
            return Reply(200, self._rows[key], self._etag(key))
        if expected is not None and expected != self._etag(key)[0][1]:
            return Reply(412, b'{"title":"Changed meanwhile","status":412,"errors":[]}')
        if request.method == "DELETE":
            self._write(key, {"Deleted": True})
            self._deleted.add(key)
            return Reply(204)
        return Reply(200, self._write(key, request.json()), self._etag(key))

    def enter(self, count: int) -> None:
        """Somebody enters so many customers that are nowhere else."""
        free = (number for number in itertools.count(NEW + len(self._rows)) if is_norwegian(f"{900_000_000 + number}"))
        for number in itertools.islice(free, count):
            said = {**sample.words(number), "key": f"n{number:09d}"}
            self._write(str(said["key"]), {**msgspec.json.decode(sample.CRM_CUSTOMER % said), "Email": None})

    def touch(self, count: int) -> None:
        """Somebody edits so many customers, spread over all of them."""
        keys = sorted(self._rows)
        step = max(1, len(keys) // max(count, 1))
        for key in keys[: step * count : step]:
            self._write(key, {"Description": f"Endret {self._moments[key]}"})

    def _list(self, request: Request) -> Reply:
        query = request.query
        size = int(query.get("per_page", 100))
        after = base64.urlsafe_b64decode(query["cursor"]).decode() if "cursor" in query else ""
        if after:
            moment, _, key = after.partition(" ")
            start = bisect_right(self._order, (moment, key))
        else:
            start = bisect_left(self._order, (query.get("updated_since", ""), ""))
        order: list[tuple[str, str]] = self._order
        if "Id" in query:
            wanted = set(query["Id"].split(","))
            order, start = [(self._moments[key], key) for key in sorted(wanted & self._rows.keys())], 0
        for name in ("OrganizationNumber", "Email", "Name"):
            if name in query:
                order, start = self._having(name, set(query[name].split(","))), 0
        if query.get("include_deleted") != "true" and self._deleted:
            order, start = [one for one in order[start:] if one[1] not in self._deleted], 0
        some = order[start : start + size]
        link = "null"
        if start + size < len(order):
            cursor = base64.urlsafe_b64encode(" ".join(some[-1]).encode()).decode()
            link = f'"{request.base}/customers?{urlencode({**query, "cursor": cursor})}"'
        rows = b",".join([self._rows[key] for _, key in some])
        return Reply(200, b'{"data":[%b],"links":{"next":%b}}' % (rows, link.encode()))

    def _having(self, name: str, values: set[str]) -> list[tuple[str, str]]:
        marks = [f'"{name}":"{value}"'.encode() for value in values]
        return [(moment, key) for moment, key in self._order if any(mark in self._rows[key] for mark in marks)]

    def _write(self, key: str, body: Record) -> bytes:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = msgspec.json.decode(self._rows[key]) if key in self._rows else _empty(key, now)
        row |= {**body, "UpdatedAt": now}
        written = msgspec.json.encode(row)
        self._place(key, now, written)
        return written

    def _place(self, key: str, moment: str, row: bytes) -> None:
        if key in self._moments:
            del self._order[bisect_left(self._order, (self._moments[key], key))]
        self._rows[key], self._moments[key] = row, moment
        insort(self._order, (moment, key))

    def _etag(self, key: str) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"etag", f'"{self._moments[key]}"'.encode()),)


def _empty(key: str, now: str) -> Record:
    names: list[str] = list(msgspec.json.decode(sample.CRM_CUSTOMER % sample.words(0)))
    return {**dict.fromkeys(names), "Id": key, "CreatedAt": now, "Deleted": False}
