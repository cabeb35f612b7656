"""The client against a real HTTP server that answers as Tripletex does."""

import json
import re
import threading
from contextlib import ExitStack, closing
from datetime import datetime, timezone

import pytest
from api_transport import (
    ApiError,
    Conflict,
    Detail,
    NotFound,
    OutcomeUnknown,
    Refused,
    ServerFailed,
    UnexpectedAnswer,
)
from api_transport.testing import DROP, Said, serving
from tripletex_client.errors import ListTooLong
from tripletex_client.testing import GONE, SESSIONS, envelope, running

PAGE = "<html><title>502 Bad Gateway</title></html>"


@pytest.fixture
def run():
    """Runs a server, and a client of it: `client, server = run(respond)`."""
    with ExitStack() as stack:

        def start(respond=lambda _: GONE, **options):
            tripletex = stack.enter_context(running(respond))
            return tripletex.client(**options), tripletex.server

        yield start


def asked_of(server):
    """The requests but those for session tokens."""
    return [asked for asked in server.asked if not asked.path.startswith(f"{SESSIONS}:")]


def listing(records, **more):
    """Answers a list of records by from and count."""

    def respond(asked):
        start, count = int(asked.query["from"]), int(asked.query["count"])
        values = records[start : start + count]
        told = start + len(values) + (start + count < len(records))  # no total: whether one more follows
        return Said({"fullResultSize": told, "from": start, "count": len(values), "values": values, **more})

    return respond


def range_of(count):
    """As many records as that, and cheap."""
    return [{"id": 1}] * count


def people(*ids):
    return [{"id": n, "firstName": f"Ola {n}"} for n in ids]


# Lists


def ids(pages):
    return [[record["id"] for record in page.values] for page in pages]


def test_paging_ends_with_the_first_short_page_and_each_begins_where_the_last_one_ended(run):
    client, server = run(listing(people(*range(1, 7))))
    pages = list(client.pages("contact", fields="id,firstName", params={"customerId": 3}, page_size=3))
    assert ids(pages) == [[1, 2, 3], [4, 5], [6]]
    assert [page.offset for page in pages] == [0, 2, 4]
    assert asked_of(server)[1].query == {
        "customerId": "3",
        "from": "2",
        "count": "3",
        "sorting": "id",
        "fields": "id,firstName",
    }


