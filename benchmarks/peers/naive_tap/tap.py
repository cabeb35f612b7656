"""Tap class."""

from __future__ import annotations

from naive_tap import streams
from singer_sdk import Tap
from singer_sdk import typing as th


class TapNaive(Tap):
    """Singer tap of either system."""

    name = "tap-naive"

    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("session_token", th.StringType, secret=True),
        th.Property("fields", th.StringType),
        th.Property("api_key", th.StringType, secret=True),
        th.Property("page_size", th.IntegerType, default=100),
    ).to_dict()

    def discover_streams(self) -> list[streams.Customer | streams.CrmCustomer]:
        """Return a list of discovered streams."""
        return [streams.CrmCustomer(self) if "api_key" in self.config else streams.Customer(self)]
