"""Whatever stands in a record: nothing crashes, nothing gets into a URL, all of it arrives or waits with a reason."""

import json
import re
import unicodedata

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX

from sandbox import Fault

pytest_plugins = ["record_sync.testing.fixtures"]

FILTERS = {"Id", "Email", "OrganizationNumber", "Name", "Number"}
NAMES = {
    "ten thousand characters": "Æ" * 10_000,
    "control characters": "Firma\x01\x02\x1b[31mrød\x07\x7f\x85 AS",
    "a NUL": "Firma\x00 AS",
    "line breaks": "Firma\r\nAS\n\tavdeling",
    "emoji": "Firma 👩‍👩‍👧‍👦🇳🇴 AS",
    "right to left": "\u202eSA amriF\u202c شركة",
    "combining": "Fi\u0301rma\u200b\ufeff AS",
    "null": "null",
    "none": "None",
    "a number": "007",
    "another number": "1e308",
    "infinity": "Infinity",
    "a truth": "true",
    "HTML": "<script>alert('x')</script><img src=x onerror=y>",
    "a formula": '=HYPERLINK("http://example.com";"klikk")',
    "another formula": "+cmd|'/c calc'!A0",
    "SQL": "'); DROP TABLE link; --",
    "a template": "{{ 7*7 }} ${jndi:ldap://example.com} %s %(x)s {0}",
    "a path": "../../etc/passwd",
    "a query": "a&b=c?d#e;f,g%00%2e",
    "JSON": '{"id": 1, "version": 0}',
    "year one": "0001-01-01T00:00:00Z",
}
IDS = {
    "0": "0",
    "a path": "a/b?c#d",
    "a climb": "../customers",
    "percent": "%2e%2e%2f",
    "a list": "a,b,c",
    "blanks": " a b ",
    "letters": "æøå-名前",
    "a query": "x&include_deleted=true",
    "a quote": "x'\"\\",
    "long": "i" * 400,
}
UNUSABLE = {"one dot": ".", "two dots": "..", "too long": "j" * 10_000}
TIMES = {
    "year one": "0001-01-01T00:00:00Z",
    "no day": "0000-00-00T00:00:00Z",
    "no time": "i går",
    "before the first": "0001-01-01T00:00:00+14:00",
    "the last": "9999-12-31T23:59:59-14:00",
    "a number": 1700000000,
}


@pytest.fixture(autouse=True)
def refusals_end_no_run(lines):
    """Here they are what is looked for."""
    for target in ("target-customcrm", "target-tripletex"):
        lines.settings[target]["max_failure_share"] = 1


def customers(lines):
    return {one["name"]: one for one in lines.systems.tripletex.all("customer")}


def is_clean(ran):
    """No control character of a record got into the log, and nothing broke down."""
    assert "Traceback" not in ran.log
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ran.log) is None


def asked_only_what_there_is(lines):
    """Every request went to a resource of the API; what records say stands in no path, their ids in one segment."""
    ids = {str(one["Id"]) for kind in ("customer", "contact", "product") for one in lines.systems.customcrm.all(kind)}
    resources = re.compile(r"/api/v1/(customers|contacts|products)")
    for seen in lines.systems.customcrm.requests:
        resource = resources.match(seen.path)
        assert resource is not None, seen.path
        assert seen.path[resource.end() :] in {"", *(f"/{one}" for one in ids)}, seen.path
        assert set(seen.params) <= {"per_page", "page", "include_deleted", "updated_since", *FILTERS}
    known = re.compile(r"/v2/(token/session/.*|country|product|(customer|contact|deliveryAddress)(/list|/\d+)?)")
    for seen in lines.systems.tripletex.requests:
        assert known.fullmatch(seen.path), seen.path


# -- what stands in a record


