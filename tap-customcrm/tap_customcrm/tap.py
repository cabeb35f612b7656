"""The tap: settings and streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from customcrm_client.client import CustomcrmClient
from customcrm_client.contract import REFERENCE
from singer_edge import settings
from singer_edge.connections import CUSTOMCRM
from singer_edge.tap import EdgeTap
from singer_sdk import typing as th

from tap_customcrm.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_customcrm.streams import CustomcrmStream


class TapCustomcrm(EdgeTap):
    """Reads contacts, customers and products of a CRM that speaks the Customcrm reference REST contract."""

    name = "tap-customcrm"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CUSTOMCRM,
        settings.start_date("by UpdatedAt"),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=REFERENCE.per_page_at_most, nullable=False),
            default=100,
            title="Page size",
            description="Records asked for in one request",
        ),
        settings.full_read_every(),
    ).to_dict()

    @cached_property
    def client(self) -> CustomcrmClient:
        """The CRM."""
        return CustomcrmClient(
            self.config["api_url"],
            self.config["api_key"],
            page_size=self.config["page_size"],
            agent=self.name,
        )

    def discover_streams(self) -> Sequence[CustomcrmStream]:
        """List the streams; the CRM need not be asked."""
        return [stream(self) for stream in STREAMS]
