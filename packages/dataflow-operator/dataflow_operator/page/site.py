"""One page being served: its store, its visits, and how an answer is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import jinja2
import msgspec
from api_transport.escaping import visible
from markupsafe import Markup
from record_sync.errors import StoreError, SyncError
from record_sync.store.lock import Holder
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dataflow_operator.errors import OperatorError
from dataflow_operator.html import PAGES
from dataflow_operator.page.auditing import Auditing
from dataflow_operator.page.browser_sessions import Notice, Visits
from dataflow_operator.page.guard import local_path
from dataflow_operator.store import waiting
from dataflow_operator.store.conflicts import OPEN, conflicts
from dataflow_operator.store.opening import OpenStore, opened
from dataflow_operator.terminal import shortened, spelled
from dataflow_operator.timestamps import age, at, length, now

WAITS_S = 2.0
"""So long another program's transaction on the store is waited for: a person is waiting too."""
ROWS = 50
"""Rows of a list on one page."""
_LARGEST = 2**63 - 1
"""Number that a database takes."""


class Frame(msgspec.Struct, frozen=True):
    """What stands around every page."""

    sync_name: str
    at_work: Holder | None
    """The run that goes on."""
    waiting: int
    to_decide: int

    @classmethod
    def of(cls, store: OpenStore) -> Frame:
        """As the store has it."""
        return cls(
            store.sync.name,
            store.at_work(),
            waiting.how_many(store),
            conflicts(store, states=(OPEN,), limit=0).total.get(OPEN, 0),
        )


class Pager(msgspec.Struct, frozen=True):
    """Where in a long list a page is."""

    page: int
    total: int
    address: Callable[[int], str]

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.total // ROWS))

    @property
    def first(self) -> int:
        """Number of the first row shown."""
        return (self.page - 1) * ROWS + 1

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.page * ROWS, self.total)


class Site:
    """The page of one sync name of one store.

    Args:
        links_url: the store.
        sync_name: whose rows.
        visits: who may see it.
        cookie: the name by which browsers remember their visit.
    """

    def __init__(self, links_url: str, sync_name: str, visits: Visits, cookie: str = "dataflow") -> None:
        self._place = (links_url, sync_name)
        self.visits = visits
        self.cookie = cookie
        self.auditing = Auditing(links_url, sync_name)
        self._templates = _templates()

    @property
    def place(self) -> tuple[str, str]:
        """Address of the store, and sync name."""
        return self._place

    @contextmanager
    def reading(self) -> Iterator[OpenStore]:
        """A snapshot of the store."""
        with opened(*self._place, wait_s=WAITS_S) as store:
            yield store

    def frame(self) -> Frame | None:
        """The frame of a page that tells nothing of the store; None where the store cannot be read."""
        with suppress(OperatorError, SyncError), self.reading() as store:
            return Frame.of(store)
        return None

    @contextmanager
    def changing(self) -> Iterator[OpenStore]:
        """A change that is all made, or not.

        Raises:
            OperatorError: another program writes to the store for longer than a person waits; it says which one.
        """
        try:
            with opened(*self._place, to_change=True, wait_s=WAITS_S) as store:
                yield store
        except StoreError as error:
            if "locked" not in str(error) and "lock timeout" not in str(error):
                raise
            raise OperatorError(f"Nothing was changed: {self._holder()} writes to the link store. Try again.") from None

    def _holder(self) -> str:
        with suppress(OperatorError, StoreError), self.reading() as store:
            return str(store.at_work() or "another program")
        return "another program"

    def show(
        self, request: Request, template: str, frame: Frame | None = None, status: int = 200, **told: Any
    ) -> Response:
        """Make a page of a template."""
        visit = request.state.visit
        text = self._templates.get_template(template).render(
            frame=frame,
            path=request.url.path,
            here=local_path(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path),
            form_token=self.visits.form_token(visit),
            notice=self.visits.told(visit),
            may_leave=self.visits.asks and self.visits.may_see(visit),
            moment=now(),
            **told,
        )
        return HTMLResponse(text, status)

    def done(self, request: Request, lines: Sequence[str], back: str, *, done: bool = True) -> Response:
        """Go back to a page, which says what came of an action: loading it again does nothing twice."""
        self.visits.tell(request.state.visit, Notice(list(lines), done))
        return RedirectResponse(local_path(back), status_code=303)


def asked(request: Request, name: str) -> str | None:
    """What a page was asked for, if anything."""
    return request.query_params.get(name) or None


def number_of(request: Request) -> int:
    """The number in a page's address.

    Raises:
        OperatorError: nothing has such a number.
    """
    number: int = request.path_params["number"]
    if number > _LARGEST:
        raise OperatorError(f"There is no number {number}.")
    return number


def paged(request: Request) -> tuple[int, int]:
    """Which page of a list is asked for, and how many rows come before it."""
    number = request.query_params.get("page", "1")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 10 else 1
    return page, (page - 1) * ROWS


def pager(request: Request, page: int, total: int, **chosen: str | None) -> Pager:
    """The way to the other pages of a list."""
    kept = {name: value for name, value in chosen.items() if value}
    return Pager(page, total, lambda number: f"{request.url.path}?{urlencode({**kept, 'page': number})}")


def one(form: Mapping[str, Sequence[str]], name: str) -> str:
    """A field of a form; empty where it has none."""
    return (form.get(name) or [""])[0]


def numbers(form: Mapping[str, Sequence[str]], name: str = "number") -> list[int]:
    """The numbers that a form names.

    Raises:
        OperatorError: something else is among them.
    """
    found = form.get(name) or []
    if not all(number.isdecimal() and number.isascii() and len(number) < 19 for number in found):
        raise OperatorError("That is no number of a record.")
    return [int(number) for number in found]


def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        # What stands alone elsewhere, such as the document, stands here in the page's frame.
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("dataflow_operator.page"), jinja2.PackageLoader("dataflow_operator")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Whatever a template says of a value: what steers or turns a line is spelled out first.
        finalize=_literal,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.tests |= PAGES.tests
    templates.filters |= {
        **PAGES.filters,
        "at": at,
        "age": age,
        "lasted": length,
        "shortened": shortened,
        "spelled": spelled,
        "time": _time,
        "count": _count,
        "query": lambda given: urlencode({name: value for name, value in given.items() if value}),
    }
    return templates


def _literal(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _time(moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("\N{EN DASH}")
    return Markup('<time datetime="{}">{}</time>').format(f"{moment:%Y-%m-%dT%H:%M:%SZ}", at(moment))


def _count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")
