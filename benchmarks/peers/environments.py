"""Each peer's environment, apart from the project's and from each other's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PEERS = ("naive", "dlt", "airbyte", "msdk", "map")
"""Each has its requirements in `<peer>.txt`."""


def pinned(peer: str) -> list[str]:
    """The packages a peer is made of, with their versions; the first one is the peer itself."""
    lines = (HERE / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Environments:
    """Environments below a folder, made when they are needed and kept for the next time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def python(self, peer: str) -> Path:
        """The peer's interpreter."""
        return self.program(peer, "python")

    def program(self, peer: str, name: str) -> Path:
        """A program of a peer's."""
        home = self._folder / peer
        made, requirements = home / "made-of.txt", "\n".join(pinned(peer))
        if not made.exists() or made.read_text(encoding="utf-8") != requirements:
            uv = Path(sys.executable).with_name("uv")
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)  # noqa: S603
            install: list[str | Path] = [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                home / "bin" / "python",
                "-r",
                HERE / f"{peer}.txt",
            ]
            subprocess.run(install, check=True)  # noqa: S603
            made.write_text(requirements, encoding="utf-8")
        return home / "bin" / name
