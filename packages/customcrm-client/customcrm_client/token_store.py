"""Refresh tokens that the CRM replaces: kept in a file each, written before a token is used, shared by all programs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

import msgspec
from api_transport.errors import AccessDenied

HELD_AT_MOST = 600.0
"""Seconds for which a program waits for another one that renews the token."""

_ROOM = 16384
"""Bytes that are written before the refresh token is used up: they are there for the next one."""

_CHECK = "check the setting token_store, and the folder's rights and space"


class Kept(msgspec.Struct, frozen=True):
    """What is known of a chain of refresh tokens: the newest one, and the access token that came with it."""

    refresh_token: str
    access_token: str
    renew_at: float
    """When another access token is due, in seconds since 1970."""


class TokenStore:
    """The file of one chain: of the refresh token that a person set, and of all that took its place.

    Another token in the settings begins another chain, with a file of its own. Raises AccessDenied, without a status,
    where the folder cannot be used.
    """

    def __init__(self, folder: Path, seed: str) -> None:
        # It takes a tenth of a program's start, and most profiles need none.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        self._taken = Timeout
        # A digest, from which nobody gets the token back.
        name = blake2b(seed.encode(), digest_size=16).hexdigest()
        self._file = folder / f"{name}.json"
        self._lock = FileLock(folder / f"{name}.lock", timeout=HELD_AT_MOST, mode=0o600, thread_local=False)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other programs away from the chain."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except self._taken:
            raise AccessDenied(
                f"another program has been renewing the token for {HELD_AT_MOST:.0f} s",
                todo="stop it if it hangs, and run again",
            ) from None
        except (OSError, NotImplementedError) as error:
            raise self._unusable(error) from None
        try:
            yield
        finally:
            self._lock.release()

    def read(self) -> Kept | None:
        """What is kept; None of a chain that nothing has come of yet."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            raise AccessDenied(
                f"the token store {self._file} does not hold what was written to it",
                todo="put the file back, or authorise the integration anew and set refresh_token",
            ) from None
        except OSError as error:
            raise self._unusable(error) from None

    @contextmanager
    def room(self) -> Iterator[Callable[[Kept], None]]:
        """Make sure that something can be kept before it is asked for; gives the function that keeps it, durably."""
        try:
            descriptor, new = tempfile.mkstemp(dir=self._file.parent, prefix=f"{self._file.stem}.", suffix=".new")
        except OSError as error:
            raise self._unusable(error) from None
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                self._write(file, b" " * _ROOM)
                yield lambda kept: self._keep(kept, file, Path(new))
        finally:
            Path(new).unlink(missing_ok=True)

    def _keep(self, kept: Kept, file: IO[bytes], new: Path) -> None:
        self._write(file, msgspec.json.encode(kept))
        file.close()
        try:
            new.replace(self._file)
            if sys.platform != "win32":
                folder = os.open(self._file.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            raise self._unusable(error) from None

    def _write(self, file: IO[bytes], content: bytes) -> None:
        """Put this in place of what the open file holds, down to the disk."""
        try:
            file.seek(0)
            rest = content
            while rest:
                rest = rest[file.write(rest) :]
            file.truncate()
            os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: Exception) -> AccessDenied:
        reason = getattr(error, "strerror", None) or "no file can be locked there"
        return AccessDenied(f"the token store {self._file.parent} cannot be used: {reason}", todo=_CHECK)
