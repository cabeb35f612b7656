"""`meltano run two-way`, as a newcomer starts it, on the sandbox's sample data."""

import sqlite3

import sandbox.edits
from sandbox.lines.meltano import Meltano
from sandbox.lines.secrets import API_KEY, CONSUMER_TOKEN, EMPLOYEE_TOKEN, given_away, lock_with_odd_secrets

import sandbox

WRONG = "wrong/but+secret=all&the=same"
SECRETS = [API_KEY, CONSUMER_TOKEN, EMPLOYEE_TOKEN, WRONG]

# What a run asks that finds nothing new: the taps' own questions. (method, path, status, parameters that bound it)
QUIET_CUSTOMCRM = [
    ("GET", "/api/v1/customers", 200, {"updated_since", "include_deleted", "per_page"}),
    ("GET", "/api/v1/contacts", 200, {"updated_since", "include_deleted", "per_page"}),
    ("GET", "/api/v1/products", 200, {"updated_since", "include_deleted", "per_page"}),
]
PAGE = {"from", "count", "sorting", "fields"}
QUIET_TRIPLETEX = [
    ("POST", "/v2/token/session/:create", 201, set()),
    ("GET", "/v2/customer", 200, {*PAGE, "isInactive", "changedSince"}),
    ("GET", "/v2/customer", 200, {*PAGE, "isInactive", "changedSince"}),
    ("GET", "/v2/contact", 304, PAGE),
    ("GET", "/v2/country", 304, PAGE),
    ("GET", "/v2/product", 304, PAGE),
    ("DELETE", "/v2/token/session/***", 204, set()),
]


def told(requests):
    return [(seen.method, seen.path, seen.status, set(seen.params)) for seen in requests]


def spelled(text):
    return "".join((text or "").split()).casefold()


def customers_on_both_sides(systems):
    """How many customers are one: the same organisation number, else the same e-mail where numbers do not differ."""
    theirs = systems.tripletex.all("customer")
    pairs = 0
    for ours in systems.customcrm.all("customer"):
        number, email = spelled(ours["OrganizationNumber"]), spelled(ours["Email"])
        same_number = [one for one in theirs if number and spelled(one["organizationNumber"]) == number]
        same_email = [
            one
            for one in theirs
            if email
            and spelled(one["email"]) == email
            and (not number or not one["organizationNumber"] or spelled(one["organizationNumber"]) == number)
        ]
        assert len(same_number) < 2
        pairs += bool(same_number or same_email)
    return pairs


def people_on_both_sides(systems):
    ours = {
        tuple(map(spelled, (one["Email"], one["FirstName"], one["LastName"])))
        for one in systems.customcrm.all("contact")
    }
    theirs = {
        tuple(map(spelled, (one["email"], one["firstName"], one["lastName"])))
        for one in systems.tripletex.all("contact")
    }
    return len({key for key in ours & theirs if key[0]})


def products_on_both_sides(systems):
    ours = {(one["Name"], one["Number"]) for one in systems.customcrm.all("product")}
    return sum((one["firstName"], one["lastName"]) in ours for one in systems.tripletex.all("contact"))


def links(path):
    """Customcrm's and Tripletex' ids and versions of each linked pair, by flow."""
    query = """
        select flow.name, left_id, right_id, left_version, right_version
        from link join flow on flow.id = link.flow_id
    """
    found = {}
    with sqlite3.connect(path) as connection:
        for flow, left, right, *versions in connection.execute(query):
            found.setdefault(flow, {})[left] = (int(right), *versions)
    return found


def check_pairs(systems, store):
    """Each record has exactly one counterpart, which says the same."""
    linked = links(store)
    crm = {
        resource: {one["Id"]: one for one in systems.customcrm.all(resource)}
        for resource in ("customer", "contact", "product")
    }
    customers = {one["id"]: one for one in systems.tripletex.all("customer")}
    contacts = {one["id"]: one for one in systems.tripletex.all("contact")}
    assert {flow: set(pairs) for flow, pairs in linked.items()} == {flow: set(records) for flow, records in crm.items()}
    assert sorted(pair[0] for pair in linked["customer"].values()) == sorted(customers)
    assert sorted(pair[0] for flow in ("contact", "product") for pair in linked[flow].values()) == sorted(contacts)
    for ours, (theirs, *_) in linked["customer"].items():
        one, other = crm["customer"][ours], customers[theirs]
        assert (one["Name"], one["Email"], spelled(one["OrganizationNumber"])) == (
            other["name"],
            other["email"],
            spelled(other["organizationNumber"]),
        )
        assert one["City"] == (other["postalAddress"] or {}).get("city")
    for ours, (theirs, *_) in linked["contact"].items():
        one, other = crm["contact"][ours], contacts[theirs]
        assert (one["FirstName"], one["LastName"], one["Email"]) == (
            other["firstName"],
            other["lastName"],
            other["email"],
        )
        works_for = linked["customer"][one["CustomerId"]][0] if one["CustomerId"] else None
        assert works_for == (other["customer"] or {}).get("id")
    for ours, (theirs, *_) in linked["product"].items():
        one, other = crm["product"][ours], contacts[theirs]
        assert (one["Name"], one["Number"]) == (other["firstName"], other["lastName"])


