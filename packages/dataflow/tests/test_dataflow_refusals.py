"""A table that is wrong is refused before anything runs: one line with file, line, what is wrong and what to do."""

import re

import pytest
from dataflow.errors import TableError
from dataflow.tables import Dataflow

CUSTOMER = """\
flow: customer
customcrm: customer
tripletex: customer
match_on: [[organizationNumber]]
properties:
  - {customcrm: Name, tripletex: name, type: string}
  - {customcrm: OrganizationNumber, tripletex: organizationNumber, convert: digits}
  - {customcrm: Phone, tripletex: phoneNumber, convert: phone}
"""
CONTACT = """\
flow: contact
customcrm: contact
tripletex: contact
match_on: [[email]]
properties:
  - {customcrm: Email, tripletex: email, convert: email}
  - {customcrm: CustomerId, tripletex: customer.id, link: customer}
"""


def refusal(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as caught:
        Dataflow.load([f"{name}.yml" for name in files], tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def row(text):
    return f"{CUSTOMER}  - {text}\n"


def grouped(text, **first):
    said = "".join(f", {key}: {value}" for key, value in first.items())
    address = [
        f"{{customcrm: StreetAddress1, tripletex: postalAddress.addressLine1, group: address{said}}}",
        "{customcrm: City, tripletex: postalAddress.city, group: address}",
        text,
    ]
    return CUSTOMER + "".join(f"  - {one}\n" for one in address)


def test_the_tables_that_the_refusals_start_from_are_right(tmp_path):
    (tmp_path / "customer.yml").write_text(CUSTOMER)
    (tmp_path / "contact.yml").write_text(CONTACT)
    assert len(Dataflow.load(["customer.yml", "contact.yml"], tmp_path).flows) == 2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        # keys and values
        (CUSTOMER.replace("match_on", "match-on"), 4, "unknown key match-on of a table. Did you mean match_on?"),
        (CUSTOMER.replace("flow: customer\n", ""), 1, "the key flow of a table is missing. Add `flow: …`."),
        (row("{customcrm: Email, tripletx: email}"), 9, "unknown key tripletx of a property. Did you mean tripletex?"),
        (row("{customcrm: Email, tripletex: email, cut: 9}"), 9, "cut is true or false, not 9."),
        (
            row("{customcrm: Email, tripletex: email, cut: true, direction: to-customcrm}"),
            9,
            "only what goes to Tripletex is cut.",
        ),
        (
            row("{customcrm: Description, tripletex: description, cut: true}"),
            9,
            "there is no length that description could be cut to.",
        ),
        (row("{customcrm: Email}"), 9, "the key tripletex of a property is missing."),
        (row("Email"), 9, "expected `key: value` entries of a property, found 'Email'."),
        (row("{customcrm: [Email], tripletex: email}"), 9, "a row has one Customcrm property."),
        (row("{customcrm: Email, tripletex: []}"), 9, "names no Tripletex property"),
        (row("{customcrm: 1, tripletex: email}"), 9, "expected a name, found 1."),
        (row("{1: Email}"), 9, "the key 1 is not text."),
        (CUSTOMER + "conflict: newest\n", 9, "conflict cannot be 'newest'. Choose one of latest, customcrm"),
        (CUSTOMER + "create: always\n", 9, "create cannot be 'always'. Choose one of both, to-tripletex"),
        (CUSTOMER + "timeless: nobody\n", 9, "timeless cannot be 'nobody'."),
        (CUSTOMER + "deletes: {to-customcrm: deactivate}\n", 9, "Choose one of delete, ignore."),
        (CUSTOMER + "deletes: {to-tripletx: delete}\n", 9, "Did you mean to-tripletex?"),
        (CUSTOMER + "deletes:\n  to-tripletex: no\n", 10, "deletes to-tripletex cannot be 'no'."),
        (CUSTOMER.replace("[[organizationNumber]]", "organizationNumber"), 4, "expected a list"),
        (CUSTOMER.replace("[[organizationNumber]]", "[[]]"), 4, "an empty criterion matches everything"),
        (CUSTOMER[: CUSTOMER.index("  - ")] + "  []\n", 6, "the table has no properties."),
        (CUSTOMER + "name: x\n", 9, "unknown key name of a table."),
        # YAML itself
        (CUSTOMER + "flow: other\n", 9, "flow is said twice in one mapping."),
        (row("{customcrm: Email, customcrm: Name, tripletex: email}"), 9, "customcrm is said twice"),
        (row("{customcrm: Email, tripletex: email"), 10, "not YAML: "),
        ("flow: [\n", 2, "not YAML: "),
        ("- a\n", 1, "expected `key: value` entries of a table, found a list."),
        ("", None, "expected `key: value` entries of a table, found nothing."),
        # properties
        (
            row("{customcrm: Emial, tripletex: email}"),
            9,
            "Customcrm customer has no property Emial. Did you mean Email?",
        ),
        (
            row("{customcrm: Email, tripletex: emial}"),
            9,
            "Tripletex customer has no property emial. Did you mean email?",
        ),
        (row("{customcrm: Email, tripletex: Email}"), 9, "Did you mean email?"),
        (
            row("{customcrm: City, tripletex: postalAddress.citi}"),
            9,
            "no property postalAddress.citi. Did you mean postalAddress.city?",
        ),
        (row("{customcrm: City, tripletex: postalAddress}"), 9, "Tripletex postalAddress is an object."),
        (
            row("customcrm: Email\n    tripletex: email\n    type: integer"),
            11,
            "Tripletex email is string, not integer. Write type: string.",
        ),
        (
            row("{customcrm: Description, tripletex: customerNumber}"),
            9,
            (
                "Customcrm Description is string, Tripletex customerNumber is integer. "
                "Name a conversion with convert:. Those that fit: integer-in-text."
            ),
        ),
        # conversions
        (
            row("{customcrm: Email, tripletex: email, convert: e-mail}"),
            9,
            "unknown conversion e-mail. Did you mean email?",
        ),
        (
            row("{customcrm: Email, tripletex: email, convert: mobile}"),
            9,
            "the conversion mobile needs 2 properties (string and string) in Tripletex, but email is string.",
        ),
        (
            row("{customcrm: Email, tripletex: email, convert: integer-in-text}"),
            9,
            "the conversion integer-in-text needs one integer property in Tripletex",
        ),
        (row("{customcrm: Email, tripletex: email, convert: date}"), 9, "the conversion date cannot be undone"),
        # who writes what
        (
            row("{customcrm: Email, tripletex: name}"),
            9,
            (
                "Tripletex name is written already by the row in customer.yml:6. "
                "Remove one of the two, or give one direction: to-customcrm."
            ),
        ),
        (
            row("{customcrm: Name, tripletex: invoiceEmail}"),
            9,
            (
                "Customcrm Name is written already by the row in customer.yml:6. "
                "Remove one of the two, or give one direction: to-tripletex."
            ),
        ),
        (
            row("{customcrm: Email, tripletex: displayName}"),
            9,
            "Tripletex displayName cannot be written, it is the system's own. Add direction: to-customcrm",
        ),
        (row("{customcrm: Email, tripletex: url, direction: to-tripletex}"), 9, "Tripletex url cannot be written"),
        (
            row("{customcrm: Description, tripletex: id, convert: integer-in-text}"),
            9,
            "Tripletex id cannot be written",
        ),
        (
            row("{customcrm: Description, tripletex: postalAddress.id, convert: integer-in-text}"),
            9,
            "Tripletex postalAddress.id cannot be written",
        ),
        (row("{customcrm: Id, tripletex: description}"), 9, "Customcrm Id cannot be written"),
        (
            row("{customcrm: Email, tripletex: email, when: create}"),
            9,
            "a property that is written only on creation goes one way.",
        ),
        # groups, and countries of numbers
        (row("{customcrm: Email, tripletex: email, group: mail}"), 9, "the group mail has this property alone."),
        (row("{customcrm: Email, tripletex: email, group: [a]}"), 9, "expected a name"),
        (
            grouped("{customcrm: ZipCode, tripletex: postalAddress.postalCode, group: adress}"),
            11,
            "Give group: adress to those that belong to it too, or remove it. Did you mean address?",
        ),
        (
            grouped(
                "{customcrm: ZipCode, tripletex: postalAddress.postalCode, group: address, direction: to-tripletex}"
            ),
            11,
            "ZipCode goes only to-tripletex, but StreetAddress1 of the same group address goes both ways",
        ),
        (
            grouped(
                "{customcrm: ZipCode, tripletex: physicalAddress.postalCode, group: address, direction: to-tripletex, "
                "when: create}"
            ),
            11,
            "what is written only on creation is never decided, and in no group.",
        ),
        (
            grouped("{customcrm: ZipCode, tripletex: department.id, link: customer, group: address}"),
            11,
            "an id is translated by its link alone, and in no group.",
        ),
        (
            grouped(
                "{customcrm: ZipCode, tripletex: postalAddress.postalCode, group: address, conflict: manual}",
                conflict="tripletex",
            ),
            11,
            (
                "ZipCode (postalAddress.postalCode) has the conflict policy manual, and StreetAddress1 "
                "(postalAddress.addressLine1) in customer.yml:9 tripletex, but both are of the group address and "
                "decided together. Give them one policy."
            ),
        ),
        (
            row("{customcrm: Name, tripletex: description, direction: to-tripletex, conflict: manual}").replace(
                "type: string}", "conflict: latest}"
            ),
            9,
            "both are made of the same property and decided together.",
        ),
        (
            row(
                "{customcrm: Description, tripletex: phoneNumberMobile, convert: phone, country: postalAddress.country}"
            ),
            9,
            "country names postalAddress.country, which no row of this table holds by itself.",
        ),
        (
            row("{customcrm: Email, tripletex: email, country: name}"),
            9,
            "the conversion text reads no country. Remove country:, or name convert: phone.",
        ),
        (
            row("{customcrm: Description, tripletex: phoneNumberMobile, convert: phone, country: language}")
            + "  - {customcrm: Country, tripletex: language, direction: to-tripletex}\n",
            9,
            "country names language, which is not carried to-customcrm as the number is.",
        ),
        # what refers to something
        (CUSTOMER.replace("[organizationNumber]", "[organisationNumber]"), 4, "Did you mean organizationNumber?"),
        (
            CUSTOMER.replace("[organizationNumber]", "[email]"),
            4,
            "match_on names email, which is no Tripletex property",
        ),
        (
            CUSTOMER.replace("convert: digits", "convert: digits, direction: to-tripletex"),
            4,
            "match_on names organizationNumber, which is not carried to-customcrm.",
        ),
        (row("{customcrm: City, tripletex: department.id, link: departement}"), 9, "there is no flow departement"),
        (row("{customcrm: City, tripletex: department.id, link: custmer}"), 9, "Did you mean customer?"),
        (row("{customcrm: City, tripletex: description, link: customer}"), 9, "a link goes to the id of a record"),
        (
            row("{customcrm: City, tripletex: department.id, link: customer, convert: text}"),
            9,
            "an id is translated by its link alone.",
        ),
        (CUSTOMER.replace("customcrm: customer", "customcrm: custmer"), 2, "Customcrm has no stream custmer. Did you"),
        (
            CUSTOMER.replace("tripletex: customer", "tripletex: supplier"),
            3,
            "Tripletex has no stream supplier. There are",
        ),
        (CUSTOMER + "after: contact\n", 9, "after names contact, which is no other flow."),
        (CUSTOMER + "after: [customer]\n", 9, "after names customer, which is no other flow."),
        # filters
        (CUSTOMER + "filter:\n  to-tripletex: {Typ: A}\n", 10, "Customcrm customer has no property Typ."),
        (CUSTOMER + "filter:\n  to-customcrm:\n    isInactive: no\n", 11, "Write true or false."),
        (CUSTOMER + "filter: {to-tripletex: {Name: [A, 1]}}\n", 9, "Write it in quotes."),
        (CUSTOMER + "filter: {to-tripletex: {Name: []}}\n", 9, "the list of values is empty"),
        (CUSTOMER + "filter: {to-tripletex: {Name: null}}\n", 9, "found nothing"),
        (CUSTOMER + "filter: {to-tripletex: {Name: {not: A, empty: true}}}\n", 9, "a condition is a value"),
        (CUSTOMER + "filter: {to-tripletex: {Name: {nt: A}}}\n", 9, "Did you mean not?"),
        (CUSTOMER + "filter: {to-tripletex: {Name: {empty: 1}}}\n", 9, "empty is true or false, not 1."),
        (CUSTOMER + "filter: {to-customcrm: {customerNumber: true}}\n", 9, "Write an integer."),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path, text, line, said):
    message = refusal(tmp_path, customer=text)
    assert message.startswith(f"customer.yml:{line}: " if line else "customer.yml")
    assert said in message


def test_a_missing_file_is_named_with_the_folder_it_was_looked_for_in(tmp_path):
    with pytest.raises(TableError, match=re.escape(f"nowhere.yml: there is no such file in {tmp_path}.")):
        Dataflow.load(["nowhere.yml"], tmp_path)


def test_a_folder_and_a_file_in_another_encoding_are_refused(tmp_path):
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(TableError, match=r"^folder.yml: cannot be read: "):
        Dataflow.load(["folder.yml"], tmp_path)
    (tmp_path / "old.yml").write_bytes(CUSTOMER.replace("Name", "Nåme").encode("latin-1"))
    with pytest.raises(TableError, match=r"^old.yml: not UTF-8 text"):
        Dataflow.load(["old.yml"], tmp_path)


def test_two_flows_of_one_name_are_refused(tmp_path):
    message = refusal(tmp_path, customer=CUSTOMER, again=CUSTOMER)
    assert message == "again.yml:1: the flow customer is defined already in customer.yml:1. Rename one of them."


def test_two_flows_that_read_one_stream_must_say_which_comes_first(tmp_path):
    product = CONTACT.replace("flow: contact", "flow: product").replace("customcrm: contact", "customcrm: product")
    product = product.replace("[[email]]", "[[firstName]]")
    product = product[: product.index("  - ")] + "  - {customcrm: Name, tripletex: firstName}\n"
    message = refusal(tmp_path, customer=CUSTOMER, contact=CONTACT, product=product)
    assert message.startswith("product.yml:1: the flows contact and product both read Tripletex's contact.")
    assert "add after: [contact] here, or after: [product] in contact.yml" in message
    waiting = refusal(
        tmp_path, customer=CUSTOMER, contact=CONTACT + "after: product\n", product=product + "after: contact\n"
    )
    assert waiting.startswith("contact.yml:8: the flows contact, product wait for each other.")


def test_an_order_between_flows_without_a_common_stream_is_refused(tmp_path):
    message = refusal(tmp_path, customer=CUSTOMER, contact=CONTACT + "after: customer\n")
    assert message.startswith("contact.yml:8: after names customer, which reads no stream that contact reads too")


def test_a_table_written_out_in_the_settings_is_checked_the_same_way(tmp_path):
    table = {
        "flow": "product",
        "customcrm": "product",
        "tripletex": "contact",
        "match_on": [["firstName"]],
        "properties": [{"customcrm": "Name", "tripletex": "fistName"}],
    }
    with pytest.raises(
        TableError, match=r"^tables\[0\]: Tripletex contact has no property fistName. Did you mean firstName\?$"
    ):
        Dataflow.load([table], tmp_path)
