"""Credentials that are spelled differently in every encoding, and whether any text gives one away."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from sandbox.systems import Systems

API_KEY = "crm-key/with+odd=chars&more"
CONSUMER_TOKEN = "consumer/token+odd=chars&more=="  # noqa: S105  invented
EMPLOYEE_TOKEN = "employee/token+odd=chars&more=="  # noqa: S105  invented
REFRESH_TOKEN = "refresh/token+odd=chars&more=="  # noqa: S105  invented
_SHORTEST = 12
"""Characters of a Base64 text that give its secret away."""


def lock_with_odd_secrets(systems: Systems) -> None:
    """Give both systems credentials that are not the same when percent-encoded or in JSON."""
    systems.customcrm.api_key = API_KEY
    systems.tripletex.consumer_token = CONSUMER_TOKEN
    systems.tripletex.employee_token = EMPLOYEE_TOKEN
    systems.tripletex.refresh_token = REFRESH_TOKEN


def spellings(secret: str) -> set[str]:
    """A secret as it is, percent-encoded, in JSON, and in Base64 behind whatever stands before it."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    for user in ("", "0:", "x:", "xy:"):
        whole = base64.b64encode(f"{user}{secret}".encode()).decode()
        # The first group of four may hold other characters' bits, the last one may be filled up.
        core = whole[4:-4]
        found |= {core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")}
    return {one for one in found if len(one) >= _SHORTEST}


def given_away(text: str, secrets: list[str]) -> list[str]:
    """The lines that hold any of the secrets, in any spelling."""
    known = {spelling for secret in secrets for spelling in spellings(secret)}
    return [line for line in text.splitlines() if any(one in line for one in known)]
