"""Writing to CRMs of every kind for record-sync."""

import threading
from datetime import datetime, timezone

import pytest
from api_transport.errors import AccessDenied, ServerFailed, UnexpectedAnswer
from api_transport.testing import Asked, Said
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load
from customcrm_client.testing import KEY, REFUSED, WRITE, SmallCrm, profile_for, small_crm
from record_sync.system import CreateRequest, Moved, Refused, RemoveRequest, Unknown, UpdateRequest, Written
from record_sync.testing.results import removed
from target_customcrm.system import CustomcrmSystem

PATHS = frozenset({"FirstName", "Email"})


@pytest.fixture(params=WRITE)
def kind(request):
    with small_crm(writing=request.param) as (crm, server):
        client = CustomcrmClient(server.url, KEY, profile=load(profile_for(writing=request.param)), max_elapsed=2)
        yield crm, server, CustomcrmSystem(client, in_flight=2)
        client.close()


def create(system, *names):
    requests = [CreateRequest(name, {"FirstName": name, "Email": "a@example.no"}) for name in names]
    return [result for results in system.create("contact", requests, PATHS) for result in results]


def test_records_are_created_and_a_refused_one_keeps_nobody_back(kind):
    crm, _, system = kind
    results = create(system, "Kari", REFUSED, "Ola", "Per")
    assert [type(one) for one in results] == [Written, Refused, Written, Written]
    assert "no such name" in results[1].reason
    assert sorted(row["name"] for row in crm.rows.values()) == ["Kari", "Ola", "Per"]
    assert [one.current.values["FirstName"] for one in results if isinstance(one, Written)] == ["Kari", "Ola", "Per"]


def test_changes_are_made_over_what_was_read_and_never_over_an_edit_since(kind):
    crm, _, system = kind
    ids = [one.current.id for one in create(system, "Kari", "Ola", "Per", "Siv")]
    read = system.read("contact", ids, PATHS)
    assert list(read) == ids
    crm.rows[ids[1]]["name"] = "Somebody else was faster"
    crm.touch(crm.rows[ids[1]])
    requests = [UpdateRequest(read[one], {"FirstName": f"New {one}"}) for one in ids]
    results = [result for some in system.update("contact", requests, PATHS) for result in some]
    assert [type(one) for one in results] == [Written, Moved, Written, Written]
    assert [crm.rows[one]["name"] for one in ids] == [
        f"New {ids[0]}", "Somebody else was faster", f"New {ids[2]}", f"New {ids[3]}",
    ]  # fmt: skip
    again = system.read("contact", ids, PATHS)
    (after,) = next(iter(system.update("contact", [UpdateRequest(again[ids[1]], {"Email": None})], PATHS)))
    assert isinstance(after, Written)
    assert crm.rows[ids[1]]["mail"] is None


def test_a_record_is_deleted_and_then_not_there(kind):
    crm, _, system = kind
    (made,) = create(system, "Kari")
    assert isinstance(removed(system, "contact", RemoveRequest(made.current, "delete"), PATHS), Written)
    assert not crm.rows
    assert system.read("contact", [made.current.id], PATHS) == {}


def test_a_record_that_was_edited_since_it_was_read_is_not_deleted(kind):
    crm, _, system = kind
    (made,) = create(system, "Kari")
    record_id = made.current.id
    read = system.read("contact", [record_id], PATHS)[record_id]
    crm.rows[record_id]["name"] = "Kari Anne"
    crm.touch(crm.rows[record_id])
    assert isinstance(removed(system, "contact", RemoveRequest(read, "delete"), PATHS), Moved)
    assert crm.rows[record_id]["name"] == "Kari Anne"
    again = system.read("contact", [record_id], PATHS)[record_id]
    assert isinstance(removed(system, "contact", RemoveRequest(again, "delete"), PATHS), Written)
    assert not crm.rows


