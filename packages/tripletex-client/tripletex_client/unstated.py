"""What Tripletex says of a record although nobody stated it (reference: Tripletex API, As it really is).

A new customer has two addresses in Norway, and a contact's mobile number is Norwegian, although there is neither a
street nor a number. Passed on, that would be a country that nobody ever gave.
"""

from __future__ import annotations

from typing import Any

NORWAY = "NO"

_ADDRESSES = ("postalAddress", "physicalAddress", "deliveryAddress")
_PARTS = ("addressLine1", "addressLine2", "postalCode", "city")
_ABSENT = object()


def forget_unstated(record: Any) -> None:
    """Take the country out of a record's addresses, and of its mobile number, where nothing else is said of them.

    `record` is a dictionary or a typed record of a list, and is changed. What it does not hold whole is left as it is.
    """
    for name in _ADDRESSES:
        address = _get(record, name)
        if _is_norway(_get(address, "country")):
            _forget(address, "country", _PARTS)
    if _is_norway(_get(record, "phoneNumberMobileCountry")):
        _forget(record, "phoneNumberMobileCountry", ("phoneNumberMobile",))


def _forget(holder: Any, country: str, texts: tuple[str, ...]) -> None:
    for name in texts:
        text = _get(holder, name)
        if not (text is None or (isinstance(text, str) and not text.strip())):
            return
    if isinstance(holder, dict):
        holder[country] = None
    else:
        setattr(holder, country, None)


def _is_norway(country: Any) -> bool:
    return bool(_get(country, "isoAlpha2Code") == NORWAY)


def _get(holder: Any, name: str) -> Any:
    return holder.get(name, _ABSENT) if isinstance(holder, dict) else getattr(holder, name, _ABSENT)
