"""Named conversions, in pairs: there and back.

A conversion gives ``null`` for no value (``null``, an empty text or one of blanks alone), in both directions: one
system stores an emptied field as ``""``, the other as ``null``, and a property without a value must never look like
one with a value. A value of a type it does not expect passes as it is, so that the target can set the record aside as
invalid with its reason; one odd record must not end a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from value_spelling.name import divided, joined
from value_spelling.organisation_number import NORWEGIAN, number_of
from value_spelling.text import composed, without_blanks

from dataflow import phone
from dataflow.side import CUSTOMCRM, Direction, Side

Convert = Callable[..., Any]


class Conversion(msgspec.Struct, frozen=True):
    """How a property's value is written on the other side."""

    name: str
    meaning: str
    """For people: what happens towards Tripletex, and back."""
    customcrm: str
    """JSON type of the Customcrm property."""
    tripletex: tuple[str, ...]
    """JSON types of the Tripletex properties, one each."""
    to_tripletex: Convert
    """One value; gives a tuple where there are several Tripletex properties."""
    to_customcrm: Convert
    """As many values as there are Tripletex properties."""
    compare_customcrm: str
    """When two values in Customcrm say the same (docs/architecture.md, ``x-compare``)."""
    compare_tripletex: tuple[str, ...]
    takes_country: bool = False
    """Whether it takes the record's country besides, which tells what the value means."""
    returns: bool = True
    """Whether what goes there comes back; otherwise the conversion is for one direction only."""
    revision: int = 1
    """Raised when the result for some value changes, so that everything is compared anew."""

    def convert(self, direction: Direction) -> Convert:
        """The half for a direction."""
        return self.to_customcrm if direction.target is CUSTOMCRM else self.to_tripletex

    def types(self, side: Side) -> tuple[str, ...]:
        """JSON types of the properties on a side."""
        return (self.customcrm,) if side is CUSTOMCRM else self.tripletex

    def compare(self, side: Side) -> tuple[str, ...]:
        """How each property on a side is compared."""
        return (self.compare_customcrm,) if side is CUSTOMCRM else self.compare_tripletex


def as_is(value: Any) -> Any:
    """Untouched, save that characters are composed, and that a text without anything in it is no value."""
    if type(value) is not str:
        return value
    return composed(value) if value and not value.isspace() else None


def trimmed(value: Any) -> Any:
    """Without blanks around it."""
    return (composed(value).strip() or None) if type(value) is str else value


def without_spaces(value: Any) -> Any:
    """Without blanks anywhere, those too that do not break or have no width."""
    return (without_blanks(value) or None) if type(value) is str else value


def organisation_number(value: Any) -> Any:
    """The digits of a Norwegian number, and of any other that stands beside words; others without blanks."""
    if type(value) is not str:
        return value
    number = number_of(value)
    if number.isdecimal() and (len(number) == NORWEGIAN or any(map(str.isalpha, value))):
        return number
    return without_spaces(value)


def country_code(value: Any) -> Any:
    """ISO 3166 alpha-2 codes are capitals."""
    return (composed(value).strip().upper() or None) if type(value) is str else value


def inverted(value: Any) -> Any:
    """What is "active" on one side is "inactive" on the other."""
    return (not value) if type(value) is bool else value


def id_as_text(value: Any) -> Any:
    """An id, which the target looks up as text whatever the API's type is."""
    return str(value) if type(value) is int else as_is(value)


def emails(value: Any) -> Any:
    """E-mail addresses in one text, separated as Tripletex wants them."""
    if type(value) is not str:
        return value
    return ";".join(filter(None, map(without_blanks, _BETWEEN_EMAILS.split(value)))) or None


def name_to_tripletex(value: Any) -> tuple[Any, Any]:
    """First names and last name, divided at the last word."""
    if type(value) is not str:
        return value, None
    first, last = divided(value)
    return first or None, last or None


def name_to_customcrm(first: Any, last: Any) -> Any:
    """Both in one text."""
    odd = next((part for part in (first, last) if part is not None and type(part) is not str), None)
    return odd if odd is not None else joined(part for part in (first, last) if part) or None


def cut(convert: Convert, most: int) -> Convert:
    """The conversion, with texts no longer than so many characters."""

    def converted(*values: Any) -> Any:
        result = convert(*values)
        return (result[:most].rstrip() or None) if type(result) is str and len(result) > most else result

    return converted


