"""Pages that stand alone: no script, nothing from elsewhere, every value escaped."""

from __future__ import annotations

from typing import Any

from api_transport.escaping import visible
from jinja2 import Environment, PackageLoader, StrictUndefined

from dataflow_operator.document.structure import Code
from dataflow_operator.terminal import spelled
from dataflow_operator.timestamps import at, length

PAGES = Environment(
    loader=PackageLoader("dataflow_operator"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""The templates; ``visible``, ``spelled``, ``at`` and ``length`` tell values as the terminal does."""
PAGES.filters |= {"visible": visible, "spelled": spelled, "at": at, "length_of_time": length}
PAGES.tests |= {"code": lambda part: isinstance(part, Code)}


def page(template: str, **values: Any) -> str:
    """A whole page."""
    return PAGES.get_template(template).render(**values)
