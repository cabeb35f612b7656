"""Which CRMs a test is tried on, and the summary of what was seen.

A test with the argument `crm` runs on each imitation, one with `directus`, `strapi` or `bottlecrm` on that one;
both on the real ones too where BACKENDS names them (`make test-backends`): these take minutes and a gigabyte to
install. A test with the argument `real_crm` runs on those alone.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.backends.crm import STREAMS, Crm
from tests.backends.installing import NotHereError
from tests.backends.running import IMITATED, REAL, STANDARD

CHOSEN = [name for name in (*REAL, *STANDARD) if {name, "all"} & set(os.environ.get("BACKENDS", "").split())]
SUMMARY = pytest.StashKey[list[str]]()
IMITATION, IN_EARNEST = "imitated", "real"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SUMMARY] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for argument in {"crm", "real_crm", *REAL} & set(metafunc.fixturenames):
        names = [argument] if argument in REAL else list(REAL)
        if argument == "real_crm":
            cases = [(IN_EARNEST, name) for name in (*names, *STANDARD)]
        else:
            cases = [*((IMITATION, name) for name in names), *((IN_EARNEST, name) for name in names if name in CHOSEN)]
        metafunc.parametrize(argument, cases, indirect=True, ids=[" ".join(case) for case in cases])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash[SUMMARY]:
        terminalreporter.section("real backends")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def summary(pytestconfig: pytest.Config) -> list[str]:
    """Lines told when all is done."""
    return pytestconfig.stash[SUMMARY]


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Crm]]:
    """Starts a real CRM, installed where it is not yet; each is started once, and stopped when all is done."""
    running: dict[str, Crm | NotHereError] = {}
    with ExitStack() as stack:

        def start(name: str) -> Crm:
            if name not in running:
                try:
                    running[name] = stack.enter_context({**REAL, **STANDARD}[name](tmp_path_factory.mktemp(name)))
                except NotHereError as error:
                    running[name] = error
            crm = running[name]
            if isinstance(crm, NotHereError):
                pytest.fail(str(crm), pytrace=False)
            return crm

        yield start


@pytest.fixture
def chosen_crm(request: pytest.FixtureRequest, started: Callable[[str], Crm]) -> Iterator[Callable[[str, str], Crm]]:
    """Gives a CRM that holds nothing."""
    with ExitStack() as stack:

        def choose(kind: str, name: str) -> Crm:
            if kind == IMITATION:
                return stack.enter_context(IMITATED[name]())
            if name not in CHOSEN:
                pytest.skip("real CRMs take minutes: make test-backends")
            crm = started(name)
            empty(crm)
            return crm

        yield choose


def empty(crm: Crm) -> None:
    """Users delete everything."""
    for stream in STREAMS:
        for raw in crm.raw(stream):
            crm.delete(stream, crm.id_of(raw))


@pytest.fixture
def crm(request: pytest.FixtureRequest, chosen_crm: Callable[[str, str], Crm]) -> Crm:
    """Each CRM in turn."""
    return chosen_crm(*request.param)


@pytest.fixture
def real_crm(request: pytest.FixtureRequest, chosen_crm: Callable[[str, str], Crm]) -> Crm:
    """Each CRM in turn, in earnest."""
    return chosen_crm(*request.param)


@pytest.fixture
def directus(request: pytest.FixtureRequest, chosen_crm: Callable[[str, str], Crm]) -> Crm:
    """Directus."""
    return chosen_crm(*request.param)


@pytest.fixture
def strapi(request: pytest.FixtureRequest, chosen_crm: Callable[[str, str], Crm]) -> Crm:
    """Strapi."""
    return chosen_crm(*request.param)


@pytest.fixture
def bottlecrm(request: pytest.FixtureRequest, chosen_crm: Callable[[str, str], Crm]) -> Crm:
    """BottleCRM."""
    return chosen_crm(*request.param)
