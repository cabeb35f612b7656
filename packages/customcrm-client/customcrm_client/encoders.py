"""How a value is written where it stands in a language of the CRM's own: a filter, a query, a formula.

A template names one after a colon: `{value:odata}`. The quotes belong to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote


def _odata(text: str) -> str:
    """`'o''brien'`: OData 4.01, URL conventions, 5.1.1.14.1."""
    return "'" + text.replace("'", "''") + "'"


_IN_SOQL = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def _soql(text: str) -> str:
    """A text in single quotes; SOQL has the backslash, the quote and the ends of lines after a backslash."""
    return "'" + text.translate(_IN_SOQL) + "'"


def _json(text: str) -> str:
    """A JSON string, which Airtable's formulas read too."""
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    """What has a meaning of its own between parentheses (Zoho's criteria) after a backslash; no quotes."""
    return "".join(f"\\{one}" if one in "\\()," else one for one in text)


def _url(text: str) -> str:
    """Percent-encoded, for a value inside an address that is itself a value."""
    return quote(text, safe="")


ENCODERS: Mapping[str, Callable[[str], str]] = {
    "odata": _odata,
    "soql": _soql,
    "json": _json,
    "escaped": _escaped,
    "url": _url,
}


def encoded(value: Any, name: str) -> str:
    """The value as the language has it. Numbers and flags stay as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return ENCODERS[name](str(value))
