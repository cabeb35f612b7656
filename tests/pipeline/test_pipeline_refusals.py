"""Records that a system refuses: they wait with its words, and all others get through."""

from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX

from sandbox import Fault

WORDS = "Ugyldig e-postadresse."
NO_EMAIL = "ring meg heller"


def writes(system):
    return [f"{seen.method} {seen.path}" for seen in system.requests if seen.is_write]


def people(systems, count, *invalid):
    for number in range(count):
        systems.customcrm.create(
            "contact",
            FirstName="Person",
            LastName=str(number),
            Email=NO_EMAIL if number in invalid else f"person{number}@example.no",
        )


def parked(ran, plugin):
    return [line for line in ran.logs[plugin].splitlines() if "WARNING" in line]


def test_a_new_record_with_an_invalid_email_waits_with_tripletex_words_and_the_others_get_through(lines, systems):
    people(systems, 130, 3, 64, 101)
    ran = lines.well(TO_TRIPLETEX)
    assert ran.counts["contact"] == {"created": 127, "parked": 3}
    assert sorted(int(one["lastName"]) for one in systems.tripletex.all("contact")) == [
        number for number in range(130) if number not in (3, 64, 101)
    ]
    told = parked(ran, TO_TRIPLETEX.target)
    assert len(told) == 3
    for number in (3, 64, 101):
        (line,) = [one for one in told if f"contact p{number + 1}: " in one]
        assert WORDS in line
        assert "email" in line
    # A hundred records at a time, and a list that is refused is split for its bad records only.
    assert len(writes(systems.tripletex)) < 40


def test_a_refused_record_is_tried_again_until_a_user_has_put_it_right(lines, systems):
    people(systems, 3, 1)
    lines.cycle()
    systems.clear_requests()
    assert lines.well(TO_TRIPLETEX).counts["contact"]["parked"] == 1
    assert writes(systems.tripletex) == ["POST /v2/contact/list"]
    # The second attempt failed too: from now on it is tried after a while only.
    systems.clear_requests()
    lines.cycle()
    assert writes(systems.tripletex) == []

    systems.customcrm.edit("contact", "p2", Email="person1@example.no")
    ran = lines.well(TO_TRIPLETEX)
    assert ran.counts["contact"]["created"] == 1
    assert len(systems.tripletex.all("contact")) == 3
    systems.clear_requests()
    lines.cycle()
    assert writes(systems.tripletex) == []


def test_one_bad_change_in_a_list_of_changes_leaves_the_others_alone(lines, systems):
    crm = systems.customcrm
    ids = [
        crm.create("customer", Name=f"Kunde {number} AS", Email=f"post@kunde{number}.example.no")["Id"]
        for number in range(18)
    ]
    lines.cycle()
    systems.clear_requests()
    for number, record_id in enumerate(ids):
        crm.edit("customer", record_id, Email=NO_EMAIL if number == 11 else f"ny@kunde{number}.example.no")
    ran = lines.well(TO_TRIPLETEX)
    assert ran.counts["customer"] == {"updated": 17, "parked": 1}
    assert {one["name"]: one["email"] for one in systems.tripletex.all("customer")} == {
        f"Kunde {number} AS": f"{'post' if number == 11 else 'ny'}@kunde{number}.example.no" for number in range(18)
    }
    (told,) = parked(ran, TO_TRIPLETEX.target)
    assert f"customer {ids[11]}: " in told
    assert WORDS in told


def test_old_values_are_not_sent_over_newer_ones_that_wait(lines, systems):
    crm, tripletex = systems.customcrm, systems.tripletex
    customer = crm.create("customer", Name="Kunde AS", OrganizationNumber="910000004", Email="a@example.no")
    record_id = customer["Id"]
    lines.cycle()
    crm.edit("customer", record_id, Email="b@example.no")
    older = lines.messages(TO_TRIPLETEX).read_bytes()
    crm.edit("customer", record_id, Email=NO_EMAIL)
    assert lines.well(TO_TRIPLETEX).counts["customer"] == {"parked": 1}
    # What was read before the edit comes late.
    assert lines.load(TO_TRIPLETEX, older).counts["customer"].get("updated") is None
    assert tripletex.all("customer")[0]["email"] == "a@example.no"
    # What comes after it takes its place.
    crm.edit("customer", record_id, Email="rett@example.no")
    lines.well(TO_TRIPLETEX)
    assert tripletex.all("customer")[0]["email"] == "rett@example.no"


def test_a_contact_without_names_waits_with_customcrms_words_and_the_others_get_through(lines, systems):
    tripletex = systems.tripletex
    for number in range(10):
        tripletex.create("contact", firstName="Person", lastName=str(number), email=f"person{number}@example.no")
    # Tripletex would not take it, but has older ones.
    messages = lines.messages(TO_CUSTOMCRM)
    nameless = messages.read_text(encoding="utf-8").replace(
        '"FirstName":"Person","LastName":"4"', '"FirstName":null,"LastName":null'
    )
    assert '"LastName":null' in nameless
    ran = lines.load(TO_CUSTOMCRM, nameless.encode())
    assert ran.ok
    assert ran.counts["contact"] == {"created": 9, "parked": 1}
    assert sorted(one["LastName"] for one in systems.customcrm.all("contact")) == list("012356789")
    (told,) = parked(ran, TO_CUSTOMCRM.target)
    assert f"contact {tripletex.all('contact')[4]['id']}: " in told
    assert "FirstName" in told
    assert "or LastName is required" in told


