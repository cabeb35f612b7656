"""A pytest plugin that comes with the sandbox: the Tripletex API description, and programs that start quickly.

It also has the package imported before any test file is. The tests lie in a folder of the package's own name, which
pytest would otherwise take for the package.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.conformance import Description
    from sandbox.lines import Starter


@pytest.fixture(scope="session")
def api_description(pytestconfig: pytest.Config) -> "Description":
    """The description beside the repository; where it is missing the test is skipped, or fails in CI."""
    from sandbox.conformance import LOCATION, Description  # noqa: PLC0415  only few runs need openapi-core

    path = pytestconfig.rootpath / LOCATION
    if not path.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"The Tripletex API description is not here ({LOCATION}).")
    return Description.read(path)


@pytest.fixture(scope="session")
def starter() -> Iterator["Starter"]:
    """Starts console scripts as processes of their own; none is left behind."""
    from sandbox.lines import Starter  # noqa: PLC0415  not every run starts any

    with Starter() as starter:
        yield starter
