"""Keeping the records of two systems in sync: links, change detection, merge, matching, pending writes.

The way of a record through this package::

    Incoming ─> session.FlowSync ─> store (link, base) ─> plan ─> system.TargetSystem ─> store (link, base)

``plan`` and ``matching`` are pure: they decide, and touch nothing. ``store`` alone speaks SQL. Neither a
system's API nor Singer is known here; a target brings both.
"""
