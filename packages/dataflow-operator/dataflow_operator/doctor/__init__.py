"""The doctor: which of the known variants of Tripletex a company is, and whether the CRM is as its profile says.

::

    questions (what is assumed, and what each answer means) ──┐
    company ─> reading (lists only) ──────────────────────────┤
            └> trial (one customer, one contact) ─> trying ───┴─> findings ─┐
    CRM ─> its client's probe ──────────────────────────────────────────────┴> diagnosis, a table or JSON

All that is told of Tripletex stands in `questions`; beside it only names of properties, statuses and codes. Of the CRM
it is what the probe says: names of streams and properties, and numbers. So a diagnosis holds nobody's data, and can be
sent to anybody.
"""
