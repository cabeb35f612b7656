"""What comes in on one stream of the mapper: records are checked, made into ``Incoming`` and handed on in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import fastjsonschema
import msgspec
from record_sync.flow_sync import FlowSync
from record_sync.record import Incoming
from record_sync.record_id import fault_of, storable
from record_sync.rules import FlowRules
from record_sync.values import pick
from singer_edge.errors import RunFailed

BATCH_ROWS = 1000


class FlowInput:
    """Collects one flow's records.

    Args:
        flow: takes the batches.
        schema: the SCHEMA message's; a record that does not fit it is parked.

    """

    def __init__(self, flow: FlowSync, schema: Mapping[str, Any], *, batch_rows: int = BATCH_ROWS) -> None:
        self.flow = flow
        self.rules: FlowRules = flow.rules
        self.start_checked = False
        self._fits = _compiled(schema)
        self._paths = tuple(one.path for one in flow.rules.properties)
        self._batch_rows = batch_rows
        self._records: list[Incoming] = []

    @property
    def is_full(self) -> bool:
        """Whether the batch is large enough to be handed on."""
        return len(self._records) >= self._batch_rows

    def add(self, message: Mapping[str, Any]) -> None:
        """Take a RECORD message. One that is not valid is parked; the rest goes on."""
        record = message["record"]
        source = record.get("_source")
        if not isinstance(source, dict) or not isinstance(source.get("id"), str):
            raise RunFailed(
                f"A RECORD of stream {message['stream']!r} has no _source.id. "
                "Put the dataflow mapper before this target, or leave x-sync out of the SCHEMA."
            )
        incoming = Incoming(
            id=source["id"],
            version=source.get("version"),
            modified_at=None,
            values=pick(record, self._paths),
            source=source.get("values") or {},
            deleted=bool(source.get("deleted")),
            filtered=bool(source.get("filtered")),
        )
        try:
            incoming.modified_at = _moment(source.get("modified_at"))
            incoming.read_at = _moment(message.get("time_extracted"))
            if not incoming.filtered:
                self._fits(record)
        except (fastjsonschema.JsonSchemaValueException, msgspec.ValidationError) as error:
            self._park(incoming, str(error))
            return
        fault = fault_of(incoming.id)
        if fault is None:
            self._records.append(incoming)
        else:
            incoming.id = storable(incoming.id)
            self._park(incoming, fault)

    def _park(self, incoming: Incoming, fault: str) -> None:
        self.hand_on()
        self.flow.park_invalid(incoming, f"not a valid record: {_shortened(fault)}")

    def hand_on(self) -> None:
        """Bring all that came in to its outcome."""
        records, self._records = self._records, []
        if records:
            self.flow.take(records)


def _compiled(schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    try:
        compiled: Callable[[Any], Any] = fastjsonschema.compile(dict(schema), use_default=False)
    except fastjsonschema.JsonSchemaDefinitionException as error:
        raise RunFailed(f"The stream's JSON schema is none: {error}.") from None
    return compiled


def _moment(text: object) -> datetime | None:
    """A time in UTC; one without a zone is taken for UTC. Raises ValidationError."""
    if text is None:
        return None
    moment: datetime = msgspec.convert(text, datetime)
    try:
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except OverflowError:
        raise msgspec.ValidationError("a time before year 1 or after year 9999") from None


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