def test_a_full_last_page_is_followed_by_one_with_nothing_new(run):
    client, server = run(listing(people(1, 2)))
    assert ids(client.pages("contact", fields="id", page_size=2)) == [[1, 2], []]
    assert len(asked_of(server)) == 2


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("records", [0, 1, 9, 10, 11, 18, 19, 20, 100])
def test_no_more_pages_are_asked_for_in_vain_than_full_ones_came_nor_than_may_be_under_way(run, in_flight, records):
    client, server = run(listing(people(*range(records))), in_flight=in_flight)
    found = [one for page in ids(client.pages("contact", fields="id", page_size=10)) for one in page]
    assert found == list(range(records))
    needed = max(1, (records - 1) // 9 + 1)
    assert needed <= len(asked_of(server)) <= needed + min(needed - 1, in_flight - 1)


def test_a_long_list_is_read_with_the_set_number_of_requests_under_way_and_never_more(run):
    under_way, most, lock = 0, 0, threading.Lock()
    records = people(*range(400))
    full_width, narrow = threading.Event(), threading.Event()

    def respond(asked):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 4:
                full_width.set()
        # The eighth page and what comes after it is answered only once four requests are under way.
        if int(asked.query["from"]) >= 70 and not narrow.is_set() and not full_width.wait(10):
            narrow.set()
        with lock:
            under_way -= 1
        return listing(records)(asked)

    client, _ = run(respond, in_flight=4)
    found = [one for page in ids(client.pages("contact", fields="id", page_size=10)) for one in page]
    assert found == list(range(400))
    assert most == 4
    assert not narrow.is_set()


@pytest.mark.parametrize("place", ["at the end", "in the middle", "at the front"])
@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("when", [1, 2, 4, 7])
def test_a_list_that_grows_while_it_is_read_loses_nothing(run, place, in_flight, when):
    first, lock = list(range(100, 195)), threading.Lock()
    records = people(*first)
    counted = 0

    def respond(asked):
        nonlocal counted
        with lock:
            counted += 1
            if counted == when:
                at = {"at the end": len(records), "in the middle": 40, "at the front": 0}[place]
                records[at:at] = people(*range(1000, 1007))
            return listing(list(records))(asked)

    client, _ = run(respond, in_flight=in_flight)
    found = [one for page in ids(client.pages("contact", fields="id", page_size=10)) for one in page]
    assert set(first) <= set(found)


def test_a_record_pushed_past_a_page_that_was_answered_early_is_not_lost(run):
    records, grown = people(*range(40)), threading.Event()

    def respond(asked):
        # Of two pages asked for together the later one is answered first; then a record comes before both.
        if asked.query["from"] == "18" and not grown.is_set():
            answer = listing(list(records))(asked)
            records.insert(0, people(99)[0])
            grown.set()
            return answer
        if asked.query["from"] == "9":
            assert grown.wait(20)
        return listing(list(records))(asked)

    client, _ = run(respond, in_flight=4)
    found = [one for page in ids(client.pages("contact", fields="id", page_size=10)) for one in page]
    assert set(range(40)) <= set(found)


def test_pages_known_of_before_are_asked_for_together_and_none_past_them(run):
    together = threading.Barrier(3, timeout=20)

    def respond(asked):
        together.wait()
        return Said(None, 304)

    client, server = run(respond, in_flight=3)
    with closing(client.pages_unless("contact", fields="id", checksums=["a", "b", "c"], page_size=10)) as pages:
        assert [next(pages) for _ in range(3)] == [None] * 3
    assert sorted(asked.query["from"] for asked in asked_of(server)) == ["0", "10", "20"]


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize(
    "gone", [[1], [0, 1], [0, 9], [9], [8, 9], list(range(10)), list(range(8)), [9, 10, 11], [0, 1, 25, 26, 35, 36]]
)
@pytest.mark.parametrize("when", [2, 3])
def test_a_list_from_which_records_go_while_it_is_read_loses_no_other(run, in_flight, gone, when):
    records = people(*range(95))
    asked_so_far = []
    lock = threading.Lock()

    def respond(asked):
        with lock:
            asked_so_far.append(asked)
            if len(asked_so_far) == when:
                records[:] = [one for one in records if one["id"] not in gone]
            return listing(list(records))(asked)

    client, _ = run(respond, in_flight=in_flight)
    found = [one for page in ids(client.pages("contact", fields="id", page_size=10)) for one in page]
    assert set(range(95)) - set(gone) <= set(found)
    assert len(found) - len(set(found)) < 95


def test_a_list_that_shrinks_to_nothing_ends(run):
    records = people(1, 2, 3)

    def respond(asked):
        answer = listing(list(records))(asked)
        records.clear()
        return answer

    client, _ = run(respond)
    assert ids(client.pages("contact", fields="id", page_size=3)) == [[1, 2, 3], []]


@pytest.mark.parametrize("said", [0, 1, 10_000, None])
def test_the_size_the_api_tells_does_not_end_paging(run, said):
    client, server = run(listing(people(1, 2, 3), fullResultSize=said))
    assert sum(len(page.values) for page in client.pages("contact", fields="id", page_size=2)) == 3
    assert len(asked_of(server)) == 3


def test_an_empty_list_is_one_empty_page_that_tells_when_it_was_asked_for(run):
    client, _ = run(listing([]))
    before = datetime.now(timezone.utc)
    (page,) = client.pages("contact", fields="id")
    assert page.values == []
    assert before <= page.sent_at <= datetime.now(timezone.utc)


def test_a_list_that_does_not_move_on_is_not_read_for_ever(run):
    client, server = run(lambda _: Said({"values": people(1, 2)}))
    with pytest.raises(UnexpectedAnswer, match="once more"):
        list(client.pages("contact", fields="id", page_size=2))
    assert len(asked_of(server)) == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"fullResultSize": 0}, {"values": None}, {"values": {}}, {"values": [1]}, [], None, {"value": {}}, PAGE],
)
def test_a_list_without_values_is_not_an_empty_list(run, body):
    client, _ = run(lambda _: Said(body))
    for read in (
        lambda: list(client.pages("contact", fields="id")),
        lambda: client.search("contact", {"email": "a@example.no"}, "id"),
        lambda: client.get_many("contact", [1], "id"),
        lambda: client.size("contact"),
        client.countries,
    ):
        with pytest.raises(UnexpectedAnswer):
            read()


