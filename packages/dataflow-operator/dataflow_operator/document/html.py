"""A document as a page that stands alone."""

from __future__ import annotations

from collections.abc import Iterable

from dataflow_operator.document.structure import Document
from dataflow_operator.html import page


def html(documents: Iterable[Document]) -> str:
    """The documents, one after the other."""
    return page("document.html", documents=list(documents)).rstrip() + "\n"
