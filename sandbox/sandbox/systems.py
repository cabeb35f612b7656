"""Both systems together, served on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sandbox.customcrm import Customcrm
from sandbox.norwegian import Oddities, load_norwegian, load_oddities
from sandbox.serving import Serving, listen
from sandbox.system import System
from sandbox.tripletex import DEFAULT, Tripletex, Variant

Data = Literal["norwegian", "empty"]


class Systems:
    """A Customcrm and a Tripletex, in memory or kept in a directory."""

    def __init__(self, directory: Path | None = None, variant: Variant = DEFAULT) -> None:
        self.customcrm = Customcrm(None if directory is None else directory / "customcrm.db")
        self.tripletex = Tripletex(None if directory is None else directory / "tripletex.db", variant)
        self.oddities: Oddities | None = None
        self._serving: list[Serving] = []

    @property
    def both(self) -> tuple[System, System]:
        """The two, Customcrm first."""
        return self.customcrm, self.tripletex

    @property
    def is_empty(self) -> bool:
        """Whether neither system holds any customer, contact or product."""
        resources = ("customer", "contact", "product")
        return not any(system.count(resource) for system in self.both for resource in resources)

    def load(self, data: Data = "norwegian", *, customers: int = 300, seed: int = 1, oddities: bool = False) -> None:
        """Fill the systems with sample data; the same seed makes the same data."""
        if data == "norwegian":
            load_norwegian(self.customcrm, self.tripletex, customers=customers, seed=seed)
        if oddities:
            self.oddities = load_oddities(self.customcrm, self.tripletex)

    def clear(self) -> None:
        """Make both systems as new, without restarting them: no records, sessions, requests or hooks."""
        for system in self.both:
            system.clear()

    def clear_requests(self) -> None:
        """Empty both request logs."""
        for system in self.both:
            system.clear_requests()

    def start(self, customcrm_port: int = 0, tripletex_port: int = 0) -> None:
        """Serve both; port 0 takes a free one. Raises PortTaken."""
        listeners = []
        try:
            for port in (customcrm_port, tripletex_port):
                listeners.append(listen(port))  # noqa: PERF401  those that are open are closed where one fails
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        for system, listener in zip(self.both, listeners, strict=True):
            serving = Serving(system.asgi, listener)
            system.address = serving.address
            self._serving.append(serving)
            serving.start()

    def stop(self) -> None:
        """End serving, and close the files."""
        for system in self.both:
            system.stopping = True
        for serving in self._serving:
            serving.server.should_exit = True
        for serving in self._serving:
            serving.stop()
        for system in self.both:
            system.close()


@contextmanager
def running(
    data: Data = "norwegian",
    customers: int = 300,
    seed: int = 1,
    *,
    oddities: bool = False,
    directory: Path | None = None,
    variant: Variant = DEFAULT,
) -> Iterator[Systems]:
    """Both systems in this process, on free ports, in memory or in `directory`, until the block ends.

    A directory that holds records already is served as it is. `variant` is what Tripletex is like.
    """
    systems = Systems(directory, variant)
    if systems.is_empty:
        systems.load(data, customers=customers, seed=seed, oddities=oddities)
    systems.start()
    try:
        yield systems
    finally:
        systems.stop()
