"""The pages that tell something."""

from __future__ import annotations

from itertools import zip_longest

import msgspec
from dataflow.side import DIRECTIONS
from starlette.requests import Request
from starlette.responses import Response

from dataflow_operator import project
from dataflow_operator.audit.flows import SIDES
from dataflow_operator.audit.report import KINDS
from dataflow_operator.audit.table import verdict
from dataflow_operator.conflicts import STATE_WORDS, unit_name, values_of
from dataflow_operator.document.content import documents
from dataflow_operator.failures import next_try
from dataflow_operator.page.site import ROWS, Frame, Site, asked, number_of, paged, pager
from dataflow_operator.page.timeline import cycles, kinds_of, picture
from dataflow_operator.runs import took, waited
from dataflow_operator.status import status_of
from dataflow_operator.store import conflicts, links, runs, waiting
from dataflow_operator.store.conflicts import AT_WORK, OPEN, SETTLED, STATES, ConflictRow, Shown
from dataflow_operator.store.opening import OpenStore, Sync

CYCLES = 40
"""Cycles that the overview draws."""


class SideBySide(msgspec.Struct, frozen=True):
    """A conflict as a person compares it."""

    shown: Shown
    unit: str
    state: str
    values: dict[str, list[tuple[str, str, bool]]]
    """Side to property, value, and whether the other side says something else."""
    decidable: bool


def overview(site: Site, request: Request) -> Response:
    """How the sync stands, and how the last cycles went."""
    with site.reading() as store:
        told = status_of(store)
        newest = cycles(runs.runs(store, 2 * CYCLES))[:CYCLES]
        frame = Frame.of(store)
    return site.show(
        request, "overview.html", frame, told=told, cycles=newest, picture=picture(newest), kinds_of=kinds_of
    )


def link_list(site: Site, request: Request) -> Response:
    """Links, and those of one record."""
    flow, record_id = asked(request, "flow"), (asked(request, "id") or "").strip() or None
    page, offset = paged(request)
    with site.reading() as store:
        known = _flow(store, flow)
        found = links.find(store, flow=known, record_id=record_id, limit=ROWS, offset=offset)
        left = waiting.waiting(store, flow=known, record_id=record_id, limit=ROWS) if record_id else []
        frame, flows, sides = Frame.of(store), list(store.flow_ids().values()), store.sync.sides
    return site.show(
        request,
        "links.html",
        frame,
        found=found.links,
        waiting=left,
        flows=flows,
        flow=known,
        record_id=record_id,
        sides=sides,
        pager=pager(request, page, found.total, flow=flow, id=record_id),
    )


def link(site: Site, request: Request) -> Response:
    """All that is known of two records that are one and the same."""
    number = number_of(request)
    with site.reading() as store:
        found = links.one_link(store, number)
        left = waiting.of_link(store, found)
        contested = conflicts.conflicts(store, link=number, limit=ROWS)
        sync, frame, writes = store.sync, Frame.of(store), links.open_writes(store, number)
    return site.show(
        request,
        "link.html",
        frame,
        link=found,
        sides=sync.sides,
        systems=sync.systems,
        waiting=left,
        writes=writes,
        next_try=next_try,
        conflicts=[(row, unit_name(row, sync.sides), _state(row)) for row in contested.conflicts],
    )


def failure_list(site: Site, request: Request) -> Response:
    """Records that wait, the oldest first."""
    flow, kind, record_id = asked(request, "flow"), asked(request, "kind"), asked(request, "id")
    page, offset = paged(request)
    with site.reading() as store:
        known = _flow(store, flow)
        kind = kind if kind in waiting.KINDS else None
        rows = waiting.waiting(store, flow=known, kind=kind, record_id=record_id, limit=ROWS, offset=offset)
        total = waiting.how_many(store, flow=known, kind=kind, record_id=record_id)
        frame, flows = Frame.of(store), list(store.flow_ids().values())
    return site.show(
        request,
        "failures.html",
        frame,
        rows=rows,
        flows=flows,
        kinds=waiting.KINDS,
        tried=waiting.TRIED,
        flow=known,
        kind=kind,
        record_id=record_id,
        next_try=next_try,
        pager=pager(request, page, total, flow=known, kind=kind, id=record_id),
    )


