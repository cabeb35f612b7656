"""Answers to writes that do not say all, or repeat what was sent: edits are told from them all the same."""

from __future__ import annotations

import html

import msgspec
import pytest
from record_sync.system import Written

pytest_plugins = ["record_sync.testing.fixtures"]


def answers(monkeypatch, system, told):
    """From now on a system answers updates with what is made of its values and those that were sent."""
    update = system.update

    def answered(resource, requests, paths):
        for request, results in zip(requests, update(resource, requests, paths), strict=True):
            yield [
                Written(msgspec.structs.replace(one.current, values=told(one.current.values, request.values)))
                for one in results
            ]

    monkeypatch.setattr(system, "update", answered)


def escapes(monkeypatch, system):
    """From now on a system keeps what the sync writes HTML-escaped, and answers as if it did not."""
    for write in ("create", "update"):
        monkeypatch.setattr(system, write, _escaped(system, getattr(system, write)))


def _escaped(system, write):
    def written(resource, requests, paths):
        for request, results in zip(requests, write(resource, requests, paths), strict=True):
            for one in results:
                kept = system.records[resource, one.current.id]["values"]
                kept.update({path: html.escape(value) for path, value in request.values.items() if value})
            yield results

    return written


def test_an_edit_of_what_an_answer_left_out_is_carried_over_when_our_next_write_comes_first(world, pair, monkeypatch):
    answers(monkeypatch, world.tripletex, lambda kept, _sent: {"name": kept["name"]})
    world.crm.put("customer", "c1", Email="b@example.no")
    world.run("tripletex")
    world.tripletex.put("customer", pair, email="c@example.no")
    world.crm.put("customer", "c1", Name="B")
    world.run("tripletex")
    world.run("customcrm")
    assert world.crm.values("customer", "c1")["Email"] == "c@example.no"
    world.settle()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_name_that_both_systems_escape_and_answer_as_sent_stays_as_it_was_written(world, monkeypatch, is_known):
    for system in world.systems.values():
        escapes(monkeypatch, system)
    if is_known:
        world.crm.put("customer", "c1", Name="A", Email="a@example.no")
        world.settle()
    world.crm.put("customer", "c1", Name="Fjord & Fjell", Email="a@example.no")
    world.settle()
    assert world.crm.values("customer", "c1")["Name"] == "Fjord & Fjell"
    (kept,) = world.tripletex.all("customer").values()
    assert kept["name"] == "Fjord &amp; Fjell"


def test_an_edit_of_what_was_answered_as_sent_is_carried_over(world, pair, monkeypatch):
    escapes(monkeypatch, world.tripletex)
    world.crm.put("customer", "c1", Name="Fjord & Fjell")
    world.run("tripletex")
    world.tripletex.put("customer", pair, name="Fjord & Fjell AS")
    world.run("customcrm")
    assert world.crm.values("customer", "c1")["Name"] == "Fjord & Fjell AS"
