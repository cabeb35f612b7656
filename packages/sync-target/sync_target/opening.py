"""Opening a run's store, and the flows in it.

Imported when the first message of a flow comes: what works with the store takes as long to import as the rest of a
plugin, which `--version` and `--about` need not wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from record_sync.breaker import Limits
from record_sync.errors import StampMismatchError
from record_sync.rules import FlowRules
from record_sync.session import Session
from record_sync.store import Store
from singer_edge.errors import RunFailed

from sync_target.connected import ConnectedSystem
from sync_target.flow_input import FlowInput


def open_session(
    config: Mapping[str, Any], system: ConnectedSystem, sides: tuple[str, str], links_url: str | None
) -> Session:
    """Begin a run.

    Raises:
        RunFailed: no store is named.
        SyncError: it cannot be opened, or is another system's.

    """
    if not links_url:
        raise RunFailed(
            "missing setting 'links_url' (Link store): a two-way sync has to remember which records belong "
            "together, for example sqlite:////path/to/links.db"
        )
    store = Store(links_url, sides, config["sync_name"])
    try:
        _check_address(store, system)
        limits = Limits(config["max_delete_share"], config["max_overwrite_share"])
        return Session(store, system, max_failure_share=config["max_failure_share"], limits=limits)
    except BaseException:
        store.close()
        raise


def _check_address(store: Store, system: ConnectedSystem) -> None:
    """Refuse a store of another system before anything is taken in; a run that writes checks the whole stamp."""
    bound_to = store.stamped(system.side)
    if bound_to is not None and not bound_to.endswith(system.address):
        raise StampMismatchError(
            f"The link store {store.place} (sync name {store.sync_name!r}) belongs to {bound_to}, "
            f"but this run would write to the one{system.address}. Use another links_url or sync_name for it."
        )


def open_flow(session: Session, stream: str, schema: Mapping[str, Any], rules: FlowRules) -> FlowInput:
    """Take a flow into a run."""
    return FlowInput(session.flow(rules), stream, schema)


__all__ = ["FlowRules", "open_flow", "open_session"]
