"""Does a body fit the API description? What does not is 422, code 16000, with the field named."""

from typing import Any

from sandbox.tripletex.refusal import Message, TripletexRefusal
from sandbox.tripletex.types import ObjectType, Property, object_types

UNKNOWN = "Feltet eksisterer ikke i objektet."
READ_ONLY = "Feltet kan ikke endres."
NOT_AN_OBJECT = "Verdien må være et objekt."
WRONG_TYPE = "Verdien er ikke av korrekt type for dette feltet."


def faults(owner: ObjectType, body: Any) -> list[Message]:
    """Everything in a body that the type does not allow to be written."""
    if not isinstance(body, dict):
        return [Message("", NOT_AN_OBJECT, "")]
    found = []
    for name, value in body.items():
        prop = owner.properties.get(name)
        if prop is None:
            found.append(Message(name, UNKNOWN, name))
        elif prop.read_only:
            found.append(Message(name, READ_ONLY, name))
        else:
            found += [each.under(name) for each in _value_faults(prop, value)]
    return found


def _value_faults(prop: Property, value: Any) -> list[Message]:
    if not prop.is_reference:
        return [] if prop.fits(value) else [Message(prop.name, WRONG_TYPE, "")]
    if value is None:
        return []
    if prop.many:
        return [] if isinstance(value, list) else [Message(prop.name, WRONG_TYPE, "")]
    if not isinstance(value, dict):
        return [Message(prop.name, NOT_AN_OBJECT, "")]
    inner = object_types().get(prop.kind)
    return [] if inner is None else faults(inner, value)


def check(owner: ObjectType, body: Any) -> dict[str, Any]:
    """The body of a write of one object. Raises TripletexRefusal 422, code 16000."""
    found = faults(owner, body)
    if found:
        raise TripletexRefusal(16000, "See validationMessages", tuple(found))
    checked: dict[str, Any] = body
    return checked


def check_list(owner: ObjectType, body: Any) -> list[dict[str, Any]]:
    """The body of a list write. Raises TripletexRefusal 422, code 16000, naming all culprits."""
    if not isinstance(body, list):
        raise TripletexRefusal(16000, "The body must be a list")
    found = [each.under(f"[{index}]") for index, item in enumerate(body) for each in faults(owner, item)]
    if found:
        raise TripletexRefusal(16000, "See validationMessages", tuple(found))
    return body
