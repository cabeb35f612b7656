"""The project's own `meltano run two-way`, against the sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.lines.line import OURS
from sandbox.systems import Systems

SLOW = 300.0


@dataclass(frozen=True)
class Cycle:
    """What a command left behind."""

    code: int
    log: str
    said: str = ""
    """Of a command that answers: what it answered."""


@dataclass
class Meltano:
    """Meltano in the project's folder, with a link store, states and a database of its own in `folder`."""

    systems: Systems
    folder: Path
    project: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, log_level: str = "info") -> Cycle:
        """`meltano run`, to its end; without arguments one cycle. Whatever it started is gone then."""
        return self.command("meltano", f"--log-level={log_level}", "run", *(arguments or ("two-way",)))

    def command(self, *command: str) -> Cycle:
        """Any command of the project, to its end, in the same surroundings."""
        name, *arguments = command
        log, said = self.folder / "meltano.log", self.folder / "meltano.out"
        with log.open("w", encoding="utf-8") as output, said.open("w", encoding="utf-8") as answer:
            process = subprocess.Popen(  # noqa: S603  the project's own command
                [Path(sys.executable).parent / name, *arguments],
                cwd=self.project,
                env={**self._environment(), **self.environment},
                stdout=output if arguments[1:2] == ["run"] else answer,
                stderr=output,
                start_new_session=True,
            )
            try:
                code = process.wait(SLOW)
            finally:
                _end_group(process)
        return Cycle(code, log.read_text(encoding="utf-8"), said.read_text(encoding="utf-8"))

    def _environment(self) -> Mapping[str, str]:
        links = f"sqlite:///{self.folder}/links.db"
        crm = {"API_URL": self.systems.customcrm.api_url, "API_KEY": self.systems.customcrm.api_key}
        tripletex = {
            "API_URL": self.systems.tripletex.api_url,
            "CONSUMER_TOKEN": self.systems.tripletex.consumer_token,
            "EMPLOYEE_TOKEN": self.systems.tripletex.employee_token,
        }
        settings = {
            f"{kind}_{system}_{name}": value
            for kind in ("TAP", "TARGET")
            for system, values in (("CUSTOMCRM", crm), ("TRIPLETEX", tripletex))
            for name, value in values.items()
        }
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder}/meltano.db",
            # Meltano hands catalog and state to a tap in files there; two runs at once would read each other's.
            "MELTANO_SYS_DIR_ROOT": str(self.folder / "meltano"),
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            "TARGET_CUSTOMCRM_LINKS_URL": links,
            "TARGET_TRIPLETEX_LINKS_URL": links,
            **settings,
        }


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