@pytest.mark.parametrize("answer", [GONE, Said(PAGE, 404), Said(None, 404), envelope(403, 9000), Said(PAGE, 403)])
def test_a_list_that_is_not_there_or_not_allowed_is_not_an_empty_list(run, answer):
    client, _ = run(lambda _: answer)
    with pytest.raises(ApiError) as caught:
        list(client.pages("contact", fields="id"))
    assert not isinstance(caught.value, Refused)


TOO_LARGE = envelope(422, 23000, "Result set too large. Limit of 10000 reached")


@pytest.mark.parametrize("served", [0, 1, 3])
@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_list_that_is_too_long_is_no_end_of_it_however_far_it_was_read(run, served, in_flight):
    records = people(*range(100))
    client, _ = run(
        lambda asked: TOO_LARGE if int(asked.query["from"]) >= served * 9 else listing(records)(asked),
        in_flight=in_flight,
    )
    pages = client.pages("customer", fields="id", page_size=10)
    found = []
    with pytest.raises(ListTooLong, match="more than Tripletex lists at once .*Limit of 10000"):
        found += (len(page.values) for page in pages)
    with pytest.raises(ListTooLong):
        client.page("customer", fields="id", offset=900)
    assert not issubclass(ListTooLong, Refused)


def test_a_search_that_finds_too_much_is_refused_as_a_search(run):
    client, _ = run(lambda _: TOO_LARGE)
    with pytest.raises(Refused, match="Limit of 10000"):
        client.search("contact", {"email": "@"}, "id")


def test_a_list_that_is_too_long_is_about_as_long_as_can_be(run):
    client, _ = run(lambda _: TOO_LARGE)
    assert client.size("contact") > 1_000_000


def test_contacts_of_many_customers_are_listed_for_some_at_a_time_and_for_fewer_where_that_is_too_much(run):
    active, inactive = list(range(1, 8)), [8, 9]
    contacts = [{"id": 100 * owner + n, "owner": owner} for owner in (*active, *inactive) for n in range(owner)]

    def respond(asked):
        if asked.path == "/v2/customer":
            ids = inactive if asked.query["isInactive"] == "true" else active
            return listing([{"id": n} for n in ids])(asked)
        owners = {int(n) for n in asked.query["customerId"].split(",")}
        found = [one for one in contacts if one["owner"] in owners]
        return TOO_LARGE if len(found) > 10 else listing(found)(asked)

    client, server = run(respond)
    found = [one for page in client.contact_pages_by_customer(fields="id,owner") for one in page.values]
    assert sorted(one["id"] for one in found) == sorted(one["id"] for one in contacts)
    assert asked_of(server)[1].query["customerId"] == "1,2,3,4,5,6,7"


def test_one_customer_with_more_contacts_than_a_list_may_have_is_told(run):
    client, _ = run(lambda asked: TOO_LARGE if "contact" in asked.path else listing([{"id": 1}])(asked))
    with pytest.raises(ListTooLong):
        list(client.contact_pages_by_customer(fields="id"))


@pytest.mark.parametrize("size", [0, -1, 1001])
def test_a_page_size_that_the_api_would_cut_is_refused(run, size):
    client, server = run(listing([]))
    with pytest.raises(ValueError, match="1 to 1000"):
        list(client.pages("contact", fields="id", page_size=size))
    assert server.asked == []


def test_a_page_that_has_not_changed_is_none(run):
    def respond(asked):
        if asked.headers.get("If-None-Match") == "digest-1":
            return Said(None, 304)
        return Said({"values": people(1), "versionDigest": "digest-1"})

    client, server = run(respond)
    first = client.page("contact", fields="id", checksum="0")
    assert first.digest == "digest-1"
    assert client.page("contact", fields="id", offset=0, params={}, page_size=1000, checksum=first.digest) is None
    assert [asked.headers.get("If-None-Match") for asked in asked_of(server)] == ["0", "digest-1"]
    assert client.page("contact", fields="id").values == people(1)
    assert "If-None-Match" not in asked_of(server)[-1].headers


