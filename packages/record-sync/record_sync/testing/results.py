"""What adapters answer, in tests."""

from __future__ import annotations

from record_sync.system import RemoveRequest, Result, TargetSystem


def removed(system: TargetSystem, resource: str, request: RemoveRequest, paths: frozenset[str]) -> Result:
    """The result of a single removal."""
    ((result,),) = system.remove(resource, [request], paths)
    return result
