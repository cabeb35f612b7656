"""Tripletex's error envelope (reference: Tripletex API, Errors, limits)."""

from typing import Any

import msgspec

from sandbox.refusal import Refusal

MESSAGES = {
    1000: "Det har oppstått en feil.",
    3000: "Unauthorized",
    4000: "Bad Request",
    6000: "Object not found",
    8000: "Objektet er endret av noen andre.",
    9000: "Du har ikke tilgang.",
    11000: "Illegal field in fields filter",
    12000: "Ugyldig verdi i adressen.",
    15000: "Validering feilet.",
    16000: "Request mapping failed",
    17000: "Illegal sorting",
    18000: "Validering feilet.",
    21000: "Ugyldig parameter.",
    22000: "Invalid JSON",
    23000: "Result set too large",
    429: "Too Many Requests",
}
STATUSES = {1000: 500, 3000: 401, 4000: 400, 6000: 404, 8000: 409, 9000: 403, 11000: 400, 12000: 400, 429: 429}


class Message(msgspec.Struct, frozen=True):
    """One of the `validationMessages`: which field, what is wrong with it, and where in the body it is."""

    field: str
    message: str
    path: str
    root_id: int | None = None

    def under(self, prefix: str) -> "Message":
        """The same, seen from the body's root."""
        path = f"{prefix}{'' if not self.path or self.path.startswith('[') else '.'}{self.path}"
        return msgspec.structs.replace(self, path=path)

    def of_element(self, index: int) -> "Message":
        """The same in a list write: the field is named with its element, as `[0].email`."""
        under = self.under(f"[{index}]")
        return msgspec.structs.replace(under, field=f"[{index}].{self.field}" if self.field else f"[{index}]")

    def as_json(self) -> dict[str, Any]:
        """Its place in the envelope."""
        return {"field": self.field, "message": self.message, "path": self.path, "rootId": self.root_id}


class TripletexRefusal(Refusal):
    """Tripletex does not carry out a request."""

    def __init__(self, code: int, developer_message: str | None = None, messages: tuple[Message, ...] = ()) -> None:
        self.code = code
        self.status = STATUSES.get(code, 422)
        self.messages = messages
        self.developer_message = developer_message
        details = "".join(f"; {each.path or each.field}: {each.message}" for each in messages)
        super().__init__(f"{self.status} ({code}) {MESSAGES[code]} {developer_message or ''}".rstrip() + details)

    def envelope(self, request_id: str) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "status": self.status,
            "code": self.code,
            "message": MESSAGES[self.code],
            "link": "https://tripletex.no/v2-docs/",
            "developerMessage": self.developer_message,
            "validationMessages": [each.as_json() for each in self.messages] or None,
            "requestId": request_id,
        }


def invalid(field: str, message: str, path: str | None = None) -> TripletexRefusal:
    """A missing required or invalid value: 422, code 18000."""
    return TripletexRefusal(18000, "VALIDATION_ERROR", (Message(field, message, field if path is None else path),))
