"""Deletions, and records that return: what was agreed, decided or deactivated by others stays so."""

from __future__ import annotations

import pytest
from record_sync.store import tables
from record_sync.testing.world import conflicts, decide, deleted, waiting

pytest_plugins = ["record_sync.testing.fixtures"]


def delete_in_crm(world, record_id="c1", **options):
    """Delete a customer there, and pass it on."""
    ran = world.run("tripletex", records={"customer": [deleted(world, record_id)]}, **options)
    world.crm.delete("customer", record_id)
    return ran["customer"]


def names(world):
    """Of the customers on either side."""
    return (
        sorted(one["Name"] for one in world.crm.all("customer").values()),
        sorted(one["name"] for one in world.tripletex.all("customer").values()),
    )


# -- records that return


@pytest.mark.parametrize("name", ["A", "A, endret"])
def test_a_restored_record_whose_counterpart_was_removed_for_good_is_created_again(world, pair, name):
    delete_in_crm(world)
    world.tripletex.delete("customer", pair)
    world.crm.put("customer", "c1", Name=name, Email="a@example.no")
    assert world.run("tripletex")["customer"] == {"created": 1}
    world.run("customcrm", complete=["customer"], on_delete="delete")
    world.run("tripletex", complete=["customer"])
    world.run("customcrm", complete=["customer"], on_delete="delete")
    assert names(world) == ([name], [name])
    world.settle()


def test_a_record_restored_beside_the_one_that_took_its_link_over_does_not_feed_that_link(world, pair):
    delete_in_crm(world)
    world.crm.put("customer", "c9", Name="A", Email="a@example.no")
    assert world.run("tripletex")["customer"] == {"linked": 1}
    world.crm.put("customer", "c1", Name="A, den gamle", Email="a@example.no")
    world.settle()
    world.crm.put("customer", "c1", Name="A, den eldste")
    world.settle()
    assert world.tripletex.values("customer", pair)["name"] == "A"
    assert world.crm.values("customer", "c9")["Name"] == "A"
    assert world.crm.values("customer", "c1")["Name"] == "A, den eldste"
    assert ("customcrm", "c1") in waiting(world) or "A, den eldste" in names(world)[1]


def test_a_record_restored_beside_the_one_that_took_its_link_over_is_found_by_the_opposite_line(world, pair):
    delete_in_crm(world)
    world.crm.put("customer", "c9", Name="A", Email="a@example.no")
    world.run("tripletex")
    world.crm.put("customer", "c1", Name="B", Number="974760673", Email="b@example.no")
    own = world.tripletex.put("customer", name="B", organizationNumber="974760673")
    assert world.run("customcrm")["customer"]["linked"] == 1
    world.settle()
    assert world.tripletex.values("customer", own)["email"] == "b@example.no"
    assert world.tripletex.values("customer", pair)["name"] == "A"
    assert names(world) == (["A", "B"], ["A", "B"])


@pytest.mark.parametrize("email", ["post@fjell.example.no", "post@fjord.example.no"])
def test_another_company_under_the_id_of_a_deleted_one_does_not_overwrite_it(world, email):
    world.crm.put("customer", "5", Name="Fjord AS", Number="974760673", Email="post@fjord.example.no")
    world.settle()
    (historic,) = world.tripletex.all("customer")
    delete_in_crm(world, "5")
    world.crm.put("customer", "5", Name="Fjell AS", Number="923609016", Email=email)
    world.run("tripletex")
    assert world.tripletex.values("customer", historic) == {
        "name": "Fjord AS",
        "organizationNumber": "974760673",
        "email": "post@fjord.example.no",
        "isInactive": True,
    }
    assert names(world)[1] == ["Fjell AS", "Fjord AS"]
    world.tripletex.put("customer", next(one for one in world.tripletex.all("customer") if one != historic), name="Ny")
    world.cycle()
    assert world.crm.values("customer", "5")["Name"] == "Ny"


def test_the_same_company_under_the_id_of_a_deleted_one_is_that_one(world):
    world.crm.put("customer", "5", Name="Fjord AS", Number="974760673", Email="post@fjord.example.no")
    world.settle()
    delete_in_crm(world, "5")
    world.crm.put("customer", "5", Name="Fjord Drift AS", Number="974 760 673", Email="drift@fjord.example.no")
    world.settle()
    ((_, values),) = world.tripletex.all("customer").items()
    assert (values["name"], values["isInactive"]) == ("Fjord Drift AS", False)


# -- what was inactive before


@pytest.mark.parametrize("returns_as", ["c1", "c9"])
def test_what_the_accountant_deactivated_stays_inactive_where_deletions_are_ignored(world, pair, returns_as):
    delete_in_crm(world, on_delete="ignore")
    world.tripletex.put("customer", pair, isInactive=True)
    world.crm.put("customer", returns_as, Name="A", Email="a@example.no")
    world.cycle(on_delete="ignore")
    world.crm.put("customer", returns_as, Name="B")
    world.cycle(on_delete="ignore")
    assert world.tripletex.values("customer", pair)["isInactive"] is True
    assert "restore" not in world.tripletex.calls