def test_not_modified_without_a_checksum_is_unexpected(run):
    client, _ = run(lambda _: Said(None, 304))
    with pytest.raises(UnexpectedAnswer):
        client.page("contact", fields="id")


def test_an_empty_list_has_no_digest(run):
    client, _ = run(listing([], versionDigest=None))
    assert client.page("contact", fields="id", checksum="0").digest is None


def test_a_list_is_read_again_after_passing_trouble(run):
    answers = iter([DROP, Said(PAGE, 502), Said(status=429), Said({"values": people(1)})])
    client, _ = run(lambda _: next(answers))
    assert [page.values for page in client.pages("contact", fields="id")] == [people(1)]


def test_a_limit_on_requests_is_waited_for_and_shown(run):
    slept = []
    limits = {"X-Rate-Limit-Limit": "100", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "12"}
    answers = iter([Said(None, 429, limits), Said({"values": []}, 200, {**limits, "X-Rate-Limit-Remaining": "99"})])
    client, _ = run(lambda _: next(answers), sleep=slept.append)
    assert client.rate_limit is None
    list(client.pages("contact", fields="id"))
    assert 12 <= slept[0] <= 13
    assert (client.rate_limit.remaining, client.rate_limit.reset_seconds) == (99, 12.0)


# Single records and look-ups


def test_a_record_that_tripletex_says_is_not_there_is_none(run):
    client, _ = run(lambda _: GONE)
    assert client.get("customer", 1, "id") is None


@pytest.mark.parametrize("answer", [Said(PAGE, 404), Said(None, 404), Said({}, 404), envelope(404, 4711)])
def test_a_not_found_that_is_not_tripletexs_own_does_not_mean_that_the_record_is_gone(run, answer):
    client, _ = run(lambda _: answer)
    for read in (
        lambda: client.get("customer", 1, "id"),
        lambda: client.get_many("customer", [1], "id"),
        lambda: client.delete("customer", 1),
    ):
        with pytest.raises(UnexpectedAnswer):
            read()


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": []}, {"values": []}, [], None])
def test_a_record_without_a_value_is_not_an_answer(run, body):
    client, _ = run(lambda _: Said(body))
    with pytest.raises(UnexpectedAnswer):
        client.get("customer", 1, "id")


def test_a_record_answered_with_another_id_is_not_taken_for_the_one_asked_for(run):
    client, _ = run(lambda _: Said({"value": {"id": 2}}))
    with pytest.raises(UnexpectedAnswer, match="asked for record 1, answered with 2"):
        client.get("customer", 1, "id")
    with pytest.raises(UnexpectedAnswer, match="asked for record 1, answered with 2"):
        client.update("customer", 1, {"version": 1})


class Customers:
    """Active and inactive customers; `id=` lists heed isInactive, as does everything else."""

    def __init__(self, active=(), inactive=(), hidden=()):
        self.active, self.inactive, self.hidden = active, inactive, hidden

    def __call__(self, asked):
        single = re.fullmatch(r"/v2/\w+/(\d+)", asked.path)
        if single:
            number = int(single.group(1))
            known = number in {*self.active, *self.inactive, *self.hidden}
            return Said({"value": {"id": number}}) if known else GONE
        which = self.inactive if asked.query.get("isInactive") == "true" else self.active
        ids = asked.query.get("id") or asked.query.get("ids")
        wanted = [int(n) for n in ids.split(",")] if ids else which
        return listing([{"id": n} for n in which if n in wanted])(asked)


def test_many_records_are_read_in_lists_inactive_ones_too_and_the_rest_one_by_one(run):
    client, server = run(Customers(active=(1, 2), inactive=(3,), hidden=(4,)))
    found = client.get_many("customer", [1, 2, 3, 4, 5, 1], "id,name")
    assert found == {n: {"id": n} for n in (1, 2, 3, 4)}
    assert [(a.path, a.query.get("id"), a.query.get("isInactive")) for a in asked_of(server)] == [
        ("/v2/customer", "1,2,3,4,5", "false"),
        ("/v2/customer", "3,4,5", "true"),
        ("/v2/customer/4", None, None),
        ("/v2/customer/5", None, None),
    ]