def check_lineage(systems, store):
    """The store knows each record at the version that its own system tells: `_source` came through."""
    for flow, pairs in links(store).items():
        for ours, (theirs, left_version, right_version) in pairs.items():
            other = systems.tripletex.get("customer" if flow == "customer" else "contact", theirs)
            assert left_version == systems.customcrm.get(flow, ours)["UpdatedAt"]
            assert right_version == str(other["version"])


def test_two_systems_come_together_and_stay_so_by_meltano_run(tmp_path, pytestconfig, api_description):
    with sandbox.running(customers=40) as systems:
        lock_with_odd_secrets(systems)
        meltano = Meltano(systems, tmp_path, pytestconfig.rootpath)
        crm, tripletex = systems.customcrm, systems.tripletex
        sides = [(crm.count(resource), tripletex.count(resource)) for resource in ("customer", "contact", "product")]
        both = customers_on_both_sides(systems), people_on_both_sides(systems), products_on_both_sides(systems)
        assert all(count > 2 for count in both)
        requests = []

        def run(log_level="info"):
            ran = meltano.run(log_level=log_level)
            assert ran.code == 0, ran.log
            assert given_away(ran.log, SECRETS) == []
            asked = crm.requests, tripletex.requests
            requests.extend(asked[1])
            systems.clear_requests()
            return asked

        run()
        (customers, people, products) = sides
        assert crm.count("product") == products[0]
        assert crm.count("customer") == tripletex.count("customer") == sum(customers) - both[0]
        # Tripletex' contacts are people and products; what is a product on both sides is no person.
        assert crm.count("contact") == people[0] + people[1] - both[1] - both[2]
        assert tripletex.count("contact") == crm.count("contact") + crm.count("product")
        assert tripletex.count("product") == products[1]
        check_pairs(systems, tmp_path / "links.db")

        edits = sandbox.edits.edit_as_users(systems)
        run()
        assert [edit for edit in edits if not edit.has_arrived(systems)] == []
        check_pairs(systems, tmp_path / "links.db")
        counts = [(system.count(resource)) for system in systems.both for resource in ("customer", "contact")]

        # Meltano's own debug log holds no secret either.
        quiet = run(log_level="debug")
        assert told(quiet[0]) == QUIET_CUSTOMCRM
        assert told(quiet[1]) == QUIET_TRIPLETEX
        assert not any(seen.is_write for asked in quiet for seen in asked)
        assert counts == [(system.count(resource)) for system in systems.both for resource in ("customer", "contact")]
        check_lineage(systems, tmp_path / "links.db")

        assert {seen.method for seen in requests} == {"GET", "POST", "PUT", "DELETE"}
        assert {seen.path for seen in requests if seen.method == "DELETE"} == {"/v2/token/session/***"}
        assert api_description.violations(requests) == []


def test_a_run_with_wrong_credentials_ends_with_one_line_and_tells_no_secret(tmp_path, pytestconfig):
    with sandbox.running("empty") as systems:
        lock_with_odd_secrets(systems)
        systems.customcrm.create("customer", Name="Alfa AS")
        systems.tripletex.create("customer", name="Beta AS")
        meltano = Meltano(systems, tmp_path, pytestconfig.rootpath, {"TAP_CUSTOMCRM_API_KEY": WRONG})
        ran = meltano.run(log_level="debug")
        assert ran.code == 1
        (told,) = [line for line in ran.log.splitlines() if "access denied 401" in line]
        assert "check api_key" in told
        assert "Traceback" not in ran.log
        assert given_away(ran.log, SECRETS) == []
        # The second line is not begun where the first one failed.
        assert systems.tripletex.requests == []
        assert not any(seen.is_write for seen in systems.customcrm.requests)
