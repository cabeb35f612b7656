"""Tripletex's countries: references need their ids, other systems know their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Countries:
    """Ids by ISO 3166-1 alpha-2 code and back."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._ids: dict[str, int] = {}
        self._codes: dict[int, str] = {}
        for record in records:
            code = record.get("isoAlpha2Code")
            if code:
                self._ids.setdefault(code.upper(), record["id"])
                self._codes[record["id"]] = code.upper()

    def __len__(self) -> int:
        return len(self._codes)

    def id_of(self, code: str) -> int | None:
        """The id of a country, None for a code that Tripletex does not have. Capitals do not matter."""
        return self._ids.get(code.strip().upper())

    def code_of(self, country_id: int) -> str | None:
        """The code of a country, None where Tripletex has no country of this id, or one without a code."""
        return self._codes.get(country_id)
