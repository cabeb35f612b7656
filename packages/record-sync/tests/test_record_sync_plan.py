"""The plan: every combination of what changed where, under every policy."""

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_sync.agreement import agree_source, agree_target, agree_without_write, agree_written
from record_sync.canonical import same
from record_sync.fingerprint import Fingerprints
from record_sync.plan import Verdict, changed, is_stale, plan
from record_sync.record import Base, Link, LinkSide, SourceRecord, TargetRecord
from record_sync.rules import FlowRules

PRINTS = Fingerprints(b"k" * 32)
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
VALUES = ("old", "new", None)
POLICIES = ("latest", "customcrm", "tripletex", "manual")


def rules(policy="latest", source="customcrm", own=None):
    target = "tripletex" if source == "customcrm" else "customcrm"
    path, other = ("name", "Name") if source == "customcrm" else ("Name", "name")
    return FlowRules.from_schema(
        {
            "x-sync": {
                "flow": "customer",
                "from": source,
                "to": target,
                "resource": {"customcrm": "customer", "tripletex": "customer"},
                "conflict": policy,
                "timeless": "tripletex",
            },
            "properties": {path: {"x-from": [other], **({"x-conflict": own} if own else {})}},
        },
        target,
    )


def situation(source_value, target_value, base, source_time=NOON, target_time=NOON, *, source="customcrm"):
    """A record, its link (with what was last agreed, or None for nothing), and the target as it is now."""
    path, other = ("name", "Name") if source == "customcrm" else ("Name", "name")
    incoming = SourceRecord("s1", "s-v2", source_time, {path: source_value}, {other: source_value}, NOON)
    current = TargetRecord("t1", "t-v2", target_time, {path: target_value})
    link = Link(source=LinkSide("s1", "s-v1"), target=LinkSide("t1", "t-v1"), flow="customer", id=1)
    if base is not ...:
        link.source.base.agree(other, PRINTS.of(base))
        link.target.base.agree(path, PRINTS.of(base))
    return incoming, link, current


def decide(incoming, link, current, flow):
    units = changed(incoming, link.source, flow, PRINTS).units
    return plan(incoming, units, link, current, flow, PRINTS)


def verdict(incoming, link, current, flow):
    decisions = decide(incoming, link, current, flow).decisions
    return decisions[0].verdict if decisions else None


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("now_source", "now_target", "base"), list(itertools.product(VALUES, VALUES, VALUES)))
def test_a_change_meets_an_unchanged_target(policy, now_source, now_target, base):
    incoming, link, current = situation(now_source, now_target, base)
    got = verdict(incoming, link, current, rules(policy))
    if now_source == base:
        assert got is None, "what the source did not change is no change"
    elif now_source == now_target:
        assert got is Verdict.AGREED, "the same change on both sides is no conflict"
    elif now_target == base:
        assert got is Verdict.WRITE, "a clear is a change like any other"
    elif now_source is None:
        assert got is Verdict.KEEP, "a value beats no value"
    elif now_target is None:
        assert got is Verdict.WRITE, "a value beats no value"
    elif policy == "manual":
        assert got is Verdict.HOLD
    elif policy == "customcrm":
        assert got is Verdict.WRITE
    else:
        assert got is Verdict.KEEP, "equal times fall to Tripletex"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("now_source", "now_target"), list(itertools.product(VALUES, VALUES)))
def test_without_a_base_records_merge_as_at_first_match(policy, now_source, now_target):
    incoming, link, current = situation(now_source, now_target, ...)
    got = verdict(incoming, link, current, rules(policy))
    if now_source == now_target:
        assert got is Verdict.AGREED
    elif now_target is None:
        assert got is Verdict.WRITE
    elif now_source is None:
        assert got is Verdict.KEEP
    else:
        expected = {"manual": Verdict.HOLD, "customcrm": Verdict.WRITE}.get(policy, Verdict.KEEP)
        assert got is expected


@given(
    st.sampled_from((*VALUES, "other")),
    st.sampled_from((*VALUES, "other")),
    st.sampled_from((*VALUES, ...)),
    st.sampled_from(POLICIES),
    st.sampled_from((-1, 0, 1, None)),
)
def test_both_directions_name_the_same_winner(in_crm, in_tripletex, base, policy, ahead):
    crm_time = NOON if ahead is None else NOON + timedelta(seconds=ahead)
    tripletex_time = None if ahead is None else NOON
    there = situation(in_crm, in_tripletex, base, crm_time, tripletex_time, source="customcrm")
    back = situation(in_tripletex, in_crm, base, tripletex_time, crm_time, source="tripletex")
    first = verdict(*there, rules(policy, "customcrm"))
    second = verdict(*back, rules(policy, "tripletex"))
    mirrored = {
        Verdict.WRITE: {Verdict.KEEP, None},
        Verdict.KEEP: {Verdict.WRITE},
        Verdict.HOLD: {Verdict.HOLD},
        Verdict.AGREED: {Verdict.AGREED, None},
        None: {Verdict.WRITE, Verdict.AGREED, Verdict.KEEP, None},
    }
    assert second in mirrored[first]


