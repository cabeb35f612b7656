"""The whole examination."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from dataflow_operator.doctor.company import Company
from dataflow_operator.doctor.findings import NOT_KNOWN, Diagnosis, Found, findings
from dataflow_operator.doctor.reading import Mapped, answered, read
from dataflow_operator.doctor.refusing import rate_headers
from dataflow_operator.doctor.trial import LEFT, PURPOSE, Trial
from dataflow_operator.doctor.trying import Trying


def diagnose(company: Company, mapped: Mapped, *, write: bool, warn: Callable[[str], None]) -> Diagnosis:
    """Ask a company everything; with `write` also what only two records tell, which are then removed.

    Raises the errors of `api_transport.errors` where the company cannot be asked at all.
    """
    company.client.who_am_i()
    found = dict(read(company, mapped))
    if write:
        _try(company, found, warn)
        company.stopping.check()
        refusal = answered(lambda: rate_headers(company))
        if refusal is not None:
            found["rate-headers"] = refusal
    return Diagnosis(
        asked=company.place,
        version=version("customcrm-tripletex-dataflow-operator"),
        wrote=write,
        findings=findings(found, wrote=write),
    )


def _try(company: Company, found: dict[str, Found], warn: Callable[[str], None]) -> None:
    """Add what a trial tells; it knows better than the lists, where it knows anything."""
    trial = Trial(company)
    trial.sweep()
    try:
        for name, one in Trying(company, trial).run():
            if one.value != NOT_KNOWN or name not in found:
                found[name] = one
    finally:
        with company.stopping.undisturbed():
            removed = trial.remove()
            if removed is not None:
                found["removal"] = removed
                if removed.value == LEFT:
                    warn(f"Not everything was removed: delete the customer or contact named {PURPOSE!r} and so on.")
