"""What the real CRMs are installed with: npm and pip, into a folder of this checkout that git ignores.

Nothing is installed on the machine itself, and no compiler is needed: what npm cannot build is taken prebuilt.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("BACKENDS_FOLDER", ROOT / "var" / "backends"))
NODE = "22.23.3"
FITTING_NODES = (22, 24)
"""The versions for which isolated-vm, which Directus loads, comes prebuilt."""
SLOW = 1800.0


class NotHereError(Exception):
    """The backend cannot be had on this machine, and why."""


def npm_project(name: str, package: dict[str, object]) -> Path:
    """The folder of an npm project with these packages in it; installed where that has not been done yet."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotHereError(f"{name} needs npm, which comes with Node.js")
    text = json.dumps(package, indent=2)
    folder = FOLDER / f"{name}-{_digest(text)}"
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(text, encoding="utf-8")
        _run(
            [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
            folder,
        )
        (folder / ".installed").touch()
    return folder


def node() -> Path:
    """A Node.js that the backends run on: the machine's, if it fits, else the one that npm has as a package."""
    found = shutil.which("node")
    if found and _major(found) in FITTING_NODES:
        return Path(found)
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise NotHereError("Node.js 22 is needed")
    package = f"node-linux-{machine}"
    project = npm_project("node", {"name": "node", "private": True, "dependencies": {package: NODE}})
    return project / "node_modules" / package / "bin" / "node"


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return int(said.removeprefix("v").split(".")[0] or 0)


def python_project(name: str, requirements: Path, at_least: tuple[int, int]) -> Path:
    """The Python of an environment with these requirements in it; made where that has not been done yet."""
    folder = FOLDER / f"{name}-{_digest(requirements.read_text(encoding='utf-8'))}"
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "venv", "--quiet", "--clear", "--python", newer_python(at_least), str(folder)], ROOT)
        _run([uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(requirements)], ROOT)
        (folder / ".installed").touch()
    return python


def newer_python(at_least: tuple[int, int]) -> str:
    """A Python that is new enough: BACKENDS_PYTHON, the machine's, pyenv's, or one that uv finds or downloads."""
    minors = range(at_least[1], at_least[1] + 4)
    named = [shutil.which(f"python{at_least[0]}.{minor}") for minor in minors]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    theirs = sorted(str(path) for minor in minors for path in kept.glob(f"{at_least[0]}.{minor}.*/bin/python"))
    for candidate in (os.environ.get("BACKENDS_PYTHON"), sys.executable, shutil.which("python3"), *named, *theirs):
        if candidate and _is_new_enough(candidate, at_least):
            return candidate
    return f">={at_least[0]}.{at_least[1]}"


def _is_new_enough(python: str, at_least: tuple[int, int]) -> bool:
    # A shim of pyenv's is there for versions that are not switched on, and then fails.
    asked = f"import sys; sys.exit(sys.version_info < {at_least})"
    return subprocess.run([python, "-c", asked], capture_output=True, check=False).returncode == 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _run(command: list[str], folder: Path) -> None:
    ended = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SLOW,
    )
    if ended.returncode:
        raise NotHereError(f"{Path(command[0]).name} {command[1]} failed: {ended.stdout[-2000:]}")
