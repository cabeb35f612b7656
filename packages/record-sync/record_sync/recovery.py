"""Writes that an earlier run began and whose answer it never stored: find out what became of them.

Nothing is sent again before that is known. What the target holds now says it: still at the version written over,
then it never happened; otherwise the values that equal what was sent are ours, and nobody's edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from record_sync.canonical import canonical, same
from record_sync.conflict import contest_deletion
from record_sync.matching import criterion_key, keys_of
from record_sync.record import GONE, Current, End, Incoming, Link
from record_sync.store.intents import Intent
from record_sync.system import Refused
from record_sync.values import Value, Values, empty

if TYPE_CHECKING:
    from record_sync.flow_sync import FlowSync


UNSURE = timedelta(minutes=65)
"""Two times of one system may be so far apart and yet in doubt: some tell neither zone nor the autumn's hour."""


SIGHT_ROUNDED = timedelta(seconds=2)
"""Servers tell their time in whole seconds."""

FEW = 3
"""So many searches are made without asking first what a listing would cost."""

AT_ONCE = 1000
"""Listed records that are looked up in the store together."""


class Recovery:
    """Settles the intents of one flow."""

    def __init__(self, flow: FlowSync) -> None:
        self._flow = flow

    # -- writes to this run's own target

    def settle_own(self) -> None:
        """Look up in the target what became of writes to it."""
        flow = self._flow
        with flow.store.reading() as connection:
            intents = flow.intents.towards(connection, flow.key.target_side)
        if not intents:
            return
        ids = [one.target_id for one in intents if one.target_id is not None]
        read = flow.system.read(flow.rules.target_resource, ids, flow.rules.paths) if ids else {}
        found = self._created([one for one in intents if one.kind == "create"])
        with flow.store.begin() as connection:
            for one in intents:
                if one.kind == "create":
                    self._adopt(connection, one, found[one.id])
                    continue
                link = flow.links.get(connection, one.link_id or 0)
                current = read.get(one.target_id or "")
                if link is None or current is None or current.version == one.over_version:
                    continue
                if one.kind == "update":
                    self.settle_update(one, link.source, link.target, current)
                    flow.links.save(connection, [link])
                elif link.source.state == GONE and not _next_version(one.over_version, current.version):
                    # Deactivated, and edited since: who made it active again may not find it inactive once more.
                    contest_deletion(flow, connection, link, current)
            flow.intents.remove(connection, [one.id for one in intents])

    def _created(self, intents: Sequence[Intent]) -> dict[int | None, list[Current]]:
        """The records that each of these creates may have made."""
        if not intents:
            return {}
        found: dict[int | None, list[Current]] = {}
        if len(intents) <= FEW or len(intents) <= self._flow.system.listing_cost(self._flow.rules.target_resource):
            found = {one.id: self._searched(one) for one in intents}
        # What no criterion finds is looked for in one listing for all, and so is everything where searches cost more.
        rest = [one for one in intents if not found.get(one.id)]
        return found | (self._listed(rest) if rest else {})

    def _searched(self, intent: Intent) -> list[Current]:
        sought = self._sought(intent)
        if sought is None:
            return []
        rules = self._flow.rules
        found = self._flow.system.search(rules.target_resource, sought, rules.paths)
        return [
            one
            for one in ([] if isinstance(found, Refused) else found)
            if self._made_after(one, intent.server_clock)
            and (self._fits(intent.values, one) or self._same_keys(sought, one))
        ]

    def _sought(self, intent: Intent) -> Values | None:
        """The strongest criterion that the record has values for."""
        keys = keys_of(intent.values, self._flow.rules)
        return next(
            (
                {path: intent.values[path] for path in criterion}
                for criterion in self._flow.rules.match_on
                if criterion_key(criterion, keys) is not None
            ),
            None,
        )

    def _listed(self, intents: Sequence[Intent]) -> dict[int | None, list[Current]]:
        wanted = {one.id: self._strongest(one) for one in intents}
        young = self._young(intents, {key for key in wanted.values() if key is not None})
        by_key: dict[tuple[Any, ...], list[Current]] = {}
        for one in young:
            for key in self._all_keys(one.values):
                by_key.setdefault(key, []).append(one)
        found = {
            one.id: [
                current
                for current in by_key.get(wanted[one.id] or (), ())
                if self._made_after(current, one.server_clock)
            ]
            for one in intents
        }
        taken = {one.id for some in found.values() for one in some}
        left = [one for one in young if one.id not in taken]
        for intent in intents:
            if not found[intent.id]:
                made = [one for one in left if self._made_after(one, intent.server_clock)]
                found[intent.id] = [one for one in made if self._fits(intent.values, one)] or [
                    one for one in made if self._nearly_fits(intent, one)
                ]
        return found

    def _young(self, intents: Sequence[Intent], wanted: AbstractSet[tuple[Any, ...]]) -> list[Current]:
        """The target's records that may have been made by the oldest of these creates, or later.

        Of those that are linked only the ones with these keys: what was made in the last hour may be many.
        """
        flow = self._flow
        sights = [one.server_clock for one in intents]
        sight = None if None in sights else min(one for one in sights if one is not None)
        young: list[Current] = []
        listing = flow.system.listing(flow.rules.target_resource, flow.rules.paths)
        while some := list(islice(listing, AT_ONCE)):
            made = {one.id: one for one in some if self._made_after(one, sight)}
            with flow.store.reading() as connection:
                linked = flow.links.of_targets(connection, made) if made else {}
            young += [
                one
                for record_id, one in made.items()
                if record_id not in linked or not wanted.isdisjoint(self._all_keys(one.values))
            ]
        return young

    def _all_keys(self, values: Values) -> list[tuple[Any, ...]]:
        """Each criterion that a record has values for, with them."""
        keys = keys_of(values, self._flow.rules)
        found = ((criterion, criterion_key(criterion, keys)) for criterion in self._flow.rules.match_on)
        return [(*criterion, *key) for criterion, key in found if key is not None]

    def _strongest(self, intent: Intent) -> tuple[Any, ...] | None:
        return next(iter(self._all_keys(intent.values)), None)

    def _made_after(self, current: Current, sight: datetime | None) -> bool:
        return sight is None or not self._flow.system.created_before(current, sight)

    def _fits(self, sent: Values, current: Current) -> bool:
        """Whether a record says all that was sent."""
        return not self._differing(sent, current)

    def _nearly_fits(self, intent: Intent, current: Current) -> bool:
        """Whether a record made since the write says what was sent but for one property, which somebody edited.

        Something that records are matched by has to be the same.
        """
        sight = intent.server_clock
        if sight is None or current.created_at is None or current.created_at < sight - SIGHT_ROUNDED:
            return False
        differing = self._differing(intent.values, current)
        rules = self._flow.rules
        kept = rules.match_paths & rules.lasting_paths & (intent.values.keys() - differing)
        return len(differing) <= 1 and bool(kept)

    def _same_keys(self, sought: Values, current: Current) -> bool:
        rules = self._flow.rules
        return all(same(rules.kind(path), value, current.get(path)) for path, value in sought.items())

    def _differing(self, sent: Mapping[str, Value], current: Current) -> set[str]:
        """What a record says otherwise than was sent. What is sent only at its creation may read as it likes."""
        rules = self._flow.rules
        return {
            path
            for path, value in sent.items()
            if path in rules.lasting_paths and not same(rules.kind(path), value, current.get(path))
        }

    def _adopt(self, connection: sa.Connection, intent: Intent, found: list[Current]) -> None:
        flow = self._flow
        before = flow.links.of_sources(connection, [intent.source_id]).get(intent.source_id)
        if before is not None and before.target.state != GONE:
            return
        linked = flow.links.of_targets(connection, [one.id for one in found])
        free = [one for one in found if one.id not in linked]
        exact = [one for one in free if self._fits(intent.values, one)]
        chosen = exact or free
        if not chosen or (len(chosen) > 1 and not exact):
            return
        # Records that say exactly the same cannot be told apart; the first one is as good as any.
        current = min(chosen, key=lambda one: (len(one.id), one.id))
        link = Link(
            source=End(
                id=intent.source_id,
                version=intent.source_version,
                modified_at=intent.source_modified_at,
                edited_at=intent.source_modified_at,
            ),
            target=End(id=current.id),
            flow=flow.rules.flow,
        )
        self._own_creation(link.source, link.target, intent, current.values, current.version, current.modified_at)
        if before is None:
            flow.links.add(connection, [link])
        else:
            flow.links.rename_target(connection, before, current.id)
            link.id = before.id
            flow.links.save(connection, [link])

    def _own_creation(
        self,
        source: End,
        target: End,
        intent: Intent,
        values: Values,
        version: str | None,
        modified_at: datetime | None,
    ) -> None:
        """Make the bases of a record that an intent created and that now says ``values``."""
        flow = self._flow
        for path, mark in intent.source.items():
            source.base.agree(path, mark)
        untouched = True
        for path, value in values.items():
            sent = intent.values.get(path)
            if same("text", sent, value) or same(flow.rules.kind(path), sent, value):
                target.base.agree(path, flow.prints.of(value))
            else:
                # Somebody edited it since; what was sent is what both sides last agreed on.
                target.base.expect(path, flow.prints.of_sent(sent))
                untouched = False
        target.version, target.modified_at = version, modified_at
        target.written_at = flow.store.now()
        if untouched:
            target.own_version = version
        else:
            target.edited_at = modified_at

    def settle_update(self, intent: Intent, source: End, target: End, current: Current) -> None:
        """Take the values that equal what was sent as ours; others are somebody's edit since."""
        flow = self._flow
        target.edited_at = intent.target_edited_at
        untouched = True
        for unit in intent.units:
            ours = all(
                flow.prints.of(canonical(unit.kinds[path], current.get(path))) == mark
                for path, mark in unit.sent.items()
            )
            if not ours:
                untouched = False
                continue
            for path, mark in unit.source.items():
                source.base.agree(path, mark)
            for path in unit.sent:
                target.base.agree(path, flow.prints.of(current.get(path)))
        untouched = untouched and all(
            flow.prints.of(current.values[path]) == mark
            for path, mark in target.base.firm.items()
            if path in current.values
        )
        target.version, target.modified_at = current.version, current.modified_at
        target.written_at = flow.store.now()
        if untouched and _next_version(intent.over_version, current.version):
            target.own_version = current.version
        else:
            target.edited_at = current.modified_at

    # -- writes to the side this run reads from

    def settle_opposite(self, connection: sa.Connection, records: Sequence[Incoming], links: dict[str, Link]) -> None:
        """Take records that come in as the answers that the other target never stored.

        A record read before the write was begun tells nothing about it.
        """
        flow = self._flow
        intents = flow.intents.towards(connection, flow.key.source_side)
        if not intents:
            return
        settled: list[int | None] = []
        for record in records:
            if record.deleted or record.filtered:
                continue
            current = Current(record.id, record.version, record.modified_at, dict(record.source))
            link = links.get(record.id)
            for intent in intents:
                if intent.id in settled:
                    continue
                if link is not None and intent.kind == "update" and intent.link_id == link.id:
                    if current.version == intent.over_version:
                        continue
                    # Seen from here, what was the target of that write is the source.
                    self.settle_update(intent, link.target, link.source, current)
                    flow.links.save(connection, [link])
                    settled.append(intent.id)
                elif link is None and intent.kind == "create" and self._is_creation(intent, record):
                    link = self._adopt_incoming(connection, intent, record)
                    if link is not None:
                        links[record.id] = link
                        settled.append(intent.id)
        flow.intents.remove(connection, settled)

    def _is_creation(self, intent: Intent, record: Incoming) -> bool:
        shared = [path for path in intent.values if path in record.source]
        if not shared:
            return False
        equal = [
            path
            for path in shared
            if any(
                same(kind, intent.values[path], record.source[path]) for kind in ("text", "phone", "digits", "email")
            )
        ]
        if len(equal) == len(shared):
            said_more = any(not empty(value) and path not in intent.values for path, value in record.source.items())
            # What it says beyond what was sent a user may have added since; to an older record it belongs.
            if not said_more or not _is_older(record.modified_at, intent.server_clock):
                return True
        if len(equal) == len(shared) - 1 and equal and not _is_older(record.modified_at, intent.server_clock):
            return self._shares_a_key(equal)
        matched = {
            path
            for unit in self._flow.rules.units
            for one in unit.properties
            if any(one.path in criterion for criterion in self._flow.rules.match_on[:1])
            for path in unit.sources
        }
        return bool(matched) and matched <= set(equal)

    def _shares_a_key(self, equal: Sequence[str]) -> bool:
        """Whether some source property that records are matched by is among these."""
        rules = self._flow.rules
        return any(
            path in equal
            for unit in rules.units
            for one in unit.properties
            if one.path in rules.match_paths
            for path in unit.sources
        )

    def _adopt_incoming(self, connection: sa.Connection, intent: Intent, record: Incoming) -> Link | None:
        flow = self._flow
        if flow.links.of_targets(connection, [intent.source_id]):
            return None
        link = Link(
            source=End(id=record.id),
            target=End(
                id=intent.source_id,
                version=intent.source_version,
                modified_at=intent.source_modified_at,
                edited_at=intent.source_modified_at,
            ),
            flow=flow.rules.flow,
        )
        self._own_creation(link.target, link.source, intent, dict(record.source), record.version, record.modified_at)
        flow.links.add(connection, [link])
        return link


def _is_older(modified_at: datetime | None, sight: datetime | None) -> bool:
    """Whether a record surely was not changed since a moment of its system's clock."""
    return modified_at is not None and sight is not None and modified_at < sight - UNSURE


def _next_version(over: str | None, now: str | None) -> bool:
    """Whether a version is the one that a single write made; where versions are no counts it may be."""
    if over is None or now is None or not (over.isdecimal() and now.isdecimal()):
        return True
    return int(now) == int(over) + 1
