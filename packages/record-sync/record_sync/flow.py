"""What the steps of one flow share. No behaviour of its own."""

from __future__ import annotations

import msgspec

from record_sync.guard import Guard
from record_sync.ledger import Ledger
from record_sync.outcomes import Outcomes
from record_sync.rules import FlowRules
from record_sync.target import Target

AT_ONCE = 1000
"""Rows of the store, or records of a listing, that are worked on together."""
FEW_SEARCHES = 3
"""So many searches are made without asking first what a listing would cost."""
ATTEMPTS = 4
"""How often a record that others keep changing is read and planned anew in one run."""


class Flow(msgspec.Struct, frozen=True):
    """One flow in one direction, during one run."""

    rules: FlowRules
    ledger: Ledger
    target: Target
    outcomes: Outcomes
    guard: Guard