@pytest.fixture
def answering():
    """Create by a batch, answered by what `change` makes of its records; what was made of each that was sent."""
    with small_crm(writing="batch") as (crm, server):
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for(writing="batch"))))

        def make(change, *sent):
            def answered(asked):
                said = SmallCrm.respond(crm, asked)
                return Said(change(said.body), said.status)

            server.respond = answered
            requests = [CreateRequest(str(place), values) for place, values in enumerate(sent)]
            results = [one for some in system.create("contact", requests, PATHS) for one in some]
            return [
                crm.rows[one.current.id]["name"] + (crm.rows[one.current.id].get("mail") or "")
                if isinstance(one, Written)
                else type(one)
                for one in results
            ]

        yield make


def turned(rows):
    return rows[::-1]


def reworded(rows):
    return [{**row, "name": row["name"].replace(" AS", " Aksjeselskap")} for row in rows]


BETA = {"FirstName": "Beta"}
BETA_AS = {"FirstName": "Beta AS", "Email": "a@example.no"}


def test_the_answers_to_a_batch_belong_to_whom_they_say(answering):
    """Some CRMs answer in another order than they were asked in."""
    assert answering(turned, BETA_AS, {"FirstName": "Ola"}, BETA) == ["Beta ASa@example.no", "Ola", "Beta"]


def test_who_says_less_is_not_given_the_answer_of_who_says_more(answering):
    assert answering(turned, BETA, {**BETA, "Email": "a@example.no"}) == ["Beta", "Betaa@example.no"]


def test_answers_that_are_worded_otherwise_are_told_apart_by_their_order(answering):
    assert answering(reworded, BETA, BETA_AS) == ["Beta", "Beta ASa@example.no"]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: reworded(turned(rows)),
        lambda rows: [{"id": row["id"]} for row in rows],
        lambda rows: [rows[0], rows[0]],
    ],
    ids=["out of order too", "nothing said", "one twice"],
)
def test_a_batch_whose_answer_leaves_a_doubt_may_or_may_not_be_there(answering, change):
    assert answering(change, BETA, BETA_AS) == [Unknown, Unknown]


def test_a_batch_is_as_large_as_the_profile_says():
    with small_crm(writing="batch") as (crm, server):
        client = CustomcrmClient(server.url, KEY, profile=load(profile_for(writing="batch")))
        results = create(CustomcrmSystem(client), *(f"Person {number}" for number in range(7)))
        assert [len(asked.json) if isinstance(asked.json, list) else 1 for asked in server.asked] == [3, 3, 1]
        assert [one.current.values["FirstName"] for one in results] == [row["name"] for row in crm.rows.values()]


def test_what_the_profile_does_not_say_is_refused_and_nothing_is_sent():
    profile = profile_for()
    profile["streams"]["contact"]["write"] = {"create": None, "update": None, "delete": None}
    with small_crm() as (crm, server):
        crm.add("Kari")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile)))
        current = system.read("contact", ["1"], PATHS)["1"]
        before = len(server.asked)
        refused = [
            *create(system, "Ola"),
            *next(iter(system.update("contact", [UpdateRequest(current, {"FirstName": "Ola"})], PATHS))),
            removed(system, "contact", RemoveRequest(current, "delete"), PATHS),
        ]
        assert [type(one) for one in refused] == [Refused] * 3
        assert len(server.asked) == before


def test_searches_are_made_side_by_side_and_answered_in_their_order():
    with small_crm() as (crm, server):
        for name in ("Kari", "Ola"):
            crm.add(name)
        second, came = threading.Event(), []
        crm.before = lambda _: second.set() if len(server.asked) > 1 else came.append(second.wait(20))
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())), in_flight=2)
        sought = [{"FirstName": name} for name in ("Ola", "Nobody", "Kari", "Ola")]
        found = system.search_each("contact", sought, PATHS)
        assert [[one.id for one in some] for some in found] == [["2"], [], ["1"], ["2"]]
        assert came == [True]