def test_reading_many_asks_for_at_most_a_hundred_ids_and_no_longer_address_than_servers_take(run):
    ids = list(range(10_000_001, 10_000_301))
    client, server = run(Customers(active=ids))
    for fields in ("id", "id," + ",".join(f"field{n}" for n in range(100)), "id," + "x" * 5000):
        server.asked.clear()
        assert set(client.get_many("contact", ids, fields)) == set(ids)
        lists = [asked.query["id"].split(",") for asked in asked_of(server)]
        assert sorted(int(n) for some in lists for n in some) == ids
        assert max(map(len, lists)) <= 100
        for asked in asked_of(server):
            query = asked.target.partition("?")[2]
            assert len(query) <= max(1500, 5000 + 600)
            assert len(query) <= 1500 or len(fields) > 1000


def test_reading_many_ignores_records_that_were_not_asked_for(run):
    client, _ = run(lambda asked: GONE if asked.path.endswith("/1") else Said({"values": people(2, 3)}))
    assert client.get_many("contact", [1, 2], "id,firstName") == {2: people(2)[0]}


def test_reading_none_asks_nothing(run):
    client, server = run()
    assert client.get_many("customer", [], "id") == {}
    assert server.asked == []


def test_products_are_read_by_their_own_parameter(run):
    client, server = run(Customers(active=(1,)))
    client.get_many("product", [1], "id")
    assert asked_of(server)[0].query["ids"] == "1"


def test_a_search_finds_active_and_inactive_customers_on_all_pages(run):
    client, server = run(Customers(active=tuple(range(1, 1002)), inactive=(5000, 7)))
    found = client.search("customer", {"organizationNumber": "923609016"}, "id")
    assert [record["id"] for record in found] == [*range(1, 1002), 5000]
    assert [asked.query["isInactive"] for asked in asked_of(server)] == ["false", "false", "true"]


def test_a_search_of_other_resources_is_one_list(run):
    client, server = run(listing(people(1)))
    assert client.search("contact", {"email": "åse+1@example.no"}, "id,firstName") == people(1)
    (asked,) = asked_of(server)
    assert asked.query["email"] == "åse+1@example.no"
    assert "isInactive" not in asked.query


def test_a_search_may_say_which_customers_it_means(run):
    client, server = run(Customers(active=(1,), inactive=(2,)))
    assert client.search("customer", {"email": "a@example.no", "isInactive": True}, "id") == [{"id": 2}]
    assert len(asked_of(server)) == 1


@pytest.mark.parametrize(
    "params", [{}, {"email": ""}, {"email": None}, {"email": "a", "customerName": ""}, {"ids": []}]
)
def test_a_search_for_nothing_does_not_list_everything(run, params):
    client, server = run(listing(people(1)))
    with pytest.raises(ValueError, match="search for nothing"):
        client.search("customer", params, "id")
    assert server.asked == []


def test_a_found_record_without_an_id_is_unexpected(run):
    client, _ = run(lambda _: Said({"values": [{"firstName": "Ola"}]}))
    with pytest.raises(UnexpectedAnswer, match="no id"):
        client.search("contact", {"email": "a@example.no"}, "id")


@pytest.mark.parametrize(("records", "about"), [(0, 500), (1000, 500), (1001, 2000), (6000, 8000), (70_000, 128_000)])
def test_the_size_of_a_list_is_found_by_asking_for_single_records_of_it(run, records, about):
    client, server = run(listing(range_of(records)))
    assert client.size("contact") == about
    assert {asked.query["count"] for asked in asked_of(server)} == {"1"}
    assert len(asked_of(server)) <= 5


def test_the_size_counts_active_and_inactive(run):
    client, server = run(Customers(active=range(1, 1002), inactive=(5000,)))
    assert client.size("customer") == 2500
    assert [asked.query["isInactive"] for asked in asked_of(server)] == ["false", "false", "true"]


def test_the_size_of_a_list_that_does_not_move_on_is_not_asked_for_ever(run):
    client, server = run(lambda _: Said({"values": people(1)}))
    client.size("contact")
    assert len(asked_of(server)) == 6


