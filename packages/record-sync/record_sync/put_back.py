"""Values that lost a conflict and that a person wants back: written to their own side, as that person's edit."""

from __future__ import annotations

from record_sync.canonical import same
from record_sync.conflict import Lost
from record_sync.flow import Flow
from record_sync.ledger import Transaction
from record_sync.record import Link, TargetRecord
from record_sync.system import Refused, Result, UpdateRequest, Written, answered


def put_back(flow: Flow) -> None:
    """Write what is wanted back, where the value that won still stands.

    The bases stay as they are, so that the other line sees the edit and carries it over.
    """
    if not flow.ledger.has_conflicts:
        return
    side = flow.ledger.key.target_side
    with flow.ledger.reading() as now:
        wanted = now.conflicts.to_restore(side)
        links = now.links.by_ids({one.link_id for one in wanted})
    if not wanted:
        return
    read = flow.target.read([link.target.id for link in links.values()])
    writes: list[tuple[Lost, Link, TargetRecord]] = []
    with flow.ledger.transaction() as now:
        for one in wanted:
            link = links.get(one.link_id)
            current = None if link is None else read.get(link.target.id)
            if link is None or current is None:
                flow.outcomes.note(f"Conflict {one.id}: its record is gone from {side}; no value is put back")
                _close(flow, now, one, link)
            elif _says(flow, current, one.values):
                _close(flow, now, one, link)
            elif one.over is not None and not _says(flow, current, one.over):
                flow.outcomes.note(
                    f"Conflict {one.id}: {side} has moved on since, and the value that lost is not put over it; "
                    "edit the record there instead"
                )
                now.conflicts.leave(one.id)
            else:
                writes.append((one, link, current))
    requests = [UpdateRequest(current, one.values) for one, _, current in writes]
    for some in answered(writes, flow.target.update(requests) if requests else iter(())):
        with flow.ledger.transaction() as now:
            for (one, link, _), result in some:
                _written(flow, now, one, link, result)


def _says(flow: Flow, current: TargetRecord, values: dict[str, object]) -> bool:
    return all(same(flow.rules.kind(path), current.get(path), value) for path, value in values.items())


def _written(flow: Flow, now: Transaction, one: Lost, link: Link, result: Result) -> None:
    """Where the record moved or no answer came, the next run looks again."""
    if isinstance(result, Refused):
        flow.outcomes.note(
            f"Conflict {one.id}: {flow.ledger.key.target_side} refuses the value that was to be put back: "
            f"{result.reason}. The other side's stands"
        )
        now.conflicts.leave(one.id)
    elif isinstance(result, Written):
        _close(flow, now, one, link)


def _close(flow: Flow, now: Transaction, one: Lost, link: Link | None) -> None:
    if link is not None:
        # The next read finds a version that is not ours: an edit like any other, and the latest one.
        link.target.written_at = flow.ledger.store.now()
        now.links.save(link)
    now.conflicts.close(one.id)
