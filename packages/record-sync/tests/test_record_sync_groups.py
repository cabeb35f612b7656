"""What belongs together is decided together: an address is one side's or the other's, never some of each."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_sync.agreement import agree_source, agree_target
from record_sync.fingerprint import Fingerprints
from record_sync.plan import Verdict, changed, deletion_is_contested, plan
from record_sync.record import Link, LinkSide, SourceRecord, TargetRecord
from record_sync.rules import FlowRules

PRINTS = Fingerprints(b"k" * 32)
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
ADDRESS = (("Street", "line1", "text"), ("Zip", "zip", "text"), ("City", "city", "text"), ("Country", "cc", "country"))
NAME = (("First", "first", "name"), ("Last", "last", "name"))
STORGATA = ("Storgata 1", "0155", "Oslo", "NO")
POSTBOKS = ("Postboks 7", "5020", "Bergen", "NO")
NOTHING = (None, None, None, None)


def rules(rows=ADDRESS, policy="latest", source="customcrm", group="address", own=None):
    target = "tripletex" if source == "customcrm" else "customcrm"
    properties = {}
    for crm, tripletex, kind in rows:
        path, other = (tripletex, crm) if source == "customcrm" else (crm, tripletex)
        properties[path] = {"x-from": [other], "x-compare": kind, "x-group": group}
        if own:
            properties[path]["x-conflict"] = own
    sync = {
        "flow": "customer",
        "from": source,
        "to": target,
        "resource": {"customcrm": "customer", "tripletex": "customer"},
        "conflict": policy,
        "timeless": "tripletex",
    }
    return FlowRules.from_schema({"x-sync": sync, "properties": properties}, target)


def named(rows, side, values):
    return dict(zip([row[0 if side == "customcrm" else 1] for row in rows], values, strict=True))


def situation(ours, theirs, rows=ADDRESS, agreed=None, ahead=0, source="customcrm"):
    """A record of the source, its link (agreed: what both sides said last) and the target, edited some time apart."""
    target = "tripletex" if source == "customcrm" else "customcrm"
    incoming = SourceRecord(
        "s", "2", NOON + timedelta(seconds=ahead), named(rows, target, ours), named(rows, source, ours)
    )
    current = TargetRecord("t", "2", NOON, named(rows, target, theirs))
    link = None
    if agreed is not None:
        link = Link(source=LinkSide("s", "1"), target=LinkSide("t", "1"), flow="customer", id=1)
        for end, side, values in ((link.source, source, agreed[0]), (link.target, target, agreed[-1])):
            for path, value in named(rows, side, values).items():
                end.base.agree(path, PRINTS.of(value))
    return incoming, link, current


def decide(flow, incoming, link, current):
    units = changed(incoming, link.source if link else None, flow, PRINTS).units
    return plan(incoming, units, link, current, flow, PRINTS)


def outcome(made, incoming, current):
    """The verdict, and the whole group as it stands in the target afterwards."""
    (decision,) = made.decisions
    return decision.verdict, tuple({**current.values, **made.writes(incoming, current)}.values())


def first_match(ours, theirs, **more):
    rows = more.pop("rows", ADDRESS)
    flow = rules(rows, more.pop("policy", "latest"))
    incoming, link, current = situation(ours, theirs, rows, **more)
    return outcome(decide(flow, incoming, link, current), incoming, current)


def test_a_group_is_one_unit_with_one_name_from_either_side():
    there, back = rules(source="customcrm"), rules(source="tripletex")
    assert [unit.sources for unit in there.units] == [("Street", "Zip", "City", "Country")]
    assert [there.unit_key(unit) for unit in there.units] == [back.unit_key(unit) for unit in back.units]
    assert [there.unit_key(unit) for unit in there.units] == ["group address"]


def test_properties_that_share_a_source_are_one_unit_also_by_way_of_others():
    leaf = {"type": ["string", "null"]}
    properties = {
        "a": {**leaf, "x-from": ["A", "B"]},
        "d": {**leaf, "x-from": ["D"]},
        "c": {**leaf, "x-from": ["C"], "x-group": "g"},
        "b": {**leaf, "x-from": ["B"], "x-group": "g"},
        "made": {**leaf, "x-from": ["D", "A"], "x-when": "create"},
    }
    sync = {"flow": "f", "from": "customcrm", "to": "tripletex", "resource": {"customcrm": "f", "tripletex": "f"}}
    units = FlowRules.from_schema({"x-sync": sync, "properties": properties}, "tripletex").units
    assert [[one.path for one in unit.properties] for unit in units] == [["a", "c", "b"], ["d"]]
    assert units[0].sources == ("A", "B", "C")


@pytest.mark.parametrize(("ahead", "policy"), [(1, "latest"), (-1, "latest"), (1, "customcrm"), (1, "tripletex")])
def test_at_first_match_the_policy_decides_for_the_whole_group(ahead, policy):
    ours, theirs = ("Storgata 1", None, None, "NO"), (None, "5020", "Bergen", "NO")
    wins = policy == "customcrm" or (policy == "latest" and ahead > 0)
    assert first_match(ours, theirs, policy=policy, ahead=ahead) == (
        (Verdict.WRITE, ours) if wins else (Verdict.KEEP, theirs)
    )


def test_a_street_here_and_a_post_box_with_a_line_there_are_one_whole_address():
    rows = (("Street", "line1", "text"), ("Street2", "line2", "text"), *ADDRESS[1:])
    ours, theirs = ("Storgata 1", None, "0155", "Oslo", None), ("Postboks 7", "c/o Dahl", "0101", "Oslo", "NO")
    assert first_match(ours, theirs, rows=rows, ahead=1) == (Verdict.WRITE, ours)
    assert first_match(ours, theirs, rows=rows, ahead=-1) == (Verdict.KEEP, theirs)


@pytest.mark.parametrize("nothing", [NOTHING, (None, "", " ", "NO"), (None, None, None, "SE")])
@pytest.mark.parametrize("policy", ["latest", "customcrm", "tripletex", "manual"])
def test_a_side_that_says_nothing_of_a_group_takes_the_others_whatever_the_policy(nothing, policy):
    assert first_match(STORGATA, nothing, policy=policy, ahead=-1) == (Verdict.WRITE, STORGATA)
    assert first_match(nothing, STORGATA, policy=policy, ahead=1) == (Verdict.KEEP, STORGATA)


def test_a_country_that_the_system_gave_by_itself_does_not_stand_against_an_address():
    assert first_match(("Storgata 1", "0155", "Oslo", None), (None, None, None, "NO"), ahead=-1) == (
        Verdict.WRITE,
        ("Storgata 1", "0155", "Oslo", "NO"),
    )


def test_a_country_alone_is_carried_where_the_other_side_names_none():
    assert first_match((None, None, None, "SE"), NOTHING, ahead=-1)[0] is Verdict.WRITE
    assert first_match(NOTHING, (None, None, None, "SE"), ahead=1)[0] is Verdict.KEEP
    assert first_match((None, None, None, "SE"), (None, None, None, "NO"), ahead=1)[0] is Verdict.WRITE


@pytest.mark.parametrize("policy", ["latest", "customcrm", "tripletex", "manual"])
def test_a_side_that_says_all_of_the_other_and_more_goes_over_it(policy):
    part = ("Storgata 1", None, "Oslo", None)
    assert first_match(STORGATA, part, policy=policy, ahead=-1) == (Verdict.WRITE, STORGATA)
    assert first_match(part, STORGATA, policy=policy, ahead=1) == (Verdict.KEEP, STORGATA)
    theirs = ("Storgata 1", "0155", None, "NO")
    assert first_match(("Storgata 1", "0155", "Oslo", None), theirs, policy=policy, ahead=-1) == (
        Verdict.WRITE,
        STORGATA,
    )


def test_a_group_that_says_the_same_but_for_one_value_is_not_mixed():
    ours, theirs = ("Storgata 1", "0155", "Oslo", "NO"), ("Storgata 2", "0155", None, "NO")
    assert first_match(ours, theirs, ahead=-1) == (Verdict.KEEP, theirs)


def test_manual_holds_the_whole_group():
    assert first_match(STORGATA, POSTBOKS, policy="manual") == (Verdict.HOLD, POSTBOKS)


@settings(deadline=None)
@given(
    *[st.lists(st.sampled_from((None, "", "a", "b", "NO")), min_size=4, max_size=4)] * 2,
    st.sampled_from(("latest", "customcrm", "tripletex")),
    st.sampled_from((-1, 0, 1)),
)
def test_whoever_wins_nothing_of_the_loser_is_left_but_what_the_winner_leaves_open(ours, theirs, policy, ahead):
    ours, theirs = tuple(ours), tuple(theirs)
    flow = rules(policy=policy)
    incoming, _, current = situation(ours, theirs, ahead=ahead)
    made = decide(flow, incoming, None, current)
    verdict, after = outcome(made, incoming, current)
    unit = flow.units[0]
    said = dict(zip(current.values, after, strict=True))
    if verdict is Verdict.WRITE:
        assert unit.is_part(incoming.values, said)
        assert all(one.same(incoming.values, said) for one in unit.properties if not one.qualifies)
    else:
        assert after == theirs
    if verdict is Verdict.AGREED:
        assert unit.is_part(incoming.values, said)


@settings(deadline=None)
@given(
    *[st.lists(st.sampled_from((None, "a", "b", "NO")), min_size=4, max_size=4)] * 2,
    st.sampled_from(("latest", "customcrm", "tripletex", "manual")),
    st.sampled_from((-1, 0, 1)),
)
def test_both_directions_name_the_same_winner(ours, theirs, policy, ahead):
    there = situation(ours, theirs, ahead=ahead)
    back = situation(theirs, ours, ahead=0, source="tripletex")
    back[2].modified_at = NOON + timedelta(seconds=ahead)
    first = decide(rules(policy=policy), *there).decisions[0].verdict
    second = decide(rules(policy=policy, source="tripletex"), *back).decisions[0].verdict
    opposite = {Verdict.WRITE: Verdict.KEEP, Verdict.KEEP: Verdict.WRITE}
    assert second is opposite.get(first, first)


# -- what was agreed before


def changed_to(ours, theirs, agreed, **more):
    flow = rules(policy=more.pop("policy", "latest"))
    incoming, link, current = situation(ours, theirs, agreed=agreed, **more)
    return outcome(decide(flow, incoming, link, current), incoming, current)


def test_an_edit_goes_over_what_the_target_still_says():
    moved = ("Lillegata 2", None, "Oslo", "NO")
    assert changed_to(moved, STORGATA, [STORGATA]) == (Verdict.WRITE, moved)


def test_edits_of_different_properties_of_a_group_are_a_conflict_of_the_whole():
    ours, theirs = ("Storgata 99", "0155", "Oslo", "NO"), ("Storgata 1", "5020", "Bergen", "NO")
    assert changed_to(ours, theirs, [STORGATA], ahead=1) == (Verdict.WRITE, ours)
    assert changed_to(ours, theirs, [STORGATA], ahead=-1) == (Verdict.KEEP, theirs)
    assert changed_to(ours, theirs, [STORGATA], policy="manual")[0] is Verdict.HOLD


def test_an_edit_does_not_clear_the_country_that_the_target_gives_to_whatever_names_none():
    ours = ("Storgata 1", "0155", "Oslo", None)
    theirs = ("Storgata 1", "0155", "Oslo", "NO")
    moved = ("Storgata 2", "0155", "Oslo", None)
    assert changed_to(moved, theirs, [ours, theirs]) == (Verdict.WRITE, ("Storgata 2", "0155", "Oslo", "NO"))
    assert changed_to(ours, theirs, [theirs]) == (Verdict.WRITE, ours), "it was cleared by a person"


def test_an_edit_that_says_what_the_target_says_is_agreed():
    ours = ("Storgata 1", "0155", "Oslo", None)
    again = ("Storgata 1 ", "0155", "Oslo", None)
    assert changed_to(again, STORGATA, [ours, STORGATA]) == (Verdict.AGREED, STORGATA)


def test_a_group_of_which_a_record_says_only_some_is_not_decided():
    incoming, link, _ = situation(POSTBOKS, STORGATA, agreed=[STORGATA])
    del incoming.values["zip"], incoming.source["Zip"]
    assert changed(incoming, link.source, rules(), PRINTS).units == ()


def test_a_deletion_is_contested_by_an_edit_of_any_property_of_a_group():
    flow = rules()
    _, link, current = situation(STORGATA, ("Storgata 1", "5020", "Oslo", "NO"), agreed=[STORGATA])
    assert deletion_is_contested(link, current, flow, PRINTS)
    link.target.base.forget("cc")  # a line that is new in the table
    assert deletion_is_contested(link, current, flow, PRINTS)
    assert not deletion_is_contested(
        link, TargetRecord("t", "2", NOON, named(ADDRESS, "tripletex", STORGATA)), flow, PRINTS
    )


def test_planning_again_after_applying_gives_nothing():
    flow = rules()
    for ours, theirs in itertools.permutations([STORGATA, POSTBOKS, (None, "0155", None, "NO"), NOTHING], 2):
        incoming, link, current = situation(ours, theirs, agreed=[("x", "y", "z", "NO")], ahead=1)
        made = decide(flow, incoming, link, current)
        after = TargetRecord("t", "3", NOON, {**current.values, **made.writes(incoming, current)})
        if made.decisions[0].verdict is Verdict.KEEP:
            continue
        agree_source(link, flow.units[0], incoming, PRINTS)
        agree_target(link, flow.units[0], after, {}, PRINTS)
        assert decide(flow, incoming, link, after).decisions == ()


# -- what the source does not have


def without_street(ours, theirs, agreed=None, **more):
    """A source without a street writes to a target that has one; what it never agrees on is the street."""
    flow = rules()
    properties = [
        msgspec.structs.replace(one, sources=() if one.path == "line1" else one.sources) for one in flow.properties
    ]
    unit = msgspec.structs.replace(flow.units[0], sources=flow.units[0].sources[1:], properties=tuple(properties))
    flow = msgspec.structs.replace(flow, properties=tuple(properties), units=(unit,))
    incoming, link, current = situation((None, *ours), theirs, agreed=agreed, **more)
    del incoming.source["Street"]
    if link is not None:
        link.target.base.forget("line1")
    return outcome(decide(flow, incoming, link, current), incoming, current)


@pytest.mark.parametrize(("ahead", "expected"), [(1, (None, "5020", "Bergen", "NO")), (-1, STORGATA)])
def test_what_the_source_does_not_have_is_not_mixed_into_its_address(ahead, expected):
    assert without_street(POSTBOKS[1:], STORGATA, ahead=ahead)[1] == expected


def test_what_the_source_does_not_have_stays_where_it_alone_was_edited():
    agreed = [(None, *STORGATA[1:]), STORGATA]
    assert without_street(("0156", "Oslo", "NO"), STORGATA, agreed)[1] == ("Storgata 1", "0156", "Oslo", "NO")


# -- a person's name


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ((None, "Kari Nordmann"), ("Kari", "Nordmann")),
        (("Kari Nordmann", None), ("Kari", "Nordmann")),
        (("Kari Nordmann", ""), (None, "Kari Nordmann")),
        ((None, "Nordmann, Kari"), ("Kari", "Nordmann")),
        (("Firma AS", None), (None, "Firma AS")),
        ((None, "KARI  NORDMANN"), ("Kari", "Nordmann")),
        (("Kari Anne", "Nordmann"), (None, "Kari Anne Nordmann")),
        (("A\u030ase", "Dahl"), (None, "Åse Dahl")),
    ],
)
def test_a_name_whole_on_one_side_and_divided_on_the_other_is_the_same(ours, theirs):
    for one, other in ((ours, theirs), (theirs, ours)):
        assert first_match(one, other, rows=NAME) == (Verdict.AGREED, other)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("Nordmann", "Kari"), ("Kari", "Nordmann")),
        (("Kari", "Nordmann"), ("Kari", "Berg")),
        ((None, "Kari Berg"), ("Kari", "Nordmann")),
        ((None, "Kari"), ("Kari", "Nordmann")),
    ],
)
def test_another_name_goes_over_whole(ours, theirs):
    assert first_match(ours, theirs, rows=NAME, ahead=1) == (Verdict.WRITE, ours)
    assert first_match(ours, theirs, rows=NAME, ahead=-1) == (Verdict.KEEP, theirs)


def test_a_first_name_alone_takes_the_whole_name():
    assert first_match(("Kari", None), ("Kari", "Nordmann"), rows=NAME, ahead=1) == (Verdict.KEEP, ("Kari", "Nordmann"))


def test_a_name_that_is_edited_where_it_is_whole_is_not_added_to_the_divided_one():
    flow = rules(NAME, group="name")
    incoming, link, current = situation(
        (None, "Kari Berg"), ("Kari", "Nordmann"), NAME, [(None, "Kari Nordmann"), ("Kari", "Nordmann")]
    )
    made = decide(flow, incoming, link, current)
    assert outcome(made, incoming, current) == (Verdict.WRITE, (None, "Kari Berg"))