def test_countries_are_read_once(run):
    rows = [{"id": 161, "isoAlpha2Code": "NO"}, {"id": 2, "isoAlpha2Code": "se"}, {"id": 3, "isoAlpha2Code": None}]
    client, server = run(listing([*rows, {"id": 4, "isoAlpha2Code": "NO"}]))
    countries = client.countries()
    assert client.countries() is countries
    assert len(asked_of(server)) == 1
    assert (countries.id_of("NO"), countries.id_of(" no "), countries.id_of("SE")) == (161, 161, 2)
    assert (countries.code_of(161), countries.code_of(2), countries.code_of(3)) == ("NO", "SE", None)
    assert (countries.id_of("XX"), countries.code_of(9), len(countries)) == (None, None, 3)


# Writing


def written(asked):
    """Answers writes with what was sent, an id and a version."""
    body = asked.json
    if isinstance(body, list):
        values = [{**record, "id": record.get("id", n + 1), "version": 1} for n, record in enumerate(body)]
        return Said({"values": values}, 201 if asked.method == "POST" else 200)
    return Said({"value": {"id": int(asked.path.rpartition("/")[2]), **body}}, 201 if asked.method == "POST" else 200)


def test_a_list_write_answers_with_the_values_as_tripletex_gives_them(run):
    client, server = run(lambda asked: Said({"values": written(asked).body["values"][::-1]}, 201))
    values = client.create_many("customer", [{"name": "Å AS"}, {"name": "B AS"}])
    assert [value["name"] for value in values] == ["B AS", "Å AS"]
    (asked,) = asked_of(server)
    assert (asked.method, asked.path, json.loads(asked.body)) == (
        "POST",
        "/v2/customer/list",
        [{"name": "Å AS"}, {"name": "B AS"}],
    )


@pytest.mark.parametrize("values", [[], [{"id": 1}], [{"id": 1}, {"id": 2}, {"id": 3}], [{"id": 1}, {}], None, [1, 2]])
def test_a_list_write_answered_with_another_number_of_values_has_an_unknown_outcome(run, values):
    client, server = run(lambda _: Said({"values": values}, 201))
    with pytest.raises(OutcomeUnknown):
        client.create_many("customer", [{"name": "A"}, {"name": "B"}])
    with pytest.raises(UnexpectedAnswer):
        client.update_many("customer", [{"id": 1, "version": 1}, {"id": 2, "version": 1}])
    assert len(asked_of(server)) == 2


@pytest.mark.parametrize(
    "answer", [DROP, Said(PAGE, 502), Said({}, 500), Said(PAGE), Said({}, 201), Said({"value": {}}, 201)]
)
def test_a_create_without_a_usable_answer_is_not_sent_again(run, answer):
    client, server = run(lambda _: answer)
    with pytest.raises(OutcomeUnknown):
        client.create("contact", {"firstName": "Kari"})
    with pytest.raises(OutcomeUnknown):
        client.create_many("contact", [{"firstName": "Kari"}])
    assert len(asked_of(server)) == 2


def test_a_refused_list_is_refused_as_a_whole_with_tripletexs_own_words(run):
    messages = [
        {"field": "email", "message": "Ugyldig e-postadresse.", "path": "[1].email", "rootId": None},
        {"field": None, "message": "Feltet må fylles ut.", "path": None},
        None,
    ]
    client, _ = run(lambda _: envelope(422, 18000, "Validering feilet.", messages, developerMessage="VALIDATION_ERROR"))
    with pytest.raises(Refused) as caught:
        client.create_many("contact", [{"firstName": "Kari"}, {"email": "x"}])
    error = caught.value
    assert (error.status, error.code, error.message, error.request_id) == (422, 18000, "Validering feilet.", "r-9")
    assert error.details == [
        Detail("email", "Ugyldig e-postadresse.", "[1].email"),
        Detail(None, "Feltet må fylles ut.", None),
    ]
    assert str(error) == (
        "POST /contact/list: refused 422 (code 18000): Validering feilet; "
        "[1].email: Ugyldig e-postadresse.; Feltet må fylles ut. [request id r-9]"
    )


