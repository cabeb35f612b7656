"""The CRMs by name, the real ones and their imitations.

As a program (`python -m tests.backends.running directus`) it starts a real one and says how to reach it, until it is
interrupted.
"""

import argparse
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from tests.backends import bottlecrm_here, directus_here, odata_here, strapi_here
from tests.backends.crm import Crm
from tests.backends.imitated_bottlecrm import BottleCrmImitation
from tests.backends.imitated_directus import DirectusImitation
from tests.backends.imitated_strapi import StrapiImitation
from tests.backends.imitation import served

REAL: dict[str, Callable[[Path], AbstractContextManager[Crm]]] = {
    "bottlecrm": bottlecrm_here.running,
    "directus": directus_here.running,
    "strapi": strapi_here.running,
}
STANDARD: dict[str, Callable[[Path], AbstractContextManager[Crm]]] = {"odata": odata_here.running}
"""Servers of a standard, with a profile of their own and no imitation."""
IMITATED: dict[str, Callable[[], AbstractContextManager[Crm]]] = {
    "bottlecrm": lambda: served(BottleCrmImitation(), bottlecrm_here.BottleCrm),
    "directus": lambda: served(DirectusImitation(), directus_here.Directus),
    "strapi": lambda: served(StrapiImitation(), strapi_here.Strapi),
}


def main() -> None:
    """Start the CRM that is named, empty but for its fields."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*REAL, *STANDARD])
    name = parser.parse_args().name
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder, {**REAL, **STANDARD}[name](Path(folder)) as crm:
        sys.stdout.write(
            f"{crm.program} runs until Ctrl-C.\nprofile: {crm.profile or crm.name}\n"
            f"api_url: {crm.api_url}\napi_key: {crm.api_key}\n"
        )
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
