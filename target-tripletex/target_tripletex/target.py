"""target-tripletex: loads Tripletex's customers and contacts, in step with the other side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from singer_edge.connections import TRIPLETEX, tripletex_tokens
from singer_sdk import typing as th
from sync_target import SyncTarget
from sync_target.settings import SYNC_SETTINGS
from tripletex_client import TripletexClient

from target_tripletex.creation import CREATION_SETTINGS, NewCustomers
from target_tripletex.system import TripletexSystem


class TargetTripletex(SyncTarget):
    """Writes to a Tripletex company."""

    name = "target-tripletex"
    side = "tripletex"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *TRIPLETEX,
        *CREATION_SETTINGS,
        *SYNC_SETTINGS,
    ).to_dict()

    def needed_settings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Ask for the tokens of a session."""
        return tripletex_tokens(config)

    def connect(self) -> TripletexSystem:
        """Make a client with the settings' tokens."""
        return TripletexSystem(
            TripletexClient.of(self.config, agent=self.name, pages_ahead=2),
            self.config["timezone"],
            in_flight=self.config["max_concurrent_requests"],
            new_customers=NewCustomers(self.config["new_customer_invoices"], self.config["new_customer_is_private"]),
        )
