"""The link store: who is who on the two sides, what was last agreed, and what waits. The only place with SQL.

Tables are described in ``tables``; rows come out as the structs of ``record_sync.record`` and of this package.
"""

from record_sync.store.store import Store

__all__ = ["Store"]