def test_the_developers_message_helps_where_there_are_no_validation_messages(run):
    client, _ = run(lambda _: envelope(400, 11000, "Ugyldig filter.", developerMessage="Illegal field: x"))
    with pytest.raises(Refused, match=r"400 \(code 11000\): Ugyldig filter \(Illegal field: x\) \[request id r-9\]"):
        client.get("contact", 1, "x")


@pytest.mark.parametrize("body", [{"code": "x", "message": 3, "validationMessages": "x"}, [], "tekst", {"code": True}])
def test_an_envelope_that_is_none_does_no_harm(run, body):
    client, _ = run(lambda _: Said(body, 422, {"x-tlx-request-id": "r-3"}))
    with pytest.raises(Refused) as caught:
        client.update("contact", 1, {})
    assert (caught.value.code, caught.value.request_id) == (None, "r-3")


def test_an_update_over_an_older_version_is_a_conflict(run):
    client, _ = run(lambda _: envelope(409, 8000, "Objektet er endret"))
    with pytest.raises(Conflict) as caught:
        client.update("customer", 17, {"id": 17, "version": 3, "name": "Ny"})
    assert caught.value.code == 8000
    with pytest.raises(Conflict):
        client.update_many("customer", [{"id": 17, "version": 3}])


def test_an_update_is_sent_again_where_its_answer_was_lost(run):
    answers = iter([DROP, Said(PAGE, 503), None])
    client, server = run(lambda asked: next(answers) or written(asked))
    assert client.update("customer", 17, {"version": 3})["id"] == 17
    assert [asked.method for asked in asked_of(server)] == ["PUT"] * 3


def test_an_update_of_a_record_that_is_gone_says_so(run):
    client, _ = run(lambda _: GONE)
    with pytest.raises(NotFound):
        client.update("contact", 17, {"version": 3})


def test_customers_are_updated_in_lists_and_contacts_are_not(run):
    client, server = run(written)
    values = client.update_many("customer", [{"id": 7, "version": 0}, {"id": 8, "version": 0}])
    assert [value["id"] for value in values] == [7, 8]
    assert (asked_of(server)[0].method, asked_of(server)[0].path) == ("PUT", "/v2/customer/list")
    with pytest.raises(ValueError, match="no list update of contact"):
        client.update_many("contact", [{"id": 1}])


def test_a_list_write_is_kept_to_a_hundred(run):
    client, server = run(written)
    assert client.create_many("customer", []) == []
    with pytest.raises(ValueError, match="at most 100"):
        client.create_many("customer", [{}] * 101)
    assert server.asked == []
    assert len(client.create_many("customer", [{}] * 100)) == 100


def test_a_null_is_sent_as_null(run):
    client, server = run(written)
    client.update("customer", 1, {"id": 1, "version": 2, "email": None, "website": ""})
    assert asked_of(server)[0].json == {"id": 1, "version": 2, "email": None, "website": ""}


@pytest.mark.parametrize(
    ("resource", "target"),
    [("customer", "/v2/customer/9"), ("product", "/v2/product/9"), ("contact", "/v2/contact/list?ids=9")],
)
def test_a_delete_goes_where_the_resource_has_it_and_may_come_too_late(run, resource, target):
    answers = iter([Said(None, 204), GONE])
    client, server = run(lambda _: next(answers))
    assert client.delete(resource, 9) is True
    assert client.delete(resource, 9) is False
    assert {(asked.method, asked.target) for asked in asked_of(server)} == {("DELETE", target)}


def test_a_server_that_fails_on_an_update_is_not_the_records_fault(run):
    client, _ = run(lambda _: envelope(500, 1000, "Noe gikk galt"))
    with pytest.raises(ServerFailed, match="Noe gikk galt"):
        client.update("customer", 1, {"version": 1})


def test_a_redirected_write_is_an_error_and_reaches_nobody(run):
    with serving(lambda _: Said({"value": {"id": 1}})) as elsewhere:
        client, _ = run(lambda _: Said(None, 302, {"Location": elsewhere.url}))
        for write in (lambda: client.create("contact", {}), lambda: client.update("contact", 1, {})):
            with pytest.raises(UnexpectedAnswer, match="redirected to"):
                write()
        assert elsewhere.asked == []
