"""The part of a profile that says how the CRM tells how much it allows."""

from __future__ import annotations

from typing import Annotated, Literal

from customcrm_client.described import Described, described


class Rate(Described, frozen=True):
    """How the CRM tells how many requests it allows. `Retry-After` and status 429 are known without it."""

    limit: Annotated[str, described("The header with the number of requests allowed in a period")] = (
        "X-Rate-Limit-Limit"
    )
    remaining: Annotated[str, described("The header with the number of those left")] = "X-Rate-Limit-Remaining"
    reset: Annotated[str, described("The header that tells when the next period begins")] = "X-Rate-Limit-Reset"
    reset_is: Annotated[
        Literal["seconds", "milliseconds", "epoch", "epoch_ms"],
        described("Whether that is a time to wait, or the time since 1970 in seconds or milliseconds"),
    ] = "seconds"
    codes: Annotated[
        tuple[str | int, ...],
        described(
            "Codes of errors (`errors.code`) that mean: too many requests, whatever the status, for example "
            "`REQUEST_LIMIT_EXCEEDED`. Such an answer is waited out as 429 is"
        ),
    ] = ()
