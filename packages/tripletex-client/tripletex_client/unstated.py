"""What Tripletex says of a record although nobody stated it (reference: Tripletex API, As it really is).

A new customer has two addresses in Norway, and a contact's mobile number is Norwegian, although there is neither a
street nor a number. Passed on, that would be a country that nobody ever gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NORWAY = "NO"

_ADDRESSES = ("postalAddress", "physicalAddress", "deliveryAddress")
_PARTS = ("addressLine1", "addressLine2", "postalCode", "city")
_ABSENT = object()


def unstated(record: Any) -> Iterator[str]:
    """The countries of a record's addresses, and of its mobile number, where nothing else is said of them.

    `record` is a dictionary or a typed record of a list. Of what it does not hold whole nothing is known.
    """
    for name in _ADDRESSES:
        if _is_alone(_get(record, name), "country", _PARTS):
            yield f"{name}.country"
    if _is_alone(record, "phoneNumberMobileCountry", ("phoneNumberMobile",)):
        yield "phoneNumberMobileCountry"


def forget_unstated(record: Any) -> None:
    """Take these countries out of the record itself."""
    for path in list(unstated(record)):
        *parents, country = path.split(".")
        holder = _get(record, parents[0]) if parents else record
        if isinstance(holder, dict):
            holder[country] = None
        else:
            setattr(holder, country, None)


def _is_alone(holder: Any, country: str, texts: tuple[str, ...]) -> bool:
    if _get(_get(holder, country), "isoAlpha2Code") != NORWAY:
        return False
    said = [_get(holder, name) for name in texts]
    return all(text is None or (isinstance(text, str) and not text.strip()) for text in said)


def _get(holder: Any, name: str) -> Any:
    return holder.get(name, _ABSENT) if isinstance(holder, dict) else getattr(holder, name, _ABSENT)
