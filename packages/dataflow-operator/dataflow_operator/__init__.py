"""The operator's side of a two-way sync: what is in step, what waits, and what a person decides.

::

    cli ─> status, links, failures, conflicts, let_through, runs ─> store (rows as structs) ─> terminal (tables, JSON)
        ─> document (property tables as structs) ─> rst, markdown, html
        ─> audit (both systems and the store, as structs) ─> terminal, html

``store`` alone speaks SQL; ``audit`` alone asks the two systems, by the targets' own adapters, and only reads. What a
command changes is a mark in the link store, which the next run acts on.
"""
