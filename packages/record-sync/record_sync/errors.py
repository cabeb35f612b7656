"""What can keep a run from going on, as one tree.

::

    SyncError
    ├── RulesError        the SCHEMA message's rules cannot be understood
    ├── StoreError        the link store cannot be opened, written or trusted
    │   ├── StampMismatchError     it belongs to another system or company
    │   └── StoreLockedError       another run works with it
    ├── BehindTheTapError      the tap reads from further on than the store remembers: a full read is needed
    ├── ListingRefusedError    the system does not list so many records; it answers searches
    ├── BreakerOpenError       more would be deleted or overwritten than a run may without asking
    └── TooManyFailuresError   more records were refused than the run may leave behind

A refused record is not an error: it is an outcome, and waits in the store.
"""

from __future__ import annotations


class SyncError(Exception):
    """One line for the operator: what is wrong, where, what to do."""


class RulesError(SyncError):
    """The rules a SCHEMA message carries (``x-sync``) cannot be understood."""


class StoreError(SyncError):
    """The link store cannot be opened, written or trusted."""


class StampMismatchError(StoreError):
    """The store was stamped for another system or company than the one now at hand."""


class StoreLockedError(StoreError):
    """Another run holds the sync name."""


class BehindTheTapError(SyncError):
    """The tap starts from a bookmark that this store never acknowledged."""


class ListingRefusedError(SyncError):
    """The system does not list so many records at once; it answers searches."""


class BreakerOpenError(SyncError):
    """More would be deleted or overwritten than a run may without asking; it was held back."""


class TooManyFailuresError(SyncError):
    """More records failed than ``max_failure_share`` allows."""
