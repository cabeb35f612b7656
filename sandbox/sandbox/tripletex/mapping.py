"""Does a body fit the API description? What does not is 422, code 16000, with the field named."""

from collections.abc import Callable
from typing import Any

from sandbox.tripletex.refusal import Message, TripletexRefusal
from sandbox.tripletex.types import ObjectType, Property, object_types

UNKNOWN = "Feltet eksisterer ikke i objektet."
READ_ONLY = "Feltet kan ikke endres."
NOT_AN_OBJECT = "Verdien må være et objekt."
WRONG_TYPE = "Verdien er ikke av korrekt type for dette feltet."

Tolerate = Callable[[str], None]
"""Told the name of a read-only property that is passed over."""


def _faults(owner: ObjectType, body: Any, tolerate: Tolerate | None) -> list[Message]:
    """Everything in a body that the type does not allow to be written."""
    if not isinstance(body, dict):
        return [Message("", NOT_AN_OBJECT, "")]
    found = []
    for name, value in body.items():
        prop = owner.properties.get(name)
        if prop is None:
            found.append(Message(name, UNKNOWN, name))
        elif prop.read_only:
            if tolerate is None:
                found.append(Message(name, READ_ONLY, name))
            else:
                tolerate(name)
        else:
            found += [each.under(name) for each in _value_faults(prop, value, tolerate)]
    return found


def _value_faults(prop: Property, value: Any, tolerate: Tolerate | None) -> list[Message]:
    if not prop.is_reference:
        return [] if prop.fits(value) else [Message(prop.name, WRONG_TYPE, "")]
    if value is None:
        return []
    if prop.many:
        return [] if isinstance(value, list) else [Message(prop.name, WRONG_TYPE, "")]
    if not isinstance(value, dict):
        return [Message(prop.name, NOT_AN_OBJECT, "")]
    inner = object_types().get(prop.kind)
    return [] if inner is None else _faults(inner, value, tolerate)


def _written(owner: ObjectType, body: dict[str, Any]) -> dict[str, Any]:
    """A body without what is read-only."""
    kept = {name: value for name, value in body.items() if not owner.properties[name].read_only}
    for name, value in kept.items():
        inner = object_types().get(owner.properties[name].kind)
        if inner is not None and isinstance(value, dict):
            kept[name] = _written(inner, value)
    return kept


def check(owner: ObjectType, body: Any, tolerate: Tolerate | None = None) -> dict[str, Any]:
    """The body of a write of one object. Raises TripletexRefusal 422, code 16000.

    Where read-only properties are tolerated, as in changes, they are passed over.
    """
    found = _faults(owner, body, tolerate)
    if found:
        raise TripletexRefusal(16000, "See validationMessages", tuple(found))
    return _written(owner, body)


def check_list(owner: ObjectType, body: Any, tolerate: Tolerate | None = None) -> list[dict[str, Any]]:
    """The body of a list write. Raises TripletexRefusal 422, code 16000, naming all culprits."""
    if not isinstance(body, list):
        raise TripletexRefusal(16000, "The body must be a list")
    found = [each.of_element(index) for index, item in enumerate(body) for each in _faults(owner, item, tolerate)]
    if found:
        raise TripletexRefusal(16000, "See validationMessages", tuple(found))
    return [_written(owner, item) for item in body]