def failure(site: Site, request: Request) -> Response:
    """One record that waits: what the API said, and what would be written."""
    with site.reading() as store:
        row, content = waiting.one_waiting(store, number_of(request))
        frame, other = Frame.of(store), store.sync.other(row.side)
        joined = next(iter(links.find(store, flow=row.flow, record_id=row.record_id, limit=1).links), None)
        contested = conflicts.conflicts(store, link=joined.id, states=(OPEN,), limit=ROWS).conflicts if joined else []
    return site.show(
        request,
        "failure.html",
        frame,
        row=row,
        content=content,
        other=other,
        link=joined,
        contested=contested,
        tried=waiting.TRIED,
        untried=waiting.UNTRIED,
        next_try=next_try,
        pairs=list(zip_longest(content.source.items(), content.values.items())),
    )


def conflict_list(site: Site, request: Request) -> Response:
    """What waits for a person or for the next run, side by side, the newest first."""
    flow, everything = asked(request, "flow"), asked(request, "all") is not None
    page, offset = paged(request)
    states = STATES if everything else AT_WORK
    with site.reading() as store:
        known = _flow(store, flow)
        found = conflicts.conflicts(store, flow=known, states=states, limit=ROWS, offset=offset)
        shown = [_side_by_side(conflicts.one_conflict(store, row.id), store.sync) for row in found.conflicts]
        frame, flows, sides = Frame.of(store), list(store.flow_ids().values()), store.sync.sides
    total = sum(found.total.get(state, 0) for state in states)
    return site.show(
        request,
        "conflicts.html",
        frame,
        shown=shown,
        flows=flows,
        flow=known,
        everything=everything,
        decided=found.total.get(conflicts.KEPT, 0),
        sides=sides,
        pager=pager(request, page, total, flow=known, all="1" if everything else None),
    )


def conflict(site: Site, request: Request) -> Response:
    """One conflict, and why it stands as it does."""
    with site.reading() as store:
        shown = _side_by_side(conflicts.one_conflict(store, number_of(request)), store.sync)
        frame, sides = Frame.of(store), store.sync.sides
    return site.show(request, "conflict.html", frame, one=shown, sides=sides)


def run_list(site: Site, request: Request) -> Response:
    """The history of the runs."""
    page, offset = paged(request)
    with site.reading() as store:
        found, total = runs.runs(store, ROWS, offset), runs.how_many(store)
        frame = Frame.of(store)
    return site.show(
        request, "runs.html", frame, runs=found, took=took, waited=waited, pager=pager(request, page, total)
    )


def audit(site: Site, request: Request) -> Response:
    """The last audit's report, and the way to another."""
    return site.show(
        request,
        "audit.html",
        site.frame(),
        told=site.auditing.told(),
        verdict=verdict,
        audited_sides=SIDES,
        audited_kinds=KINDS,
    )


def document(site: Site, request: Request) -> Response:
    """What is synchronised with what, property by property, as the tables have it now."""
    made = documents(project.here(), DIRECTIONS)
    return site.show(request, "document.html", site.frame(), documents=made)


def _flow(store: OpenStore, name: str | None) -> str | None:
    """The flow that is asked for, unless a run never had it: an old address shows all of them."""
    return name if name in store.flow_ids().values() else None


def _side_by_side(shown: Shown, sync: Sync) -> SideBySide:
    left, right = (values_of(shown, side) for side in sync.sides)
    differs = [one != two for (_, one), (_, two) in zip_longest(left, right, fillvalue=("", ""))]
    return SideBySide(
        shown,
        unit_name(shown.conflict, sync.sides),
        _state(shown.conflict),
        {
            side: [(name, value, other) for (name, value), other in zip(values, differs, strict=False)]
            for side, values in zip(sync.sides, (left, right), strict=True)
        },
        shown.conflict.state != SETTLED,
    )


def _state(conflict_: ConflictRow) -> str:
    return STATE_WORDS.get(conflict_.state, conflict_.state)
