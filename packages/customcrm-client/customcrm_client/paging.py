"""Going through a list page by page, along the links the server gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from api_transport.answer import Answer
    from api_transport.transport import Transport

    from customcrm_client.contract import Contract

BROKEN = "tell whoever runs the CRM that its paging is broken"


@dataclass(frozen=True)
class Page:
    """Some records of a list, and when (UTC, our clock) they were asked for."""

    values: list[dict[str, Any]]
    sent_at: datetime


def pages(transport: Transport, contract: Contract, path: str, params: Mapping[str, Any]) -> Iterator[Page]:
    """Each page of a list, empty ones too.

    Raises UnexpectedAnswer for an answer without its records, a record without id, a link to another host (it would
    be given the key) and a link or page that comes again (it would never end).
    """
    asked: Mapping[str, Any] | None = params
    followed: set[str] = set()
    before: list[dict[str, Any]] = []
    while True:
        answer = transport.send("GET", path, params=asked, ok=(200,))
        values = _records(answer, contract)
        if values and values == before:
            raise answer.unexpected("the same page came twice", todo=BROKEN)
        yield Page(values, answer.sent_at)
        link = _next_link(answer, contract)
        if link is None:
            return
        # A link is usually absolute; one that is not is meant from the list's own address.
        path, asked, before = urljoin(transport.address.url(path), link), None, values
        if path in followed:
            raise answer.unexpected("a next link came twice", todo=BROKEN)
        followed.add(path)


def _records(answer: Answer, contract: Contract) -> list[dict[str, Any]]:
    values = answer.body.get(contract.records) if isinstance(answer.body, dict) else None
    if not isinstance(values, list):
        raise answer.unexpected(f"no list of records under '{contract.records}'", todo="check api_url")
    for record in values:
        checked(answer, record, contract)
    return values


def checked(answer: Answer, record: Any, contract: Contract) -> dict[str, Any]:
    """The record, if it is one. Raises UnexpectedAnswer (OutcomeUnknown after a create) where it has no id."""
    if not isinstance(record, dict) or not isinstance(record.get(contract.id), str) or not record[contract.id]:
        raise answer.unexpected(f"a record without '{contract.id}'", todo="check api_url")
    return record


def _next_link(answer: Answer, contract: Contract) -> str | None:
    links = answer.body.get(contract.links) or {}
    if not isinstance(links, dict):
        raise answer.unexpected(f"'{contract.links}' is no object")
    link = links.get(contract.next)
    if link is None or link == "":
        return None
    if not isinstance(link, str):
        raise answer.unexpected(f"'{contract.links}.{contract.next}' is no address")
    return link