_BETWEEN_EMAILS = re.compile(r"[;,]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9].*)?", re.DOTALL)


def text_to_integer(value: Any) -> Any:
    """The integer a text spells."""
    if type(value) is not str:
        return value
    text = "".join(value.split())
    return int(text) if _INTEGER.fullmatch(text) else as_is(value)


def text_to_number(value: Any) -> Any:
    """The number a text spells, with a decimal point."""
    if type(value) is not str:
        return value
    text = "".join(value.split())
    return Decimal(text) if _NUMBER.fullmatch(text) else as_is(value)


def number_to_text(value: Any) -> Any:
    """A number as people write it, without an exponent."""
    if type(value) is int:
        return str(value)
    return f"{value:f}" if isinstance(value, Decimal) else as_is(value)


def day(value: Any) -> Any:
    """The date of a date-time, as it is written there."""
    if type(value) is not str:
        return value
    found = _DATE.fullmatch(value.strip())
    return found.group(1) if found else as_is(value)


def _alike(
    name: str, meaning: str, json_type: str, there: Convert, back: Convert, compare: str, revision: int = 1
) -> Conversion:
    return Conversion(name, meaning, json_type, (json_type,), there, back, compare, (compare,), revision=revision)


LINK = Conversion("link", "id of the linked record", "string", ("string",), id_as_text, id_as_text, "exact", ("exact",))
"""What a row with ``link`` does; not to be chosen by name."""

CONVERSIONS = {
    one.name: one
    for one in (
        _alike("text", "as it is", "string", as_is, as_is, "text", 2),
        _alike("email", "without blanks", "string", without_spaces, without_spaces, "email", 2),
        _alike(
            "emails",
            "several addresses, separated by semicolons in Tripletex; back as it is",
            "string",
            emails,
            as_is,
            "email",
        ),
        _alike("url", "without blanks around it", "string", trimmed, trimmed, "url", 2),
        _alike("digits", "spaces removed; back as it is", "string", without_spaces, as_is, "digits", 2),
        _alike(
            "organisation-number",
            "NO 923 609 016 MVA as 923609016, foreign ones without spaces; back as it is",
            "string",
            organisation_number,
            as_is,
            "organisation_number",
        ),
        _alike("country", "ISO 3166 alpha-2, in capitals", "string", country_code, country_code, "country"),
        _alike("name", "as it is; whole in one field it is the same name as divided", "string", as_is, as_is, "name"),
        Conversion(
            "full-name",
            "divided before its last word, a single word being the first name; back both in one text",
            "string",
            ("string", "string"),
            name_to_tripletex,
            name_to_customcrm,
            "full_name",
            ("full_name", "full_name"),
        ),
        Conversion(
            "phone",
            "Norwegian numbers as bare digits, others as +46812345678; back as +47 22 33 44 55; other text stays",
            "string",
            ("string",),
            phone.to_tripletex,
            phone.to_customcrm,
            "phone",
            ("phone",),
            takes_country=True,
            revision=2,
        ),
        Conversion(
            "mobile",
            "the number without prefix, and its country; back as +47 91 23 45 67; other text stays",
            "string",
            ("string", "string"),
            phone.mobile_to_tripletex,
            phone.mobile_to_customcrm,
            "phone",
            ("phone", "country"),
        ),
        _alike("boolean", "as it is", "boolean", as_is, as_is, "exact"),
        _alike("inverted", "true becomes false, and back", "boolean", inverted, inverted, "exact"),
        _alike("integer", "as it is", "integer", as_is, as_is, "exact"),
        _alike("number", "as it is", "number", as_is, as_is, "exact"),
        Conversion(
            "integer-in-text",
            "the integer that the text spells; back as text",
            "string",
            ("integer",),
            text_to_integer,
            number_to_text,
            "digits",
            ("exact",),
        ),
        Conversion(
            "number-in-text",
            "the number that the text spells, with a decimal point; back as text",
            "string",
            ("number",),
            text_to_number,
            number_to_text,
            "digits",
            ("exact",),
        ),
        Conversion(
            "date",
            "the date of a date-time; its time of day is lost",
            "string",
            ("string",),
            day,
            day,
            "text",
            ("text",),
            returns=False,
        ),
    )
}

BY_TYPE = {"string": "text", "boolean": "boolean", "integer": "integer", "number": "number"}
"""The conversion of a row that names none, where both sides have this type."""