def test_a_crm_that_cannot_be_searched_is_listed():
    profile = profile_for()
    del profile["streams"]["contact"]["search"]
    with small_crm() as (crm, server):
        for name in ("Kari", "Ola", "Kari"):
            crm.add(name)
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile)))
        assert [one.id for one in system.search("contact", {"FirstName": "kari "}, PATHS)] == ["1", "3"]
        assert system.listing_cost("contact") == 0
        assert [one.values["FirstName"] for one in system.listing("contact", PATHS)] == ["Kari", "Ola", "Kari"]


def test_only_streams_that_can_be_written_are_resources():
    profile = profile_for()
    contact = profile["streams"]["contact"]
    profile["streams"]["employee"] = {**contact, "write": None}
    with small_crm() as (_, server):
        assert CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile))).resources == ("contact",)


def test_a_search_that_the_crm_refuses_is_an_answer_and_the_others_are_found():
    with small_crm() as (crm, server):
        crm.add("Ola")
        crm.before = lambda asked: (
            Said({"error": {"message": "no such filter"}}, 400) if asked.query.get("name") == "O'Brien" else None
        )
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())), in_flight=2)
        refused, found = system.search_each("contact", [{"FirstName": "O'Brien"}, {"FirstName": "Ola"}], PATHS)
        assert isinstance(refused, Refused)
        assert "no such filter" in refused.reason
        assert [one.id for one in found] == ["1"]


@pytest.mark.parametrize(("status", "kind"), [(401, AccessDenied), (403, AccessDenied), (500, ServerFailed)])
def test_a_search_that_says_something_of_the_system_ends_the_run(status, kind):
    with small_crm() as (crm, server):
        crm.before = lambda _: Said({"error": {"message": "no"}}, status)
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load({**profile_for(), "errors": {}})))
        with pytest.raises(kind):
            system.search("contact", {"FirstName": "Ola"}, PATHS)


def weakening(crm, takes, told='W/"{}"'):
    """Let the CRM's ETags come weak, as through nginx with gzip; `takes` says which tag is taken back for a version."""

    def respond(asked):
        expected = asked.headers.get("If-Match")
        if expected is not None:
            version = crm.rows["1"]["version"]
            if expected != takes(version):
                return Said({"error": {"message": "changed meanwhile"}}, 412)
            asked = Asked(asked.method, asked.target, {**asked.headers, "If-Match": f'"{version}"'}, asked.body)
        said = SmallCrm.respond(crm, asked)
        tag = said.headers.get("ETag")
        return Said(said.body, said.status, {"ETag": told.format(tag.strip('"'))} if tag else said.headers)

    return respond


@pytest.mark.parametrize(
    ("told", "takes"),
    [
        ('W/"{}"', lambda version: f'"{version}"'),
        ('W/"{}"', lambda version: f'W/"{version}"'),
        ('"{}-gzip"', lambda version: f'"{version}"'),
        ('W/"{};gzip"', lambda version: f'"{version}"'),
        ('"{}--gzip"', lambda version: f'"{version}--gzip"'),
    ],
    ids=["weakened", "weak itself", "named", "both", "its own"],
)
def test_etags_that_a_proxy_altered_are_written_over(told, takes):
    with small_crm() as (crm, server):
        server.respond = weakening(crm, takes, told)
        crm.add("Kari")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())))
        for name in ("Kari Anne", "Kari Lise"):
            read = system.read("contact", ["1"], PATHS)["1"]
            ((result,),) = system.update("contact", [UpdateRequest(read, {"FirstName": name})], PATHS)
            assert isinstance(result, Written)
        # Which spelling is taken is found out once.
        assert len([asked for asked in server.asked if asked.method == "PATCH"]) <= 4
        stale = system.read("contact", ["1"], PATHS)["1"]
        crm.rows["1"]["name"] = "Somebody else was faster"
        crm.touch(crm.rows["1"])
        ((result,),) = system.update("contact", [UpdateRequest(stale, {"FirstName": "Ola"})], PATHS)
        assert isinstance(result, Moved)
        assert isinstance(removed(system, "contact", RemoveRequest(stale, "delete"), PATHS), Moved)
        read = system.read("contact", ["1"], PATHS)["1"]
        assert isinstance(removed(system, "contact", RemoveRequest(read, "delete"), PATHS), Written)


