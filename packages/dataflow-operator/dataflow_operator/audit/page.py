"""The audit as a page that stands alone: the document's checklist, ticked."""

from __future__ import annotations

from dataflow_operator.audit.flows import SIDES
from dataflow_operator.audit.report import KINDS, Audit
from dataflow_operator.audit.table import verdict
from dataflow_operator.html import page


def page_of(audit: Audit) -> str:
    """The whole page."""
    return page("audit.html", audit=audit, verdict=verdict(audit), sides=SIDES, kinds=KINDS).rstrip() + "\n"
