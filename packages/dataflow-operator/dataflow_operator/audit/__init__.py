"""The audit: what both systems say at the moment, against the property tables and what was last agreed. Read-only.

::

    reading (both systems' listings) ─> spool (on disk) ─┐
    store.audited (links, bases, what waits) ────────────┴─> comparing, unlinked (pure) ─> report ─> table, page, JSON

``auditing.audit`` does it all and gives a :class:`~dataflow_operator.audit.report.Audit`.
"""
