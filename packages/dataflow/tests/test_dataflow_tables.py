"""The project's own tables, and what is made of tables in general."""

from pathlib import Path

import msgspec
import pytest
from dataflow.side import TO_CUSTOMCRM, TO_TRIPLETEX, TRIPLETEX
from dataflow.tables import Dataflow

ROOT = Path(__file__).resolve().parents[3]
TABLES = ["transforms/contact.yml", "transforms/customer.yml", "transforms/product.yml"]
BASE = """\
flow: product
customcrm: product
tripletex: contact
match_on: [[firstName, lastName]]
properties:
  - {customcrm: Name, tripletex: firstName, type: string}
  - {customcrm: Number, tripletex: lastName}
"""


@pytest.fixture(scope="module")
def own():
    return Dataflow.load(TABLES, ROOT)


def digest(tmp_path, text):
    (tmp_path / "product.yml").write_text(text)
    dataflow = Dataflow.load(["product.yml"], tmp_path)
    return dataflow.digest(dataflow.flow("product"))


def test_the_projects_tables_pair_the_three_entities_both_ways(own):
    pairs = [(flow.name, flow.customcrm, flow.tripletex) for flow in own.flows]
    assert pairs == [
        ("contact", "contact", "contact"),
        ("customer", "customer", "customer"),
        ("product", "product", "contact"),
    ]
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        assert {flow.name for flow in own.going(direction)} == {"contact", "customer", "product"}


def test_a_tripletex_contact_is_offered_to_the_products_first(own):
    names = [flow.name for flow in own.going(TO_CUSTOMCRM)]
    assert names.index("product") < names.index("contact")
    assert own.before(own.flow("contact"), TO_CUSTOMCRM) == ("product",)
    assert own.before(own.flow("contact"), TO_TRIPLETEX) == ()
    assert own.before(own.flow("product"), TO_CUSTOMCRM) == ()


def test_the_policies_are_those_of_the_design(own):
    policies = {
        flow.name: (
            flow.creates(TO_TRIPLETEX),
            flow.creates(TO_CUSTOMCRM),
            flow.on_delete(TO_TRIPLETEX),
            flow.on_delete(TO_CUSTOMCRM),
        )
        for flow in own.flows
    }
    assert policies == {
        "contact": (True, True, "deactivate", "delete"),
        "customer": (True, True, "deactivate", "delete"),
        "product": (True, False, "deactivate", "ignore"),
    }


def test_merge_criteria_are_named_in_the_targets_properties(own):
    contact = own.flow("contact")
    assert own.match_on(contact, TO_TRIPLETEX) == (("email", "firstName", "lastName"), ("email",))
    assert own.match_on(contact, TO_CUSTOMCRM) == (("Email", "FirstName", "LastName"), ("Email",))


def test_every_row_of_the_projects_tables_has_types_for_a_document(own):
    for flow in own.flows:
        for row in flow.rows:
            assert own.types(flow, row, TRIPLETEX) == (row.type,) * len(row.tripletex)
            assert own.conversion(flow, row).meaning


def test_an_unknown_flow_is_a_lookup_error_with_the_closest_name(own):
    with pytest.raises(LookupError, match=r"There is no flow custmer. Did you mean customer\?"):
        own.flow("custmer")


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + BASE,
        BASE + "conflict: latest\ncreate: both\ntimeless: tripletex\n",
        BASE + "deletes: {to-tripletex: ignore}\n",
        BASE.replace(
            "{customcrm: Name, tripletex: firstName, type: string}", "tripletex: firstName\n    customcrm: Name"
        ),
        BASE.replace("tripletex: lastName", "tripletex: [lastName], convert: text, when: always"),
        "\n".join([*BASE.splitlines()[:5], *reversed(BASE.splitlines()[5:])]),
    ],
)
def test_the_digest_does_not_change_with_layout_order_or_what_goes_without_saying(tmp_path, same):
    assert digest(tmp_path, same) == digest(tmp_path, BASE)


OTHERS = [
    BASE.replace("[firstName, lastName]", "[lastName]"),
    BASE + "conflict: manual\n",
    BASE + "create: none\n",
    BASE + "timeless: customcrm\n",
    BASE + "deletes: {to-tripletex: delete}\n",
    BASE + "filter: {to-tripletex: {Price: 1}}\n",
    BASE + "filter: {to-customcrm: {firstName: '1'}}\n",
    BASE.replace("lastName}", "lastName, conflict: tripletex}"),
    BASE.replace("type: string}", "group: name}").replace("lastName}", "lastName, group: name}"),
    BASE.replace("type: string}", "group: name}").replace("lastName}", "lastName, group: name, conflict: manual}"),
    BASE.replace("lastName}", "lastName, convert: phone, country: firstName}"),
    BASE.replace("lastName}", "lastName, convert: phone}"),
    BASE + "  - {customcrm: Description, tripletex: phoneNumberWork}\n",
    BASE + "  - {customcrm: Description, tripletex: phoneNumberWork, direction: to-tripletex}\n",
    BASE + "  - {customcrm: Description, tripletex: phoneNumberWork, direction: to-tripletex, when: create}\n",
]


def test_the_digest_changes_with_everything_the_table_means(tmp_path):
    digests = [digest(tmp_path, text) for text in (BASE, *OTHERS)]
    assert len(set(digests)) == len(digests)


def test_it_is_the_same_wherever_in_a_group_its_policy_stands(tmp_path):
    group = BASE.replace("type: string}", "group: name}").replace("lastName}", "lastName, group: name}")
    first, second = (group.replace(one, f"{one}, conflict: manual") for one in ("firstName", "lastName"))
    first, second = (one.replace("[[firstName, conflict: manual", "[[firstName") for one in (first, second))
    first, second = (one.replace("lastName, conflict: manual]]", "lastName]]") for one in (first, second))
    assert first != second
    assert digest(tmp_path, first) == digest(tmp_path, second) != digest(tmp_path, group)


def test_filters_that_mean_something_else_have_other_digests(tmp_path):
    filters = [
        "Price: 1",
        "Price: [1, 2]",
        "Price: {not: 1}",
        "Price: {empty: true}",
        "Price: {empty: false}",
        "Name: '1'",
    ]
    digests = [digest(tmp_path, BASE + f"filter: {{to-tripletex: {{{one}}}}}\n") for one in filters]
    assert len(set(digests)) == len(filters)
    assert digest(tmp_path, BASE + "filter: {to-tripletex: {Price: [2, 1]}}\n") == digests[1]


def test_a_table_may_be_written_out_in_the_settings(tmp_path):
    table = {
        "flow": "product",
        "customcrm": "product",
        "tripletex": "contact",
        "match_on": [["firstName", "lastName"]],
        "properties": [
            {"customcrm": "Name", "tripletex": "firstName"},
            {"customcrm": "Number", "tripletex": "lastName"},
        ],
    }
    dataflow = Dataflow.load([msgspec.json.decode(msgspec.json.encode(table))], tmp_path)
    assert dataflow.digest(dataflow.flow("product")) == digest(tmp_path, BASE)


def test_an_anchor_of_yaml_may_be_shared_by_rows(tmp_path):
    text = BASE.replace(
        "properties:\n", "properties:\n  - &once {tripletex: email, customcrm: Description, direction: to-tripletex}\n"
    )
    assert digest(tmp_path, text + "  - {<<: *once, tripletex: phoneNumberWork}\n")


def test_the_schemas_alone_do_not_bring_in_an_http_library():
    import subprocess
    import sys

    script = "import dataflow.tables, sys; print('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout.strip() == b"False"
