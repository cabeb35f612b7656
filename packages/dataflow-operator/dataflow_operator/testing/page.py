"""The operator's page served in this process, and somebody who visits it with no browser.

with served(world.url) as page:
    visitor = page.visitor()
    visitor.get("/failures")
    visitor.post("/failures/retry", number="1")
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import requests

from dataflow_operator.page.app import application
from dataflow_operator.page.browser_sessions import Visits
from dataflow_operator.page.serving import address_of, listen, server_of
from dataflow_operator.page.site import Site

LOOPBACK = "127.0.0.1"


class Served:
    """A page that answers."""

    def __init__(self, address: str, site: Site) -> None:
        self.address = address.rstrip("/")
        self.site = site

    def visitor(self) -> Visitor:
        """Somebody with cookies of their own."""
        return Visitor(self.address)


class Visitor(requests.Session):
    """Asks for pages by their path, and sends forms as a browser would. No redirect is followed unasked."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def get(self, path: str, **more: Any) -> requests.Response:  # type: ignore[override]
        """One page."""
        return super().get(self.address + path, **{"timeout": 60, "allow_redirects": False, **more})

    @property
    def cookie(self) -> str:
        """The header by which the page knows this visitor; it is not sent unasked with another Host."""
        return "; ".join(f"{one.name}={one.value}" for one in self.cookies)

    def form_token(self, path: str = "/") -> str:
        """What a form on a page carries."""
        found = re.search('name="form" value="([0-9a-f]{64})"', self.get(path).text)
        return found[1] if found else ""

    def post(self, path: str, form: str | None = None, headers: Any = None, **fields: Any) -> requests.Response:  # type: ignore[override]
        """Send a form that this page made."""
        data = {"form": self.form_token() if form is None else form, **fields}
        given = {"Origin": self.address, **(headers or {})}
        given = {name: value for name, value in given.items() if value is not None}
        return super().post(self.address + path, data=data, headers=given, timeout=60, allow_redirects=False)

    def told(self, path: str, **fields: Any) -> str:
        """What the page says that a form leads to."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, (answer.status_code, answer.text)  # noqa: S101  a test's own demand
        page = self.get(answer.headers["Location"]).text
        shown = page.partition('<div class="notice')[2].partition(">")[2].partition("</div>")[0]
        return " ".join(unescape(re.sub("<[^>]*>", " ", shown)).split())


@contextmanager
def served(links_url: str, token: str | None = None, sync_name: str = "default") -> Iterator[Served]:
    """The page of a store, answering until the block ends."""
    listener = listen(LOOPBACK, 0)
    address = address_of(listener, LOOPBACK)
    site = Site(links_url, sync_name, Visits(token), cookie=f"dataflow-{urlsplit(address).port}")
    server = server_of(application(site))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Served(address, site)
    finally:
        server.should_exit = True
        thread.join()
        site.auditing.close()
        listener.close()
