"""Customcrm's error envelope."""

from typing import Any

from sandbox.refusal import Refusal

TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    422: "Validation failed",
}


class CustomcrmRefusal(Refusal):
    """Customcrm does not carry out a request; `errors` are (field, message)."""

    def __init__(self, status: int, *errors: tuple[str, str]) -> None:
        self.status = status
        self.errors = errors
        super().__init__(TITLES[status] + "".join(f"; {field}: {message}" for field, message in errors))

    def envelope(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "title": TITLES[self.status],
            "status": self.status,
            "errors": [{"field": field, "message": message} for field, message in self.errors],
        }
