"""The audit on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from dataflow_operator.audit.flows import SIDES
from dataflow_operator.audit.report import (
    AMBIGUOUS,
    DIFFERS,
    MISSING,
    UNLINKED,
    Audit,
    Count,
    Finding,
    FlowAudit,
    PropertyAudit,
)
from dataflow_operator.terminal import say, shortened, show_facts, show_table, spelled
from dataflow_operator.timestamps import at, length

_UNCHANGED = {"neither": "neither side", "unknown": "not known", "both": "both sides"}


def show(audit: Audit, limit: int) -> None:
    """Print it."""
    show_facts(
        [
            ("Link store", audit.store),
            ("Sync name", audit.sync_name),
            *audit.systems.items(),
            ("Read", f"{at(audit.began_at)} UTC, in {length(audit.ended_at - audit.began_at)}"),
            ("Requests", ", ".join(f"{count} to {side}" for side, count in audit.requests.items())),
        ]
    )
    show_table(
        ("Flow", "Linked", "In sync", "Differ", "Missing", "Unlinked", "Ambiguous", "Explained", "Left alone"),
        [_flow(one) for one in audit.flows],
    )
    show_table(
        ("Flow", "Customcrm property", "Tripletex property", "Compared", "In sync", "Differ", "Explained", ""),
        [
            (flow.flow, _in_group(line), ", ".join(line.tripletex), *_line(line))
            for flow in audit.flows
            for line in flow.properties
        ],
    )
    rows = [row for flow in audit.flows for finding in flow.findings for row in _finding(finding)]
    if rows:
        show_table(("Flow", "Finding", *SIDES, "Property", *(f"In {side}" for side in SIDES), "Changed", "Why"), rows)
    for flow in audit.flows:
        total = flow.unexplained + flow.explained
        if total > len(flow.findings):
            say(f"{flow.flow}: {total - len(flow.findings)} more of {total} findings: --limit (here {limit})")
    for note in audit.notes:
        say(note)
    say(verdict(audit))


def verdict(audit: Audit) -> str:
    """The audit in one sentence."""
    explained = sum(flow.explained for flow in audit.flows)
    waits = f" {_findings(explained)} explained by what waits." if explained else ""
    if audit.is_clean:
        return f"In sync: nothing differs that nothing explains.{waits}"
    return f"Not in sync: {_findings(sum(flow.unexplained for flow in audit.flows))} not explained by anything.{waits}"


def _findings(count: int) -> str:
    return "1 finding is" if count == 1 else f"{count} findings are"


def _flow(flow: FlowAudit) -> list[object]:
    kinds = (DIFFERS, MISSING, UNLINKED, AMBIGUOUS)
    alone = [f"{count} of {side} kept out" for side, count in flow.kept_out.items()]
    alone += [f"{count} of {side} with none to be made" for side, count in flow.alone.items()]
    return [
        flow.flow,
        flow.linked,
        flow.in_sync,
        *(flow.counts.get(kind, Count()).unexplained for kind in kinds),
        flow.explained,
        alone,
    ]


def _in_group(line: PropertyAudit) -> str:
    return line.customcrm if line.group is None else f"{line.customcrm} ({line.group})"


def _line(line: PropertyAudit) -> tuple[object, ...]:
    if line.not_compared is not None:
        return ("", "", "", "", line.not_compared)
    mark = "differs" if line.differs else "waits" if line.explained else "ok" if line.compared else "nothing to compare"
    return (line.compared, line.in_sync, line.differs, line.explained, mark)


def _finding(finding: Finding) -> Iterator[tuple[object, ...]]:
    ids = [finding.ids.get(side) or ", ".join(finding.candidates.get(side, ())) for side in SIDES]
    head: tuple[object, ...] = (finding.flow, finding.kind, *ids)
    if not finding.differences:
        why = finding.reason if finding.explained is None else f"{finding.reason}; {finding.explained}"
        yield (*head, "", "", "", "", shortened(why))
    for one in finding.differences:
        values = [shortened(_values(one.values.get(side, {}))) for side in SIDES]
        name = f"{one.customcrm} = {', '.join(one.tripletex)}"
        why = shortened(one.explained or "nothing explains it")
        yield (*head, name, *values, _UNCHANGED.get(one.changed, one.changed), why)
        head = ("", "", "", "")


def _values(values: dict[str, object]) -> str:
    return ", ".join(spelled(value) for value in values.values())