def test_every_text_arrives_in_tripletex_or_waits_with_the_reason(lines):
    crm = lines.systems.customcrm
    for number, text in enumerate(NAMES.values()):
        crm.create("customer", Name=text, Description=text, City=text[:100], StreetAddress1=text[:100])
        crm.create("contact", FirstName=text, LastName=text, Email=f"{number}@example.no", Phone=text[:100])
        crm.create("product", Name=text, Number=f"{number}-{text}"[:255])
    before = {kind: crm.all(kind) for kind in ("customer", "contact", "product")}
    to_tripletex, to_customcrm = lines.cycle()
    is_clean(to_tripletex)
    is_clean(to_customcrm)
    asked_only_what_there_is(lines)
    arrived = customers(lines)
    for what, text in NAMES.items():
        if what != "ten thousand characters":
            # Texts are written composed.
            composed = unicodedata.normalize("NFC", text)
            assert arrived[composed]["description"] == composed, what
    # Tripletex takes 255 characters.
    expected = {"created": len(NAMES) - 1, "parked": 1}
    assert to_tripletex.counts == {"contact": expected, "customer": expected, "product": expected}
    assert "customer c1: name has 10000 characters" in to_tripletex.log
    assert {kind: crm.all(kind) for kind in before} == before
    for system in lines.systems.both:
        system.clear_requests()
    again = lines.well(TO_TRIPLETEX, full_refresh=True), lines.well(TO_CUSTOMCRM, full_refresh=True)
    assert [set(ran.counts["customer"]) for ran in again] == [{"unchanged", "parked"}, {"unchanged"}]
    tried = [seen for system in lines.systems.both for seen in system.requests if seen.is_write]
    assert {seen.path.rpartition("/")[2] for seen in tried} <= {":create", "list"}


def test_every_text_arrives_in_customcrm_and_stays_as_it_is(lines):
    tripletex = lines.systems.tripletex
    for text in NAMES.values():
        tripletex.create("customer", name=text[:255], description=text, postalAddress={"addressLine1": text[:100]})
        tripletex.create("contact", firstName=text[:100], lastName=text[:100])
    ran = lines.well(TO_CUSTOMCRM)
    is_clean(ran)
    asked_only_what_there_is(lines)
    # Texts are written composed.
    assert {unicodedata.normalize("NFC", one["Name"]) for one in lines.systems.customcrm.all("customer")} == {
        unicodedata.normalize("NFC", one["name"]) for one in tripletex.all("customer")
    }
    assert ran.counts["customer"] == {"created": len(NAMES)}
    back = lines.well(TO_TRIPLETEX)
    is_clean(back)
    assert set(back.counts["customer"]) == {"unchanged"}


# -- ids


def test_every_id_that_can_be_one_is_synchronised_both_ways(lines):
    crm = lines.systems.customcrm
    for what, record_id in IDS.items():
        crm.create("customer", Id=record_id, Name=what)
        crm.create("contact", FirstName=what, LastName="Aas", CustomerId=record_id)
    lines.cycle()
    assert set(customers(lines)) == set(IDS)
    tripletex = lines.systems.tripletex
    by_id = {one["id"]: one["name"] for one in tripletex.all("customer")}
    assert {one["firstName"]: by_id[one["customer"]["id"]] for one in tripletex.all("contact")} == {
        what: what for what in IDS
    }
    # From the other side they are written to by these ids.
    for one in tripletex.all("customer"):
        tripletex.edit("customer", one["id"], description=f"endret {one['name']}")
    ran = lines.well(TO_CUSTOMCRM)
    is_clean(ran)
    assert ran.counts["customer"] == {"updated": len(IDS)}
    assert {one["Id"]: one["Description"] for one in crm.all("customer")} == {
        record_id: f"endret {what}" for what, record_id in IDS.items()
    }
    asked_only_what_there_is(lines)


def changed(messages, change):
    """The messages with each record changed."""
    made = []
    for line in messages.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            change(message)
        made.append(json.dumps(message))
    return "\n".join(made).encode() + b"\n"


@pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)
def test_an_id_that_can_be_none_waits_and_the_others_get_through(lines, direction):
    for what in [*UNUSABLE, "right"]:
        lines.systems.customcrm.create("customer", Name=what)
        lines.systems.tripletex.create("customer", name=what)
    unusable = {**UNUSABLE, "half a character": "x\ud800"}
    lines.systems.customcrm.create("customer", Name="half a character")
    lines.systems.tripletex.create("customer", name="half a character")

    def give_unusable_ids(message):
        name = message["record"].get("name") or message["record"].get("Name")
        message["record"]["_source"]["id"] = unusable.get(name, message["record"]["_source"]["id"])

    ran = lines.load(direction, changed(lines.messages(direction), give_unusable_ids))
    assert ran.ok, ran.log
    is_clean(ran)
    assert ran.counts["customer"] == {"linked": 1, "parked": len(unusable)} or ran.counts["customer"] == {
        "created": 1,
        "parked": len(unusable),
    }
    assert "not a valid record: its id" in ran.log
    assert max(map(len, ran.log.splitlines())) < 1000
    asked_only_what_there_is(lines)


# -- times


def test_odd_times_wait_or_say_nothing_and_hold_nothing_up(lines):
    crm = lines.systems.customcrm
    for what in [*TIMES, "right"]:
        crm.create("customer", Name=what)

    def give_odd_times(message):
        source = message["record"]["_source"]
        source["modified_at"] = TIMES.get(message["record"]["name"], source["modified_at"])

    ran = lines.load(TO_TRIPLETEX, changed(lines.messages(TO_TRIPLETEX), give_odd_times))
    assert ran.ok, ran.log
    is_clean(ran)
    counts = ran.counts["customer"]
    assert sum(counts.values()) == len(TIMES) + 1
    assert set(counts) == {"created", "parked"}
    assert "right" in customers(lines)
    # Told rightly the next time, all are there, once.
    lines.well(TO_TRIPLETEX, full_refresh=True)
    assert sorted(one["name"] for one in lines.systems.tripletex.all("customer")) == sorted([*TIMES, "right"])


def crm_answers(lines, change):
    """The CRM's list of customers as somebody changed it on the way."""

    def after(seen):
        if seen.method == "GET" and seen.path.endswith("/customers"):
            return Fault.answer(200, change(seen.response_body), {"content-type": "application/json"})
        return None

    lines.systems.customcrm.after = after


def test_a_tap_passes_odd_times_on_and_its_bookmark_stays_sane(lines):
    crm = lines.systems.customcrm
    times = {what: moment for what, moment in TIMES.items() if isinstance(moment, str)}
    for what in [*times, "right"]:
        crm.create("customer", Name=what)

    def change(answer):
        for one in answer["data"]:
            one["UpdatedAt"] = times.get(one["Name"], one["UpdatedAt"])
        return json.dumps(answer).encode()

    crm_answers(lines, change)
    ran = lines.run(TO_TRIPLETEX)
    assert ran.ok, ran.log
    is_clean(ran)
    assert sum(ran.counts["customer"].values()) == len(times) + 1
    assert "right" in customers(lines)
    crm.after = None
    late = crm.create("customer", Name="later")
    ran = lines.well(TO_TRIPLETEX)
    assert late["Name"] in customers(lines)


# -- pages


