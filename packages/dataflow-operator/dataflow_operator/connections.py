"""Both systems, connected with the settings that the targets have."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from singer_sdk.exceptions import ConfigValidationError
from sync_target import SyncTarget
from sync_target.connected import ConnectedSystem
from target_customcrm.target import TargetCustomcrm
from target_tripletex.target import TargetTripletex

from dataflow_operator.errors import OperatorError
from dataflow_operator.settings import told_of

Target = TypeVar("Target", bound=SyncTarget)

TARGETS: tuple[type[SyncTarget], ...] = (TargetCustomcrm, TargetTripletex)


def connected(environment: Mapping[str, str]) -> dict[str, ConnectedSystem]:
    """The system of each side, with the settings that `settings.told_of` finds. No request is made yet.

    Raises:
        OperatorError: settings are missing or wrong; their values are not told.
    """
    return {target.side: _connected(target, environment) for target in TARGETS}


def _connected(target: type[SyncTarget], environment: Mapping[str, str]) -> ConnectedSystem:
    return target_of(target, environment).system


def target_of(target: type[Target], environment: Mapping[str, str]) -> Target:
    """A target with its settings, connected.

    Raises:
        OperatorError: settings are missing or wrong; their values are not told.
    """
    config = told_of(target.side, target.settings_schema(), environment)
    try:
        with _signals_kept():
            return target(config=config, validate_config=True, parse_env_config=False)
    except target.expected_failures as error:
        told = "; ".join(error.errors) if isinstance(error, ConfigValidationError) else ""
        raise OperatorError(f"{target.name}: {told or error}") from None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """A target takes over the signals for its run; this is none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