# -- whose edit is the newest


def test_our_own_restore_does_not_beat_what_the_returning_record_says(world, pair):
    delete_in_crm(world)
    world.crm.put("customer", "c9", Name="A, nytt navn", Email="a@example.no")
    world.cycle()
    assert names(world) == (["A, nytt navn"], ["A, nytt navn"])
    assert world.tripletex.values("customer", pair)["isInactive"] is False


def test_our_own_restore_does_not_make_an_older_edit_the_newest(world, pair):
    delete_in_crm(world)
    world.tripletex.put("customer", pair, name="A, av regnskapet")
    world.crm.put("customer", "c1", Name="A, av selgeren", Email="a@example.no")
    world.cycle()
    world.cycle()
    assert names(world) == (["A, av selgeren"], ["A, av selgeren"])


def test_an_edit_made_after_the_record_returned_is_the_newest_all_the_same(world, pair):
    delete_in_crm(world)
    world.crm.put("customer", "c1", Name="A, av selgeren", Email="a@example.no")
    world.tripletex.put("customer", pair, name="A, av regnskapet")
    world.cycle()
    world.cycle()
    assert names(world) == (["A, av regnskapet"], ["A, av regnskapet"])


# -- decisions


@pytest.mark.parametrize(
    ("next_line", "email"),
    [
        ("tripletex", "a@example.no"),
        ("customcrm", "a@example.no"),
        ("tripletex", None),
        ("customcrm", None),
    ],
)
def test_a_decision_to_make_a_record_again_ends_with_that_however_its_answer_is_found(world, next_line, email):
    world.crm.put("customer", "c1", Name="A", Email=email)
    world.settle()
    (lost,) = world.tripletex.all("customer")
    world.tripletex.delete("customer", lost)
    world.crm.put("customer", "c1", Name="B")
    assert world.run("tripletex")["customer"] == {"in conflict": 1}
    decide(world, "customcrm")
    world.tripletex.lose_answers = True
    world.run("tripletex", records={"customer": []})
    world.tripletex.lose_answers = False
    world.run(next_line)
    world.clock.advance(hours=25)
    world.settle()
    assert names(world) == (["B"], ["B"])
    # Months later the same record is deleted in one system and edited in the other: that is for a person again.
    world.clock.advance(days=90)
    (again,) = world.tripletex.all("customer")
    world.tripletex.put("customer", again, name="C")
    assert delete_in_crm(world) == {"in conflict": 1}
    assert "isInactive" not in world.tripletex.values("customer", again)
    assert [unit for unit, state, _, _ in conflicts(world) if state != "settled"] == ["deleted"]


@pytest.mark.parametrize("lines", [["tripletex"], ["customcrm", "tripletex"]])
@pytest.mark.parametrize("since", [{"email": "ny@example.no"}, {"isInactive": False}])
def test_a_decision_for_a_deletion_is_asked_for_again_once_the_record_has_changed_since(world, pair, lines, since):
    world.tripletex.put("customer", pair, name="B")
    assert delete_in_crm(world) == {"in conflict": 1}
    world.cycle()
    decide(world, "customcrm")
    world.tripletex.put("customer", pair, **since)
    for line in lines:
        world.run(line)
    assert world.tripletex.values("customer", pair).get("isInactive") is not True
    ((unit, state, winner, both),) = conflicts(world)
    assert (unit, state, winner) == ("deleted", "open", None)
    assert both["tripletex"]["email"] == world.tripletex.values("customer", pair)["email"]
    decide(world, "customcrm")
    world.settle()
    assert world.tripletex.values("customer", pair)["isInactive"] is True
    assert [state for _, state, _, _ in conflicts(world)] == ["settled"]


# -- what was read before a deletion


@pytest.mark.parametrize("found_out", ["deleted by the sync", "looked up"])
def test_a_list_that_was_read_before_its_record_was_gone_does_not_bring_it_back(world, pair, found_out):
    read_before = {"customer": world.incoming("customer", "customcrm")}
    if found_out == "looked up":
        world.tripletex.delete("customer", pair)
        world.run("customcrm", ["customer"], records={"customer": []}, complete=["customer"], finish=False)
        world.run("tripletex", ["customer"])
    else:
        delete_in_crm(world, on_delete="delete")
    world.run("customcrm", ["customer"], records=read_before, on_delete="delete")
    assert names(world) == ([], [])


