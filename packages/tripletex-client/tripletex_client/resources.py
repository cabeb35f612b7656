"""How resources differ in the way they are listed and written (Tripletex API description)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_WRITE = 100
"""Elements in a list write at most (reference: Tripletex API, Writing)."""

ID_LIST = 100
"""Ids asked for in one request at most."""

QUERY_AT_MOST = 1500
"""Characters of a query that web servers and proxies surely take."""

ROOM_FOR_IDS = 400
"""Characters of ids in a request at least, however long its `fields` are."""

HAVE_PUT_LIST = frozenset({"customer", "product"})
"""Resources with `PUT /resource/list`."""

DELETED_BY_LIST = frozenset({"contact"})
"""Resources that are deleted by `DELETE /resource/list?ids=` only."""

_ID_PARAMETER = {"product": "ids"}
_HALVES: dict[str, tuple[dict[str, bool], ...]] = {"customer": ({"isInactive": False}, {"isInactive": True})}


def id_parameter(resource: str) -> str:
    """The list's parameter for a comma-separated list of ids."""
    return _ID_PARAMETER.get(resource, "id")


def halves(resource: str) -> tuple[dict[str, bool], ...]:
    """Parameters of the lists that together hold a resource whole.

    `isInactive` is false by default in the list of customers; other lists have no such default.
    """
    return _HALVES.get(resource, ({},))


def id_lists(ids: Sequence[int], rest_of_query: str) -> Iterator[list[int]]:
    """The ids in lists that a request can hold beside the rest of its query."""
    room = max(QUERY_AT_MOST - len(rest_of_query), ROOM_FOR_IDS)
    some: list[int] = []
    used = 0
    for record_id in ids:
        more = len(str(record_id)) + 1
        if some and (len(some) == ID_LIST or used + more > room):
            yield some
            some, used = [], 0
        some.append(record_id)
        used += more
    if some:
        yield some
