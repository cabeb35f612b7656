"""One company, one product, in two spellings: one on both sides, with both systems as they look records up."""

import unicodedata

import pytest
from sandbox.lines import TO_CUSTOMCRM, Lines

NUMBERS = {
    "923609016": "NO 923 609 016 MVA",
    "910000004": "910\u00a0000\u00a0004",
    "2121211212": "212121-1212",
    "910000012": "910.000.012",
    "910000020": "Org.nr. 910 000 020",
    "910000039": "910000039MVA",
}
"""In Tripletex, and in the CRM."""
FEW = 3
"""So many are looked for by a query each; more by going through the list."""


@pytest.mark.parametrize("count", [FEW, len(NUMBERS)], ids=["by query", "by listing"])
@pytest.mark.parametrize("first", ["to Tripletex", "to the CRM"])
def test_a_company_is_found_however_its_number_is_written(lines: Lines, systems, count, first):
    for in_tripletex, in_crm in list(NUMBERS.items())[:count]:
        systems.customcrm.create("customer", Name="Alfa AS", OrganizationNumber=in_crm)
        # Of Norway's numbers Tripletex takes those of nine digits alone.
        country = systems.tripletex.country_id("NO" if len(in_tripletex) == 9 else "SE")
        where = {"physicalAddress": {"country": {"id": country}}}
        systems.tripletex.create("customer", name="Alfa AS", organizationNumber=in_tripletex, **where)
    if first == "to the CRM":
        lines.run(TO_CUSTOMCRM)
    lines.cycle()
    assert len(systems.customcrm.all("customer")) == len(systems.tripletex.all("customer")) == count


def test_what_is_typed_otherwise_is_written_as_its_digits_and_its_composed_characters(lines: Lines, systems):
    decomposed = unicodedata.normalize("NFD", "Gåstol")
    systems.customcrm.create("customer", Name="Alfa AS", OrganizationNumber="Org.nr. NO 923.609.016 MVA")
    systems.customcrm.create("product", Name=decomposed, Number="17")
    systems.customcrm.create("product", Name=decomposed, Number="18")
    systems.tripletex.create("contact", firstName="Gåstol", lastName="18")
    lines.cycle()
    (made,) = systems.tripletex.all("customer")
    assert made["organizationNumber"] == "923609016"
    products = sorted((one["lastName"], one["firstName"]) for one in systems.tripletex.all("contact"))
    assert products == [("17", "Gåstol"), ("18", "Gåstol")]
