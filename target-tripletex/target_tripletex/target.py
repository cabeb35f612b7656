"""target-tripletex: loads Tripletex's customers and contacts, in step with the other side."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_edge.connections import TRIPLETEX
from singer_sdk import typing as th
from sync_target import SyncTarget
from sync_target.settings import SYNC_SETTINGS
from tripletex_client import TripletexClient

from target_tripletex.system import TripletexSystem


class TargetTripletex(SyncTarget):
    """Writes to a Tripletex company."""

    name = "target-tripletex"
    side = "tripletex"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *TRIPLETEX,
        *SYNC_SETTINGS,
    ).to_dict()

    def connect(self) -> TripletexSystem:
        """Open a session with the settings' tokens."""
        client = TripletexClient(
            self.config["api_url"],
            self.config["consumer_token"],
            self.config["employee_token"],
            self.config["company_id"],
            timezone=self.config["timezone"],
            agent=self.name,
            in_flight=self.config["max_concurrent_requests"],
            pages_ahead=2,
        )
        return TripletexSystem(
            client,
            self.config["timezone"],
            in_flight=self.config["max_concurrent_requests"],
        )
