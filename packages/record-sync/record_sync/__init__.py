"""Keeping the records of two systems in sync: links, change detection, merge, matching, pending writes.

The way of a record through this package::

    SourceRecord ─> FlowSync ─> Ledger (link, base) ─> plan ─> Target ─> Outcomes, Ledger (link, base)

``plan``, ``matching`` and what they are made of are pure: they decide, and touch nothing. ``ledger`` and ``store``
alone speak SQL. Neither a system's API nor Singer is known here; a target brings both.
"""
