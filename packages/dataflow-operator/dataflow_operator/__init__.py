"""The operator's side of a two-way sync: what is in step, what waits, and what a person decides.

::

    cli ─> status, links, failures, conflicts, let_through, runs ─> store (rows as structs) ─> terminal (tables, JSON)

``store`` alone speaks SQL; neither system is asked anything. What a command changes is a mark in the link store, which
the next run acts on.
"""
