"""The Singer side of a target that keeps two systems in sync.

The way of a message: ``target.SyncTarget`` ─> ``flow_input.FlowInput`` (check, batch) ─> ``record_sync.FlowSync``;
a stream without ``x-sync`` goes to ``ordinary.OrdinarySink`` instead.
"""

from sync_target.target import SyncTarget

__all__ = ["SyncTarget"]