def test_the_newest_of_twins_in_a_page_counts_and_nothing_is_made_twice(lines):
    crm = lines.systems.customcrm
    one = crm.create("customer", Name="Alfa AS", Description="ny")
    crm.create("customer", Name="Beta AS")

    def twins(answer):
        old = {**one, "Description": "gammel", "UpdatedAt": "2026-01-01T00:00:00.000Z"}
        answer["data"] = [*answer["data"], old, dict(one)]
        return json.dumps(answer).encode()

    crm_answers(lines, twins)
    ran = lines.run(TO_TRIPLETEX)
    assert ran.ok, ran.log
    is_clean(ran)
    assert sorted((one["name"], one["description"] or "") for one in lines.systems.tripletex.all("customer")) == [
        ("Alfa AS", "ny"),
        ("Beta AS", ""),
    ]


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (b'"halv \\ud800 figur"', "halv \ufffd figur"),
        (b'"hel \\ud83d\\ude00 figur"', "hel \U0001f600 figur"),
        (b'"et\\u0000null"', "et\x00null"),
        (b"1e308", None),
        (b"1e400", None),
        (b"123456789012345678901234567890", None),
        (b'["a"]', None),
        (b'{"a": 1}', None),
        (b"true", None),
        (b"NaN", None),
    ],
    ids=repr,
)
def test_odd_json_arrives_as_text_or_waits_or_is_told_in_one_line(lines, value, arrives):
    crm = lines.systems.customcrm
    crm.create("customer", Name="Alfa AS", Description="HER")
    crm.create("customer", Name="Beta AS")
    crm_answers(lines, lambda answer: json.dumps(answer).encode().replace(b'"HER"', value))
    ran = lines.run(TO_TRIPLETEX)
    is_clean(ran)
    if ran.ok:
        arrived = customers(lines)
        assert "Beta AS" in arrived
        counts = ran.counts["customer"]
        if arrives is not None:
            assert arrived["Alfa AS"]["description"] == arrives
        elif "parked" in counts:
            assert "not a valid record" in ran.log
        else:
            assert isinstance(arrived["Alfa AS"]["description"], str)
    else:
        assert value == b"NaN"
        (line,) = ran.errors("tap-customcrm")
        assert "not JSON" in line
        assert customers(lines) == {}
    crm.after = None
    lines.cycle()
    if arrives is None:
        lines.well(TO_TRIPLETEX, full_refresh=True)
    assert {one["name"] for one in lines.systems.tripletex.all("customer")} == {"Alfa AS", "Beta AS"}
    assert len(lines.systems.tripletex.all("customer")) == 2


# -- what people read


def test_the_systems_words_cannot_steer_a_terminal_or_forge_a_line_of_the_log(lines):
    lines.systems.customcrm.create("customer", Name="Alfa AS")
    words = "nei\x1b[2J\x1b[31m\r\n2026-01-01 00:00:00,000 | INFO | alt er bra \u202eegalf\u2028"
    error = {
        "status": 422,
        "code": 18000,
        "message": words,
        "validationMessages": [{"field": "na\x07me", "message": words}],
    }

    def refuse(seen):
        return Fault.answer(422, error) if seen.is_write else None

    lines.systems.tripletex.before = refuse
    ran = lines.run(TO_TRIPLETEX)
    assert ran.ok, ran.log
    assert ran.counts["customer"] == {"parked": 1}
    is_clean(ran)
    assert "nei\\x1b[2J" in ran.log
    assert not [line for line in ran.log.splitlines() if "alt er bra" in line and "customer c1" not in line]


def test_postgresql_takes_every_text_and_id_that_sqlite_takes(lines, postgresql_url):
    for target in ("target-customcrm", "target-tripletex"):
        lines.settings[target]["links_url"] = postgresql_url
    crm = lines.systems.customcrm
    for text, record_id in zip(NAMES.values(), [*IDS.values(), *map(str, range(1, 100))], strict=False):
        # Refused for its address, so that the whole record waits in the store.
        crm.create("customer", Id=record_id, Name=text, Description=text, Email="ring meg heller")
    ran = lines.well(TO_TRIPLETEX)
    is_clean(ran)
    assert ran.counts["customer"] == {"parked": len(NAMES)}
    for one in crm.all("customer"):
        crm.edit("customer", one["Id"], Email=None, Name=one["Name"][:255])
    lines.cycle()
    assert {one["name"] for one in lines.systems.tripletex.all("customer")} == {
        unicodedata.normalize("NFC", text[:255]) for text in NAMES.values()
    }