@pytest.mark.parametrize("taken", [None, "customcrm"])
def test_what_is_gone_from_both_sides_is_no_question_any_more(world, pair, taken):
    world.tripletex.delete("customer", pair)
    world.crm.put("customer", "c1", Name="B")
    world.run("tripletex")
    assert [state for _, state, _, _ in conflicts(world)] == ["open"]
    if taken:
        decide(world, taken)
    world.crm.delete("customer", "c1")
    for _ in range(2):
        world.run("tripletex", records={"customer": []}, complete=["customer"])
        world.run("customcrm", records={"customer": []})
    world.run("tripletex", records={"customer": []}, complete=["customer"])
    assert names(world) == ([], [])
    assert [state for _, state, _, _ in conflicts(world)] == ["settled"]
    assert waiting(world) == {}


@pytest.mark.parametrize("email", ["a@example.no", "ny@example.no"])
def test_a_record_that_is_to_be_made_again_is_joined_with_one_that_somebody_made_meanwhile(world, pair, email):
    world.tripletex.delete("customer", pair)
    world.crm.put("customer", "c1", Number="974760673", Name="B")
    assert world.run("tripletex")["customer"] == {"in conflict": 1}
    world.tripletex.put("customer", name="B", organizationNumber="974760673", email=email)
    decide(world, "customcrm")
    world.settle()
    assert names(world) == (["B"], ["B"])
    assert [state for _, state, _, _ in conflicts(world) if state != "kept"] == ["settled"]


# -- an id that is given again before anybody knew of the deletion


@pytest.fixture
def fjell(world):
    """Fjord was customer 5 on both sides until the CRM forgot it and gave its id to Fjell; its id in Tripletex."""
    world.crm.put("customer", "5", Name="Fjord AS", Number="974760673", Email="post@fjord.example.no")
    world.settle()
    (fjord,) = world.tripletex.all("customer")
    del world.crm.records["customer", "5"]
    world.crm.put("customer", "5", Name="Fjell AS", Number="923609016", Email="post@fjell.example.no")
    return fjord


def test_another_company_under_the_id_of_one_whose_deletion_nobody_told_does_not_overwrite_it(world, fjell):
    world.cycle()
    world.cycle()
    assert names(world) == (["Fjell AS"], ["Fjell AS", "Fjord AS"])
    assert [(unit, state) for unit, state, _, _ in conflicts(world)] == [("deleted", "open")]
    decide(world, "customcrm")
    world.settle()
    assert world.tripletex.values("customer", fjell)["isInactive"] is True
    assert names(world) == (["Fjell AS"], ["Fjell AS", "Fjord AS"])


@pytest.mark.parametrize("taken", ["customcrm", "tripletex"])
def test_an_edit_does_not_go_to_another_company_that_has_the_id_by_now(world, fjell, taken):
    world.tripletex.put("customer", fjell, name="Fjord Drift AS")
    world.run("customcrm")
    assert names(world)[0] == ["Fjell AS"]
    world.settle()
    assert names(world) == (["Fjell AS"], ["Fjell AS", "Fjord Drift AS"])
    decide(world, taken)
    world.settle()
    if taken == "customcrm":
        assert world.tripletex.values("customer", fjell)["isInactive"] is True
        assert names(world)[0] == ["Fjell AS"]
    else:
        assert names(world) == (["Fjell AS", "Fjord Drift AS"], ["Fjell AS", "Fjord Drift AS"])


def test_a_company_whose_number_alone_was_wrong_stays_the_same_one(world, pair):
    world.crm.put("customer", "c1", Number="974760673")
    world.settle()
    world.crm.put("customer", "c1", Number="923609016", Name="B")
    world.settle()
    assert world.tripletex.values("customer", pair)["organizationNumber"] == "923609016"
    assert conflicts(world) == []


def test_what_was_linked_and_never_merged_is_not_deleted_unasked(world):
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    one = world.tripletex.put("customer", name="A", email="a@example.no")
    world.tripletex.before_update = lambda: 1 / 0
    world.crm.put("customer", "c1", Name="B")
    with pytest.raises(ZeroDivisionError):
        world.run("tripletex")
    world.tripletex.before_update = lambda: None
    with world.open_store() as store, store.begin() as connection:
        # As if the run had died a moment before.
        connection.execute(tables.intent.delete())
        connection.execute(tables.link.update().values(left_base=b"", right_base=b""))
    world.tripletex.put("customer", one, name="C")
    assert delete_in_crm(world) == {"in conflict": 1}
    assert world.tripletex.values("customer", one).get("isInactive") is None


def test_a_record_that_returns_after_both_were_deleted_is_made_again_where_deletions_are_ignored(world, pair):
    deletes = {"tripletex": {"on_delete": "ignore"}, "customcrm": {"on_delete": "delete"}}
    delete_in_crm(world, **deletes["tripletex"])
    world.tripletex.delete("customer", pair)
    world.crm.put("customer", "c1", Name="A", Email="a@example.no")
    for _ in range(2):
        for line, options in deletes.items():
            world.run(line, complete=["customer"], **options)
    assert names(world) == (["A"], ["A"])
