"""What the document says, made of the tables alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from dataflow.conversion import BY_TYPE, LINK
from dataflow.groups import groups_of, policy_of
from dataflow.side import CUSTOMCRM, DIRECTIONS, TRIPLETEX, Direction, Side
from dataflow.streams import longest
from dataflow.table import Condition, Flow, Row
from dataflow.tables import Dataflow

from dataflow_operator.document.structure import Block, Code, Document, Paragraph, Points, Section, Table, Text
from dataflow_operator.timestamps import at

_ANY_CASE = "without regard to capitals, and to blanks around them"
MATCHED = {
    "text": _ANY_CASE,
    "email": "without regard to capitals and blanks",
    "exact": "exactly",
    "digits": "without regard to spaces",
    "organisation_number": "as organisation numbers, however they are written",
    "country": _ANY_CASE,
    "name": f"{_ANY_CASE}; a name whole in one property is the same as one in several",
    "full_name": f"{_ANY_CASE}; divided otherwise, a name is the same",
    "url": "without regard to capitals and a final /",
    "phone": "as phone numbers, however they are written",
}
"""How values of a kind are compared when records are matched."""

_WINS = {
    "latest": "the record that was edited last wins",
    "customcrm": "Customcrm wins",
    "tripletex": "Tripletex wins",
    "manual": "both values stay, and a person decides",
}
_DELETES = {
    "deactivate": "is set inactive",
    "delete": "is deleted",
    "ignore": "is left alone",
}


def documents(
    dataflow: Dataflow, directions: Sequence[Direction] = DIRECTIONS, *, generated: datetime | None = None
) -> tuple[Document, ...]:
    """A document for each direction in which anything goes."""
    moment = None if generated is None else f"{at(generated)} UTC"
    return tuple(
        Document(
            title=f"{direction.source.title} to {direction.target.title} Dataflow",
            sections=(
                Section("Introduction", tuple(_introduction(dataflow, direction))),
                *(
                    Section(
                        f"{entity(flow, direction.source)} to {entity(flow, direction.target)}",
                        tuple(_flow(dataflow, flow, direction)),
                    )
                    for flow in dataflow.flows
                    if flow.goes(direction)
                ),
            ),
            generated=moment,
        )
        for direction in directions
        if any(flow.goes(direction) for flow in dataflow.flows)
    )


def entity(flow: Flow, side: Side) -> str:
    """What a flow's records are called on a side."""
    return f"{side.title} {flow.stream(side).replace('_', ' ').title()}"


