"""The doctor: which of the Tripletexes that there may be a company is, and what that means for the sync.

::

    questions (what is assumed, and what each answer means) ──┐
    company ─> reading (lists only) ──────────────────────────┤
            └> trial (one customer, one contact) ─> trying ───┴─> findings ─> diagnosis, a table or JSON

All that is told stands in `questions`; beside it only names of properties, statuses and codes. So a diagnosis holds
nobody's data, and can be sent to anybody.
"""