def test_an_etag_that_the_crm_never_takes_back_is_told_as_what_it_is():
    with small_crm() as (crm, server):
        server.respond = weakening(crm, lambda _: "none")
        crm.add("Kari")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())))
        read = system.read("contact", ["1"], PATHS)["1"]
        ((result,),) = system.update("contact", [UpdateRequest(read, {"FirstName": "Ola"})], PATHS)
        assert isinstance(result, Refused)
        assert "let no proxy alter its ETags" in result.reason
        assert isinstance(removed(system, "contact", RemoveRequest(read, "delete"), PATHS), Refused)


def test_a_value_that_is_taken_is_a_refusal_and_nobody_s_edit():
    """Many CRMs say 409 for both."""
    with small_crm() as (crm, server):
        crm.add("Kari")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())))
        read = system.read("contact", ["1"], PATHS)["1"]
        crm.before = lambda asked: (
            Said({"error": {"message": "e-mail taken"}}, 409) if asked.method == "PATCH" else None
        )
        ((result,),) = system.update("contact", [UpdateRequest(read, {"Email": "ola@example.no"})], PATHS)
        assert isinstance(result, Refused)
        assert "e-mail taken" in result.reason


def test_a_record_that_was_merged_into_another_is_gone_and_the_others_are_read():
    with small_crm() as (crm, server):
        for name in ("Kari", "Kari N.", "Ola"):
            crm.add(name)
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())))
        before = system.read("contact", ["1", "2", "3"], PATHS)
        crm.rows["2"] = crm.rows["1"]
        assert list(system.read("contact", ["1", "2", "3"], PATHS)) == ["1", "3"]
        # Merged between the reading and the writing; the CRM writes to the one that is left.
        crm.before = lambda asked: Said(crm.rows["1"]) if asked.method == "PATCH" else None
        ((result,),) = system.update("contact", [UpdateRequest(before["2"], {"FirstName": "Siv"})], PATHS)
        assert isinstance(result, Moved)


def test_an_id_that_is_only_spelled_otherwise_is_no_deletion():
    with small_crm() as (crm, server):
        crm.add("Kari")
        crm.rows["A1"] = {**crm.rows["1"], "id": "a1"}
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile_for())))
        with pytest.raises(UnexpectedAnswer, match="asked for record A1, answered with a1"):
            system.read("contact", ["A1"], PATHS)


def test_what_cannot_be_asked_for_in_an_apostrophes_quotes_is_escaped_as_the_profile_says():
    profile = profile_for()
    profile["streams"]["contact"]["search"] = {"params": {"filter": "{field} eq {value:odata}"}}
    with small_crm() as (crm, server):
        crm.add("O'Brien")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile)))
        assert [one.id for one in system.search("contact", {"FirstName": "O'Brien"}, PATHS)] == ["1"]
        assert server.asked[0].query["filter"] == "name eq 'O''Brien'"


def test_when_a_record_was_made_is_told_where_the_crm_tells_it():
    profile = profile_for()
    profile["streams"]["contact"]["created_at"] = "made"
    with small_crm() as (crm, server):
        crm.add("Kari", made="2026-03-01T12:00:00Z")
        system = CustomcrmSystem(CustomcrmClient(server.url, KEY, profile=load(profile)))
        made = [
            *(one.created_at for one in system.listing("contact", PATHS)),
            *(one.created_at for one in system.search("contact", {"FirstName": "Kari"}, PATHS)),
            system.read("contact", ["1"], PATHS)["1"].created_at,
        ]
        assert made == [datetime(2026, 3, 1, 12, tzinfo=timezone.utc)] * 3
