"""The Singer side of a target that keeps two systems in sync.

The way of a message: ``target.SyncTarget`` (the SDK's) ─> ``run.Run`` (what to do at each message) ─>
``flow_input.FlowInput`` (check, batch) ─> ``record_sync.FlowSync``; a stream without ``x-sync`` goes to
``ordinary.Load`` instead.
"""

from sync_target.target import SyncTarget

__all__ = ["SyncTarget"]
