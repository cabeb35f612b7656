"""What a flow remembers: links, intents, waiting records and conflicts, in one transaction at a time."""

from record_sync.ledger.ledger import Ledger, Transaction

__all__ = ["Ledger", "Transaction"]
