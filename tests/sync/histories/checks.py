"""What must hold once everybody has stopped: the rules of docs/architecture.md, seen from outside."""

from __future__ import annotations

from typing import Any

from record_sync.canonical import same
from record_sync.errors import BehindTheTapError

from tests.sync.going import SIDES, resource
from tests.sync.histories.lies import is_checked
from tests.sync.histories.reading import COMPLETE
from tests.sync.histories.register import Row
from tests.sync.histories.steps import decided
from tests.sync.histories.target import BrokenRuleError
from tests.sync.histories.world import HOUR, PHONES, PROPERTIES, SECOND, Edit, Truth, World, other, said

CYCLES = 2
"""After so many nothing is left to be done."""


def settle_and_check(world: World) -> None:
    """Let the lines run until nothing is to be done, look at everything; then let persons decide, and look again."""
    _settle(world)
    Checking(world).check()
    open_ones = [row for row in world.memory.conflicts() if row["state"] in ("open", "taken")]
    if not open_ones and not world.memory.waiting():
        return
    for row in open_ones:
        side = SIDES[(row["id"] + world.salt) % 2] if row["state"] == "open" else row["winner"]
        world.log.append(f"at the end {decided(world, row, side)}")
    for register in world.registers.values():
        register.nature.refuses_searches = False
    _settle(world)
    Checking(world).check()
    for row in world.memory.waiting():
        may_stay = row["kind"] == "conflict" and not is_checked("conflicts end")
        if row["kind"] in ("parked", "invalid", "conflict") and not may_stay:
            raise BrokenRuleError(f"nothing is refused any more, and yet it waits: {row}")
    for row in world.memory.conflicts():
        if row["state"] in ("open", "taken") and is_checked("conflicts end"):
            raise BrokenRuleError(f"a conflict that was decided is still {row['state']}: {row}")


def _settle(world: World) -> None:
    counted = 0
    for _ in range(3 * CYCLES):
        before = world.memory.said()
        # What one cycle misses the next one looks up, and only then is it deleted, or may another take its place.
        counted += not any(
            link["state"] == "live" and {link["left_state"], link["right_state"]} != {"live"}
            for link in world.memory.links()
        )
        world.time += 25 * HOUR
        writes = [write for to in reversed(SIDES) for write in _run(world, to)]
        world.log.append(f"settling: {writes}")
        if not writes and (counted > CYCLES or world.memory.said() == before):
            break  # so would all others be
        if counted > CYCLES:
            raise BrokenRuleError(f"{CYCLES} cycles settle everything, and yet: {writes}")
    else:
        raise BrokenRuleError(f"{3 * CYCLES} cycles settle everything, and yet: {writes}")
    if world.memory.intents():
        raise BrokenRuleError("a write is still open")


def _run(world: World, to: str) -> list[str]:
    try:
        return world.run(to, world.read(to, COMPLETE)).writes
    except BehindTheTapError:
        if "store" not in world.restored:
            raise
        world.begin_anew.add(other(to))
        return world.run(to, world.read(to, COMPLETE)).writes


