"""As much of Tripletex as a sync and its peers use: customers and countries, tokens, checksums, list writes.

Every record is answered with all fields that tap-tripletex asks for, whichever `fields` were asked. Whatever a request
holds is believed; `sandbox` is the one that judges.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.api import sample
from benchmarks.api.request import NOT_FOUND, Reply, Request

ENVELOPE: Final = b'{"fullResultSize":%d,"from":%d,"count":%d,"versionDigest":%b,"values":[%b]}'
COUNTRIES: Final = b'{"id":161,"version":0,"isoAlpha2Code":"NO","name":"Norge"}'
ADDRESSES: Final = ("postalAddress", "physicalAddress", "deliveryAddress")
SEARCHES: Final = {"organizationNumber": "organizationNumber", "email": "email", "customerName": "name"}
LIMITS: Final = (
    (b"x-rate-limit-limit", b"100000"),
    (b"x-rate-limit-remaining", b"99000"),
    (b"x-rate-limit-reset", b"5"),
)

Record = dict[str, Any]


class Tripletex:
    """A company with so many customers, the ones of `sample`, and contacts, which nobody changes."""

    def __init__(self, customers: int, contacts: int = 0) -> None:
        self._contacts = [(sample.CONTACT % sample.words(number)).encode() for number in range(contacts)]
        self._rows: list[bytes] = []
        self._versions = array("L")
        self._changed: dict[int, str] = {}
        """Index of a customer that was written since the start: when, by the clock on the wall."""
        self._inactive: set[int] = set()
        self._found: dict[str, dict[Any, list[int]]] = {}
        self._seeded = customers
        self._oslo = ZoneInfo("Europe/Oslo")
        for number in range(customers):
            self._rows.append((sample.CUSTOMER % sample.words(number)).encode())
            self._versions.append(1)

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        reply = self._answer(request)
        return reply._replace(headers=(*reply.headers, *LIMITS))

    def touch(self, count: int) -> None:
        """Somebody edits so many customers, spread over all of them."""
        step = max(1, len(self._rows) // max(count, 1))
        for index in range(0, min(len(self._rows), step * count), step):
            row = msgspec.json.decode(self._rows[index])
            self._write(index, {"description": f"Endret {row['version'] + 1}"})

    def _answer(self, request: Request) -> Reply:  # noqa: PLR0911 - a case a path
        match request.method, request.path:
            case (("POST" | "PUT" | "DELETE"), ["token", "session", _]):
                return Reply(201, b'{"value":{"token":"made-up","expirationDate":"2099-01-01"}}')
            case "GET", ["token", "session", ">whoAmI"]:
                return Reply(200, b'{"value":{"companyId":1,"employeeId":7}}')
            case "GET", ["customer"]:
                return _page(request, self._rows, self._listed(request.query), self._versions)
            case "GET", ["contact"]:
                return _page(request, self._contacts, range(len(self._contacts)), None)
            case "GET", ["customer", record_id]:
                index = self._index(record_id)
                return NOT_FOUND if index is None else Reply(200, b'{"value":%b}' % self._rows[index])
            case "POST", ["customer"]:
                return Reply(201, b'{"value":%b}' % self._create(request.json()))
            case "POST", ["customer", "list"]:
                return Reply(201, _written([self._create(body) for body in request.json()]))
            case "PUT", ["customer", "list"]:
                return self._update_list(request.json())
            case "PUT", ["customer", record_id]:
                return self._update({**request.json(), "id": int(record_id)})
            case "GET", ["country"]:
                return Reply(200, ENVELOPE % (1, 0, 1, b'"1"', COUNTRIES))
            case "GET", [_]:
                return Reply(200, ENVELOPE % (0, 0, 0, b'"0"', b""))
        return NOT_FOUND

    # Reading

    def _listed(self, query: dict[str, str]) -> range | list[int]:
        """The customers that a list's parameters leave, in the order of their ids."""
        everything: range | list[int] = range(len(self._rows))
        for parameter, name in SEARCHES.items():
            if parameter in query:
                everything = self._having(name, query[parameter])
        if "id" in query:
            known = (self._index(record_id) for record_id in query["id"].split(","))
            everything = sorted(index for index in known if index is not None)
        if since := query.get("changedSince"):
            written = {index for index, when in self._changed.items() if when >= since}
            everything = sorted(written.union(range(sample.first_since(since), self._seeded)))
        if query.get("isInactive") == "true":
            return sorted(self._inactive.intersection(everything))
        return [index for index in everything if index not in self._inactive] if self._inactive else everything

    def _having(self, name: str, value: str) -> list[int]:
        """Found by equality; the real list's "containing" is for the caller to tell apart anyway."""
        if name not in self._found:
            found: dict[Any, list[int]] = {}
            self._found[name] = found
            for index, row in enumerate(self._rows):
                found.setdefault(msgspec.json.decode(row)[name], []).append(index)
        return self._found[name].get(value, [])

    def _index(self, record_id: str) -> int | None:
        index = int(record_id) - sample.FIRST_ID
        return index if 0 <= index < len(self._rows) else None

    # Writing

    def _create(self, body: Record) -> bytes:
        index = len(self._rows)
        said = sample.words(index)
        row = msgspec.json.decode(sample.CUSTOMER % {**said, "version": 0})
        row |= dict.fromkeys(("organizationNumber", "email", "phoneNumber", "description", "website"))
        row |= dict.fromkeys(ADDRESSES)
        self._rows.append(msgspec.json.encode(row))
        self._versions.append(0)
        return self._write(index, body)

    def _update_list(self, bodies: list[Record]) -> Reply:
        if any(self._index(str(body["id"])) is None or self._moved(body) for body in bodies):
            return Reply(409, b'{"status":409,"code":8000,"message":"Revision"}')
        return Reply(200, _written([self._write(body["id"] - sample.FIRST_ID, body) for body in bodies]))

    def _update(self, body: Record) -> Reply:
        if self._index(str(body["id"])) is None:
            return NOT_FOUND
        if self._moved(body):
            return Reply(409, b'{"status":409,"code":8000,"message":"Revision"}')
        return Reply(200, b'{"value":%b}' % self._write(body["id"] - sample.FIRST_ID, body))

    def _moved(self, body: Record) -> bool:
        return body.get("version") not in (None, self._versions[body["id"] - sample.FIRST_ID])

    def _write(self, index: int, body: Record) -> bytes:
        """Change a customer; the answer has its sub-objects as stubs and no changes."""
        row = msgspec.json.decode(self._rows[index])
        wall = f"{datetime.now(self._oslo):%Y-%m-%dT%H:%M:%S}"
        row |= {name: value for name, value in body.items() if name not in ("id", "version")}
        for number, name in enumerate(ADDRESSES):
            if isinstance(row.get(name), dict) and "id" not in row[name]:
                row[name] = {"id": 70_000_000 + 3 * index + number, "version": 0, **row[name]}
        self._versions[index] += 1
        row["version"] = self._versions[index]
        row["changes"] = [*row["changes"][:1], {"employeeId": 7, "timestamp": wall, "changeType": "UPDATE"}]
        self._rows[index] = msgspec.json.encode(row)
        self._changed[index] = wall
        (self._inactive.add if row["isInactive"] else self._inactive.discard)(index)
        for name, found in self._found.items():
            found.setdefault(row[name], []).append(index)
        told = {name: value for name, value in row.items() if name != "changes"}
        told |= {name: _stub(value) for name, value in told.items() if isinstance(value, dict)}
        return msgspec.json.encode(told)


def _page(request: Request, rows: list[bytes], indexes: Sequence[int], versions: Sequence[int] | None) -> Reply:
    """A page of a list; 304 where the request has its checksum."""
    start, count = int(request.query.get("from", 0)), int(request.query.get("count", 1000))
    some = indexes[start : start + count]
    written = sum(versions[index] for index in some) if versions else 0
    digest = b'"%x"' % (hash((len(indexes), start, count, written)) & 2**64 - 1)
    if request.headers.get(b"if-none-match", b"").strip(b'"') == digest.strip(b'"'):
        return Reply(304)
    told = start + len(some) + (start + len(some) < len(indexes))  # no total: whether one more follows
    return Reply(200, ENVELOPE % (told, start, len(some), digest, b",".join([rows[index] for index in some])))


def _stub(value: Record) -> Record:
    return {"id": value.get("id"), "url": f"tripletex.no/v2/it/{value.get('id')}"}


def _written(rows: list[bytes]) -> bytes:
    return ENVELOPE % (len(rows), 0, len(rows), b"null", b",".join(rows))