def test_a_run_in_which_most_is_refused_ends_with_an_error_and_nothing_is_lost(lines, systems):
    people(systems, 30, *range(25))
    ran = lines.run(TO_TRIPLETEX)
    assert ran.codes[TO_TRIPLETEX.target] == 1
    (error,) = ran.errors(TO_TRIPLETEX.target)
    assert "25 records were refused" in error
    assert "max_failure_share" in error
    assert WORDS in error
    assert len(systems.tripletex.all("contact")) == 5
    for number in range(25):
        systems.customcrm.edit("contact", f"p{number + 1}", Email=f"person{number}@example.no")
    lines.well(TO_TRIPLETEX)
    assert len(systems.tripletex.all("contact")) == 30


def test_refusals_that_come_first_keep_nothing_back(lines, systems):
    people(systems, 1200, *range(200))
    assert lines.well(TO_TRIPLETEX).counts["contact"] == {"created": 1000, "parked": 200}


def test_a_record_that_gets_through_at_last_takes_nothing_off_the_count_of_others(lines, systems):
    people(systems, 2)
    refusal = Fault.answer(422, {"message": WORDS})
    systems.tripletex.before = lambda seen: refusal if b"person1@" in seen.raw_body else None
    assert lines.well(TO_TRIPLETEX).counts["contact"] == {"created": 1, "parked": 1}
    systems.tripletex.before = None
    systems.customcrm.create("contact", FirstName="Siri", Email=NO_EMAIL)
    messages = lines.messages(TO_TRIPLETEX).read_bytes().splitlines(keepends=True)
    # The one that waits does not come again: the run takes it up of its own accord.
    ran = lines.load(TO_TRIPLETEX, b"".join(one for one in messages if b"person" not in one))
    assert ran.counts["contact"] == {"created": 1, "parked": 1}


def test_a_record_of_which_no_answer_came_is_looked_for_before_it_is_sent_again(lines, systems):
    people(systems, 5)
    tripletex = systems.tripletex
    tripletex.after = lambda seen: Fault.drop_answer() if seen.is_write else None
    ran = lines.well(TO_TRIPLETEX)
    assert ran.counts["contact"] == {"parked": 5}
    assert len(tripletex.all("contact")) == 5
    tripletex.after = None
    lines.cycle()
    assert len(tripletex.all("contact")) == len(systems.customcrm.all("contact")) == 5
    assert writes(tripletex) == ["POST /v2/contact/list"]


def test_a_customer_that_a_user_edits_while_a_list_of_changes_is_on_its_way_is_read_and_planned_again(lines, systems):
    """Tripletex refuses the whole list then (409); the others go through, and of that one nobody's edit is lost."""
    crm, tripletex = systems.customcrm, systems.tripletex
    ids = [
        crm.create("customer", Name=f"Kunde {number} AS", Email=f"post@kunde{number}.example.no")["Id"]
        for number in range(12)
    ]
    lines.cycle()
    their_ids = {one["name"]: one["id"] for one in tripletex.all("customer")}
    for number, record_id in enumerate(ids):
        crm.edit("customer", record_id, Description=f"endret {number}")
    systems.clear_requests()
    edited = their_ids["Kunde 5 AS"]

    def edit_first(seen):
        if seen.path.endswith("/customer/list"):
            tripletex.before = None
            tripletex.edit("customer", edited, website="https://bruker.example.no")

    tripletex.before = edit_first
    ran = lines.well(TO_TRIPLETEX)
    assert ran.counts["customer"] == {"updated": 12}
    statuses = [seen.status for seen in tripletex.requests if seen.is_write]
    assert statuses.count(409) > 1
    assert [
        one["description"] for one in sorted(tripletex.all("customer"), key=lambda one: int(one["name"].split()[1]))
    ] == [f"endret {number}" for number in range(12)]
    assert tripletex.get("customer", edited)["website"] == "https://bruker.example.no"
    lines.cycle()
    assert crm.get("customer", ids[5])["Website"] == "https://bruker.example.no"
    assert crm.get("customer", ids[5])["Description"] == "endret 5"


def test_a_record_that_the_crm_refuses_to_look_for_waits_and_the_others_get_through(lines, systems):
    """A quote in a value makes many a filter invalid."""
    words = "Syntax error in filter"

    def refuse(seen):
        return Fault.answer(400, {"title": words}) if "Email=o%27" in seen.query else None

    systems.customcrm.before = refuse
    for number, email in enumerate(("kari@example.no", "o'brien@example.no", "ola@example.no")):
        systems.tripletex.create("contact", firstName="Person", lastName=str(number), email=email)
    ran = lines.well(TO_CUSTOMCRM)
    assert ran.counts["contact"] == {"created": 2, "parked": 1}
    (line,) = parked(ran, TO_CUSTOMCRM.target)
    assert words in line
    assert {one["Email"] for one in systems.customcrm.all("contact")} == {"kari@example.no", "ola@example.no"}

    systems.customcrm.before = None
    assert lines.well(TO_CUSTOMCRM).counts["contact"]["created"] == 1