def a(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


# -- introduction


def _introduction(dataflow: Dataflow, direction: Direction) -> Iterator[Block]:
    files = list(dict.fromkeys(flow.place().file for flow in dataflow.flows))
    yield _prose(
        f"This document tells what is carried from {direction.source.title} to {direction.target.title}, property "
        "by property, and how records of the two systems find each other. It is made of the property tables (",
        *_listed(files),
        "), which the synchronisation itself works by, with the command ",
        Code("dataflow document"),
        "; a change belongs in the tables. It serves as a checklist when the dataflow is tested, and ",
        Code("dataflow audit --html audit.html"),
        " ticks that list with what both systems say at the moment.",
    )
    yield _prose("Where nothing else is said of a property:")
    yield Points(
        (
            ("it is carried both ways, as it is, whenever it changes;",),
            (f"where it was edited on both sides, a value goes before no value, else {_WINS['latest']}.",),
        )
    )


# -- one pair of entities


def _flow(dataflow: Dataflow, flow: Flow, direction: Direction) -> Iterator[Block]:
    source, target = entity(flow, direction.source), entity(flow, direction.target)
    yield from _who(flow, direction, source, target)
    yield _prose(_kept_in_sync(flow, direction, source, target))
    yield from _offered_before(dataflow, flow, direction, source)
    if flow.conflict != "latest":
        yield _prose(
            "Where a property was edited on both sides, a value goes before no value, else "
            f"{_WINS[flow.conflict]} (conflict policy ",
            Code(flow.conflict),
            ").",
        )
    policy = flow.on_delete(direction)
    yield _prose(f"Where {a(source)} is deleted, its {target} {_DELETES[policy]} (delete policy ", Code(policy), ").")
    yield from _matching(dataflow, flow, direction, source, target)
    yield from _groups(flow, direction, source, target)
    yield _prose(f"The following properties are synchronized between {a(source)} and {a(target)}:")
    yield Table(
        (
            f"{entity(flow, CUSTOMCRM)} Property",
            f"{entity(flow, TRIPLETEX)} Property",
            "Tripletex Data Type",
            "Direction, Conversion and Policy",
        ),
        tuple(
            (
                (Code(row.customcrm),),
                _listed(row.tripletex),
                (", ".join(dataflow.types(flow, row, TRIPLETEX)),),
                notes(dataflow, flow, row),
            )
            for row in flow.rows
            if row.goes(direction)
        ),
    )


def _who(flow: Flow, direction: Direction, source: str, target: str) -> Iterator[Block]:
    conditions = flow.condition(direction)
    if not flow.creates(direction):
        yield _prose(
            f"{_capital(a(source))} will be synchronized with {a(target)} "
            f"where one was made from the other, or where both were found to be the same. No {target} is created "
            f"from {a(source)}."
        )
    elif not conditions:
        yield _prose(f"Every {source} will be synchronized with {a(target)}.")
        return
    else:
        yield _prose(f"Every {source} that passes this filter will be synchronized with {a(target)}:")
    if conditions:
        if not flow.creates(direction):
            yield _prose(f"Only {source} records that pass this filter are looked at:")
        yield Points(tuple(_condition(one) for one in conditions))
        yield _prose("A record that no longer passes is not deleted; it is left alone.")


def _prose(*text: str | Code) -> Paragraph:
    return Paragraph(text)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _condition(condition: Condition) -> Text:
    name = Code(condition.property)
    if condition.empty is not None:
        return (name, " has no value" if condition.empty else " has a value")
    if condition.among:
        return (name, " is ", *_listed(map(_spelled, condition.among), "or"))
    return (
        name,
        " is neither " if len(condition.not_among) > 1 else " is not ",
        *_listed(map(_spelled, condition.not_among), "nor"),
    )


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kept_in_sync(flow: Flow, direction: Direction, source: str, target: str) -> str:
    head = (
        f"Once a link between {a(source)} and {a(target)} is established, it will keep in sync between the two systems"
    )
    if all(flow.goes(one) for one in DIRECTIONS):
        return f"{head}, regardless of where it is edited."
    return f"{head} with what is edited in {direction.source.title}; edits in {direction.target.title} stay there."


def _offered_before(dataflow: Dataflow, flow: Flow, direction: Direction, source: str) -> Iterator[Block]:
    before = dataflow.before(flow, direction)
    if before:
        others = " and ".join(entity(dataflow.flow(name), direction.target) for name in before)
        yield _prose(
            f"{_capital(a(source))} may stand for {a(others)}. It is offered as such first, and what belongs to "
            f"{a(others)} is never taken for {a(entity(flow, direction.target))}."
        )


def _matching(dataflow: Dataflow, flow: Flow, direction: Direction, source: str, target: str) -> Iterator[Block]:
    if not flow.match_on:
        yield _prose(f"{_capital(a(source))} that is not linked is not looked for among {target} records.")
        return
    yield _prose(
        f"{_capital(a(source))} that is not linked yet is looked for among the {target} records that are not "
        "either, by these merge criteria, the strongest first. A weaker one does not count where the properties of "
        "a stronger one differ. Where several records fit, or one that is linked already, nobody guesses: the "
        "record waits, and is told as ambiguous."
    )
    yield Table(
        (
            "Merge Criterion",
            f"{entity(flow, CUSTOMCRM)} Property",
            f"{entity(flow, TRIPLETEX)} Property",
            "Compared",
        ),
        tuple(
            (
                (str(rank),),
                _listed((row.customcrm for row in rows), "and"),
                _listed(criterion, "and"),
                _compared(dataflow, flow, criterion, rows),
            )
            for rank, criterion in enumerate(flow.match_on, 1)
            if (rows := [row for path in criterion if (row := flow.row_of(path, direction)) is not None])
        ),
    )


def _groups(flow: Flow, direction: Direction, source: str, target: str) -> Iterator[Block]:
    groups = {name: rows for name, rows in groups_of(flow).items() if any(row.goes(direction) for row in rows)}
    if not groups:
        return
    yield _prose(
        "Properties of a group are decided together, when a record is first found and whenever both sides differ: the "
        f"values of the {source} or those of the {target} are taken whole, empty ones too, and never some of each. A "
        "side that says nothing of a group, or nothing that the other one does not say too, takes the other's."
    )
    yield Points(
        tuple((Code(name), ": ", *_listed((row.customcrm for row in rows), "and")) for name, rows in groups.items())
    )


def _compared(dataflow: Dataflow, flow: Flow, criterion: Iterable[str], rows: Sequence[Row]) -> Text:
    told: dict[str, list[str]] = {}
    for path, row in zip(criterion, rows, strict=True):
        kinds = dict(zip(row.tripletex, dataflow.conversion(flow, row).compare_tripletex, strict=True))
        told.setdefault(MATCHED[kinds[path]], []).append(path)
    if len(told) == 1:
        return (next(iter(told)),)
    parts: list[str | Code] = []
    for how, paths in told.items():
        parts += ["; " if parts else "", *_listed(paths, "and"), f" {how}"]
    return tuple(part for part in parts if part != "")


def notes(dataflow: Dataflow, flow: Flow, row: Row) -> Text:
    """What a row says beyond "both ways, as it is, by the flow's policies"."""
    told: list[Text] = [(f"only to {one.target.title}",) for one in DIRECTIONS if row.direction == one.key]
    if row.when == "create":
        told.append(("only when the record is created",))
    conversion = dataflow.conversion(flow, row)
    if row.link is not None:
        other = dataflow.flow(row.link)
        told.append((f"the id of the linked {entity(other, CUSTOMCRM)} or {entity(other, TRIPLETEX)}",))
    elif conversion is not LINK and conversion.name not in BY_TYPE.values():
        told.append((Code(conversion.name), f": {conversion.meaning}"))
    if row.country is not None:
        told.append(("a number without a prefix is one of the country in ", Code(row.country)))
    if row.group is not None:
        told.append(("group ", Code(row.group)))
    policy = policy_of(flow, row)
    if policy is not None:
        told.append(("conflict policy ", Code(policy), f": {_WINS[policy]}"))
    if row.cut:
        told.append((f"cut to {longest(TRIPLETEX, flow.tripletex, row.tripletex[0])} characters in Tripletex",))
    return tuple(part for index, text in enumerate(told) for part in (("; ",) if index else ()) + text)


def _listed(names: Iterable[str], last: str = "") -> Text:
    listed = list(names)
    parts: list[str | Code] = []
    for index, name in enumerate(listed):
        if index:
            parts.append(f" {last} " if last and index == len(listed) - 1 else ", ")
        parts.append(Code(name))
    return tuple(parts)
