"""The tap: settings and streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_edge import settings
from singer_edge.connections import TRIPLETEX, tripletex_tokens
from singer_edge.rehearsal import Rehearsal
from singer_edge.systems import remembered
from singer_sdk import typing as th
from tripletex_client.client import TripletexClient

from tap_tripletex.streams import STREAMS, ConnectedTap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_tripletex.streams import TripletexStream


class TapTripletex(ConnectedTap):
    """Reads contacts, customers, products and countries of Tripletex, the Norwegian accounting system."""

    name = "tap-tripletex"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *TRIPLETEX,
        settings.start_date("of customers; Tripletex cannot list the changes of anything else"),
        settings.full_read_every(),
        settings.max_concurrent_requests(default=4),
        th.Property(
            "only_contacts_of_customers",
            th.BooleanType(nullable=False),
            default=False,
            title="Only contacts of customers",
            description=(
                "Where there are more contacts than Tripletex lists (10,000), read those of customers and leave out "
                "those that belong to none. Otherwise the run ends there"
            ),
        ),
    ).to_dict()

    @cached_property
    def client(self) -> TripletexClient:
        """The company in Tripletex."""
        return TripletexClient.of(self.config, agent=self.name)

    def needed_settings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Ask for the tokens of a session."""
        return tripletex_tokens(config)

    def would_be_written(self, resource: str) -> bool:
        """Whether a rehearsal has noted writes to a resource: in earnest its list's checksums would have changed."""
        rehearsal = Rehearsal.asked()
        return rehearsal is not None and any(one.resource == resource for one in rehearsal.writes("tripletex"))

    def systems_read(self, before: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """The company. Tripletex is asked which one only where address or credentials are not those of the last run."""
        asked_with = [self.config.get(name) for name in ("api_url", "employee_token", "refresh_token", "company_id")]
        return {"tripletex": remembered(before, "tripletex", asked_with, self.client.identity)}

    def discover_streams(self) -> Sequence[TripletexStream]:
        """List the streams; Tripletex need not be asked."""
        return [stream(self) for stream in STREAMS]