class Checking:
    """One look at both systems and the store."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.conflicts = world.memory.conflicts()
        self.waiting = world.memory.waiting()
        self.links = world.memory.links()
        self.reported = {
            said(value)
            for row in self.conflicts
            for values in row["both"].values()
            for value in values.values()
            if isinstance(value, str)
        }
        for row in self.waiting:
            if not row["reason"].strip():
                raise BrokenRuleError(f"{row['flow']} {row['record_id']} waits, and nobody knows for what")

    def check(self) -> None:
        world = self.world
        self._check_links()
        for truth in world.truths.values():
            rows = {side: world.rows(side, truth) for side in SIDES}
            if truth.doubled:
                continue
            if truth.excused:
                if all(len(some) == 1 for some in rows.values()):
                    self._check_agreement(truth, *(some[0] for some in rows.values()))
                continue
            for side, some in rows.items():
                if len(some) > 1:
                    raise BrokenRuleError(f"{truth.tag} is there {len(some)} times on the side of {side}")
            both = {side: some[0] if some else None for side, some in rows.items()}
            if truth.was_deleted:
                self._check_deletion(truth, both)
            else:
                self._check_pair(truth, both)
        self._check_edits()

    def _waits(self, truth: Truth, both: dict[str, Row | None], *kinds: str) -> bool:
        """Whether somebody is told why a record is not carried over."""
        ids = {(side, row.id) for side, row in both.items() if row is not None}
        return any(
            row["flow"] == truth.flow and (row["side"], row["record_id"]) in ids and (not kinds or row["kind"] in kinds)
            for row in self.waiting
        )

    def _asked(self, truth: Truth, both: dict[str, Row | None]) -> bool:
        """Whether a person is asked about this record's deletion."""
        ids = [(side, row.id) for side, row in both.items() if row is not None]
        return any(
            row["flow"] == truth.flow and row["unit"] == "deleted" and row["state"] in ("open", "taken")
            for row in self.conflicts
            if any(row[side] == record_id for side, record_id in ids)
        )

    def _check_pair(self, truth: Truth, both: dict[str, Row | None]) -> None:
        kept = both["tripletex"]
        is_gone = kept is None or kept.inactive or truth.flow == "product"
        if truth.deleted_unlinked and both["customcrm"] is None and is_gone:
            return
        for side, row in both.items():
            if row is None and not self._waits(truth, both):
                raise BrokenRuleError(f"{truth.tag} is missing on the side of {side}")
        crm, tripletex = both.values()
        if crm is None or tripletex is None:
            return
        if tripletex.inactive and not tripletex.kept_inactive:
            raise BrokenRuleError(f"{truth.tag} was made inactive, and nobody deleted it")
        self._check_properties(truth, crm, tripletex)
        self._check_reference(truth, crm, tripletex)

    def _check_agreement(self, truth: Truth, crm: Row, tripletex: Row) -> None:
        """Whatever became of it otherwise: as long as it is linked both sides say the same."""
        pair = (truth.flow, crm.id, tripletex.id, "live")
        if any((one["flow"], one["customcrm"], one["tripletex"], one["state"]) == pair for one in self.links):
            self._check_properties(truth, crm, tripletex)

    def _check_properties(self, truth: Truth, crm: Row, tripletex: Row) -> None:
        for names in PROPERTIES[truth.flow]:
            one, another = crm.values.get(names["customcrm"]), tripletex.values.get(names["tripletex"])
            kind = "phone" if names["customcrm"] in PHONES else "text"
            if said(one) == said(another) and (said(one) or same(kind, one, another)):
                continue
            tokens = {said(one), said(another)} - {None}
            if tokens <= self.reported and self._is_open(truth, crm, tripletex):
                continue
            if self._waits(truth, dict(zip(SIDES, (crm, tripletex), strict=True))):
                continue
            raise BrokenRuleError(f"{truth.tag}.{names['customcrm']}: {one!r} here, {another!r} there")

    def _is_open(self, truth: Truth, crm: Row, tripletex: Row) -> bool:
        return any(
            row["flow"] == truth.flow
            and row["state"] in ("open", "taken")
            and (row["customcrm"] == crm.id or row["tripletex"] == tripletex.id)
            for row in self.conflicts
        )

    def _check_reference(self, truth: Truth, crm: Row, tripletex: Row) -> None:
        if truth.flow != "contact" or "customer" not in self.world.flows or self.world.policy == "manual":
            return
        here, there = crm.values.get("CustomerId"), tripletex.values.get("customer.id")
        one = self.world.registers["customcrm"].get("customer", str(here))
        another = self.world.registers["tripletex"].get("customer", str(there))
        if (here and one is None) or (there and another is None):
            return  # what was deleted since cannot be carried over
        tags = [None if row is None else row.tag for row in (one, another)]
        known = [self.world.truths[tag] for tag in tags if tag is not None]
        if tags[0] != tags[1] and not any(one.was_deleted or one.excused or one.doubled for one in known):
            if self._waits(truth, {"customcrm": crm, "tripletex": tripletex}):
                return
            raise BrokenRuleError(f"{truth.tag} belongs to {tags[0]} here, to {tags[1]} there")

    def _check_deletion(self, truth: Truth, both: dict[str, Row | None]) -> None:
        """Both sides have it, or neither, or a person is asked."""
        crm, tripletex = both["customcrm"], both["tripletex"]
        there = {"customcrm": crm is not None, "tripletex": tripletex is not None and not tripletex.inactive}
        if self._asked(truth, both) or self._waits(truth, both):
            return
        ignored = [side for side in truth.deleted_on if self._policy(truth, side) == "ignore"]
        if there["customcrm"] == there["tripletex"]:
            if not is_checked("deletions stay") or not there["customcrm"] or ignored:
                return
            if truth.last == "delete":
                raise BrokenRuleError(f"{truth.tag} was deleted by a user, and is there again on both sides")
            return
        if ignored or (truth.flow == "product" and crm is not None):
            return
        if there["customcrm"] and tripletex is not None and (tripletex.kept_inactive or truth.last == "decision"):
            # A decision for an edit of what is inactive makes it anew in the CRM, and leaves it inactive.
            return
        is_back = there["customcrm"] and not truth.deleted_on
        if is_back and tripletex is not None and not is_checked("what returns is active again"):
            return
        if truth.reactivated and there["tripletex"]:
            # Being active is no property that the tables carry over: who wants the record of Tripletex back in the
            # CRM edits it, and is asked.
            return
        raise BrokenRuleError(f"{truth.tag} is on one side only, and nobody is asked: {there}")

    def _policy(self, truth: Truth, side: str) -> str:
        return next(one.rules.on_delete for one in self.world.going(other(side)) if one.name == truth.flow)

    def _check_edits(self) -> None:
        world = self.world
        for edit in world.edits:
            truth = world.truths[edit.tag]
            if edit.token in world.replaced or truth.doubled or truth.excused:
                continue
            if edit.token in self.reported:
                self._check_loser(truth, edit)
                continue
            is_deleted = truth.was_deleted
            if is_deleted and (not edit.late or truth.last == "decision"):
                continue
            if is_deleted and self._is_contended(edit) and not is_checked("what was never agreed bars a deletion"):
                continue
            sides = (edit.side,) if is_deleted else SIDES
            both = {side: world.row(side, truth) for side in SIDES}
            if truth.deleted_unlinked and None in both.values():
                continue
            for side in sides:
                row = both[side]
                path = PROPERTIES[truth.flow][edit.index][side]
                if row is not None and not row.inactive and said(row.values.get(path)) == edit.token:
                    continue
                if row is not None and row.kept_inactive and said(row.values.get(path)) == edit.token:
                    continue
                if self._waits(truth, both):
                    continue
                raise BrokenRuleError(f"{edit.token}, an edit of {edit.tag} on the side of {edit.side}, is lost")

    def _is_contended(self, edit: Edit) -> bool:
        """Whether both sides ever said something of this property."""
        return any((one.tag, one.index) == (edit.tag, edit.index) and one.side != edit.side for one in self.world.edits)

    def _check_loser(self, truth: Truth, edit: Edit) -> None:
        """An edit that lost by policy lost to a newer one."""
        world = self.world
        if not is_checked("newer edits win") or world.policy != "latest" or world.restored or truth.deleted_on:
            return
        if any(register.nature.offset or not register.nature.versions for register in world.registers.values()):
            return
        if world.lies & {"clocks jump", "silent edits"}:
            return
        lost = any(
            row["state"] == "kept" and row["winner"] == other(edit.side) and edit.token in _tokens(row, edit.side)
            for row in self.conflicts
        )
        rows = {side: world.row(side, truth) for side in SIDES}
        stands = any(
            row is not None and said(row.values.get(PROPERTIES[truth.flow][edit.index][side])) == edit.token
            for side, row in rows.items()
        )
        if lost and not stands and truth.touched.get(other(edit.side), 0) < edit.at - 2 * SECOND:
            raise BrokenRuleError(
                f"{edit.token}, the newest edit of {edit.tag}, lost on the side of {edit.side} to an older one"
            )

    # -- links

    def _check_links(self) -> None:
        """One to one, and of the same."""
        world = self.world
        joined: set[tuple[str, str, str]] = set()
        for link in world.memory.links():
            tags = {}
            for side in SIDES:
                of = resource(link["flow"], side)
                row = world.registers[side].rows.get((of, link[side]))
                if row is None or not row.is_there:
                    continue
                tags[side] = row.tag
                place = (side, of, row.id)
                if place in joined:
                    raise BrokenRuleError(f"{row.tag} on the side of {side} is linked twice")
                joined.add(place)
            if len(set(tags.values())) > 1 and link["state"] != "ended":
                raise BrokenRuleError(
                    f"{link['customcrm']} and {link['tripletex']} are linked and not the same: {tags}"
                )


def _tokens(row: dict[str, Any], side: str) -> set[str | None]:
    return {said(value) for value in row["both"].get(side, {}).values()}
