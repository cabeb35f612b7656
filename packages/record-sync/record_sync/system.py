"""What record-sync needs of the system it writes to. A target brings an adapter that has these methods.

The error contract: a record that the system refuses is *returned* as :class:`Refused`; what is wrong with more than
one record (credentials, connection) is *raised*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from record_sync.record import TargetRecord
from record_sync.values import Value, Values

CLOCK_DOUBT = timedelta(minutes=65)
"""Two times of one system may be so far apart and yet in doubt: some tell neither zone nor the autumn's hour."""


class CreateRequest(msgspec.Struct, frozen=True):
    """A record to create."""

    source_id: str
    values: Values


class UpdateRequest(msgspec.Struct, frozen=True):
    """Properties to change on a record, over the version that was read."""

    current: TargetRecord
    values: Values


class RemoveRequest(msgspec.Struct, frozen=True):
    """A record to deactivate or delete, over the version that was read."""

    current: TargetRecord
    policy: str


class Written(msgspec.Struct, frozen=True):
    """It is done; ``current`` holds what the answer says."""

    current: TargetRecord


class Refused(msgspec.Struct, frozen=True):
    """The system does not take this record, in its own words."""

    reason: str
    details: tuple[str, ...] = ()


class Moved(msgspec.Struct, frozen=True):
    """Somebody changed the record since it was read, or it is gone; nothing was written."""

    reason: str


class Unknown(msgspec.Struct, frozen=True):
    """No answer came; it may or may not have been carried out."""

    reason: str


Result: TypeAlias = Written | Refused | Moved | Unknown

Found: TypeAlias = list[TargetRecord] | Refused
"""What a search found, or why the system does not answer it; the record that is looked for waits then."""


Asked = TypeVar("Asked")


def answered(asked: Sequence[Asked], batches: Iterator[Sequence[Result]]) -> Iterator[list[tuple[Asked, Result]]]:
    """Pair what was asked with the answers that come batch by batch, in the same order.

    What is left without an answer at the end may or may not have been carried out.
    """
    position = 0
    try:
        for results in batches:
            yield list(zip(asked[position : position + len(results)], results, strict=True))
            position += len(results)
        if position < len(asked):
            yield [(one, Unknown("no answer came for this record")) for one in asked[position:]]
    finally:
        let_go(batches)


def let_go(batches: Iterator[Sequence[Result]]) -> None:
    """Wait for no more answers; writes that are not under way yet are not made."""
    close = getattr(batches, "close", None)
    if close is not None:
        close()


class TargetSystem(Protocol):
    """The side that is written to."""

    side: str

    def stamp(self) -> str:
        """Which system and company this is; the same for as long as its ids mean the same."""

    def server_clock(self) -> datetime | None:
        """The newest time the server told, in UTC."""

    def created_before(self, current: TargetRecord, sight: datetime) -> bool:
        """Whether a record was surely created before a moment of the server's clock."""

    def read(self, resource: str, ids: Collection[str], paths: frozenset[str]) -> dict[str, TargetRecord]:
        """Read records by id. An id that is missing in the answer was looked up and is not there."""

    def listing(self, resource: str, paths: frozenset[str]) -> Iterator[TargetRecord]:
        """Read all records, inactive ones too, deleted ones not.

        Raises ListingRefusedError where there are more than the system lists.
        """

    def listing_cost(self, resource: str, linked: int = 0) -> int:
        """How many searches a listing is worth; so many records, which the store knows of, are there at least."""

    def search(self, resource: str, criterion: Mapping[str, Value], paths: frozenset[str]) -> Found:
        """Read the records that may have these values; more than those that exactly have them do no harm.

        A list of values stands for any of them: the spellings that a system may keep one in, the likeliest first.
        """

    def search_each(
        self, resource: str, criteria: Sequence[Mapping[str, Value]], paths: frozenset[str]
    ) -> Iterator[Found]:
        """The same for each of several, in their order; they may be asked for side by side."""

    def create(
        self, resource: str, requests: Sequence[CreateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Begin to create records: each batch of results answers the next requests, in their order.

        They may be under way before the first result is asked for, and while other requests are made.
        """

    def update(
        self, resource: str, requests: Sequence[UpdateRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Change records, a batch at a time: each yield answers the next requests, in their order."""

    def restore(self, resource: str, current: TargetRecord, paths: frozenset[str]) -> Result:
        """Bring back a record that a removal deactivated."""

    def remove(
        self, resource: str, requests: Sequence[RemoveRequest], paths: frozenset[str]
    ) -> Iterator[Sequence[Result]]:
        """Deactivate or delete records, several at a time: each yield answers the next requests, in their order."""
