"""Letting one run go over the limits of the circuit breaker."""

from __future__ import annotations

import sqlalchemy as sa
from record_sync.breaker import DELETIONS, OVERWRITES, text_of, words
from record_sync.store import Store, tables

from dataflow_operator.store.flows import FlowStatus, flows
from dataflow_operator.store.opening import opened

WRITES = (DELETIONS, OVERWRITES)


def let_through(links_url: str, sync_name: str, flow: str, writes: str, *, undo: bool = False) -> FlowStatus:
    """Let the next run make all its deletions or overwrites, or (``undo``) not after all; tells the flow as it is now.

    It waits for no run, but refuses while one works: its end would use up what was meant for the next one.

    Raises:
        OperatorError: there is no such store or flow.
        StoreLockedError: a run works with the store.
    """
    with opened(links_url, sync_name) as reading:
        (flow_id,) = reading.flow_ids(flow)
        sides = reading.sync.sides
    with Store(links_url, sides, sync_name) as store, store.begin() as connection:
        column = tables.flow.c.let_through
        before = connection.scalar(sa.select(column).where(tables.flow.c.id == flow_id))
        chosen = set(words(before))
        chosen = chosen - {writes} if undo else chosen | {writes}
        connection.execute(
            sa.update(tables.flow).where(tables.flow.c.id == flow_id).values(let_through=text_of(chosen))
        )
    with opened(links_url, sync_name) as reading:
        return flows(reading, flow)[0]
