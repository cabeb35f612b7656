"""The folder that paths in settings are relative to."""

from __future__ import annotations

import os
from pathlib import Path


def project_root() -> Path:
    """Meltano's project, else where the program was started."""
    return Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path.cwd())