@given(
    st.sampled_from((*VALUES, " new ", "other")),
    st.sampled_from((*VALUES, "other")),
    st.sampled_from((*VALUES, ...)),
    st.sampled_from(POLICIES),
)
def test_planning_again_after_applying_gives_nothing(now_source, now_target, base, policy):
    incoming, link, current = situation(now_source, now_target, base)
    flow = rules(policy)
    made = decide(incoming, link, current, flow)
    writes = made.writes(incoming, current)
    agree_without_write(link, made, incoming, current, PRINTS)
    after = TargetRecord("t1", "t-v3", NOON, {**current.values, **writes})
    agree_written(link, made.units(Verdict.WRITE), incoming, current, after, writes, PRINTS)
    again = decide(incoming, link, after, flow)
    assert again.writes(incoming, after) == {}
    if made.decisions and not made.units(Verdict.KEEP) and not made.units(Verdict.HOLD):
        assert changed(incoming, link.source, flow, PRINTS).units == ()
        assert all(same("text", incoming.values[path], after.values[path]) for path in after.values)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("own", POLICIES)
@pytest.mark.parametrize("source", ["customcrm", "tripletex"])
def test_a_propertys_own_policy_counts_before_the_pairs(policy, own, source):
    there = situation("ours", "theirs", "old", source=source)
    assert verdict(*there, rules(policy, source, own)) is verdict(*there, rules(own, source))
    assert {verdict(*there, rules(one, source)) for one in POLICIES} == set(Verdict) - {Verdict.AGREED}


def test_an_earlier_value_that_comes_back_is_a_change():
    flow = rules()
    incoming, link, _ = situation("B", "A", "A")
    agree_source(link, flow.units[0], incoming, PRINTS)
    agree_target(link, flow.units[0], TargetRecord("t1", "v", NOON, {"name": "B"}), {}, PRINTS)
    back = SourceRecord("s1", "s-v3", NOON, {"name": "A"}, {"Name": "A"}, NOON)
    assert verdict(back, link, TargetRecord("t1", "v", NOON, {"name": "B"}), flow) is Verdict.WRITE


def test_our_own_write_is_no_edit():
    """The target's stamp is newer than the source's edit only because we wrote another property there."""
    incoming, link, current = situation("new", "theirs", "old", NOON, NOON + timedelta(hours=1))
    link.target.own_version = current.version
    link.target.edited_at = NOON - timedelta(hours=1)
    assert verdict(incoming, link, current, rules("latest")) is Verdict.WRITE


def test_a_later_edit_wins():
    assert verdict(*situation("a", "b", "c", NOON + timedelta(seconds=1)), rules("latest")) is Verdict.WRITE
    assert verdict(*situation("a", "b", "c", NOON - timedelta(seconds=1)), rules("latest")) is Verdict.KEEP


def test_a_value_that_was_sent_and_not_answered_is_set_by_the_next_read():
    flow = rules("latest", "tripletex")
    source = LinkSide("t1", "5", own_version="5", base=Base())
    source.base.expect("name", PRINTS.of_sent(" Fjord AS "))
    as_kept = SourceRecord("t1", "5", NOON, {"Name": "FJORD AS"}, {"name": "FJORD AS"}, NOON)
    at_own_version = changed(as_kept, source, flow, PRINTS)
    assert at_own_version.units == ()
    assert at_own_version.confirmed == {"name": PRINTS.of("FJORD AS")}
    trimmed_later = SourceRecord("t1", "6", NOON, {"Name": "Fjord AS"}, {"name": "Fjord AS"}, NOON)
    assert changed(trimmed_later, source, flow, PRINTS).units == ()
    edited_later = SourceRecord("t1", "6", NOON, {"Name": "Fjell AS"}, {"name": "Fjell AS"}, NOON)
    assert changed(edited_later, source, flow, PRINTS).units == flow.units


def test_a_property_that_is_not_mentioned_is_unknown_and_not_cleared():
    incoming, link, _ = situation("new", "old", "old")
    incoming.values, incoming.source = {}, {}
    assert changed(incoming, link.source, rules(), PRINTS).units == ()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("now_source", "base"), list(itertools.product(VALUES, (*VALUES, ...))))
def test_a_property_that_the_target_leaves_out_has_no_value_there(policy, now_source, base):
    incoming, link, empty_there = situation(now_source, None, base)
    missing_there = TargetRecord("t1", "t-v2", NOON, {})
    assert decide(incoming, link, missing_there, rules(policy)) == decide(incoming, link, empty_there, rules(policy))


def test_a_list_read_before_our_own_write_is_stale():
    end = LinkSide("s1", "7", own_version="7", written_at=NOON)
    before = SourceRecord("s1", "6", NOON, {}, {}, NOON - timedelta(seconds=1))
    after = SourceRecord("s1", "6", NOON, {}, {}, NOON + timedelta(seconds=1))
    assert is_stale(before, end)
    assert not is_stale(after, end), "an earlier version read after our write was put back by somebody"


def test_what_the_target_wins_is_seen_as_a_change_by_the_other_direction():
    """A property new in the table: only the target has it as agreed, and its value stands."""
    incoming, link, current = situation("ours", "theirs", ...)
    link.target.base.agree("name", PRINTS.of("theirs"))
    flow = rules("tripletex")
    made = decide(incoming, link, current, flow)
    assert made.units(Verdict.KEEP)
    agree_without_write(link, made, incoming, current, PRINTS)
    assert not link.target.base.knows("name")
