"""Files that a command writes: all of one, or what was there before."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from dataflow_operator.errors import OperatorError


def write(file: Path, text: str, *, private: bool = False) -> None:
    """Put a text in a file; ``private`` where nobody but its owner may read it.

    Raises:
        OperatorError: the file cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as made:
                made.write(text)
            if not private:
                Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}. Name another file.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
