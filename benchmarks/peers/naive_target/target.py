"""Target class."""

from __future__ import annotations

from naive_target.sinks import CustomerBatchSink, CustomerSink
from singer_sdk import typing as th
from singer_sdk.target_base import Target


class TargetNaive(Target):
    """Singer target for Tripletex."""

    name = "target-naive"

    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("session_token", th.StringType, secret=True, required=True),
        th.Property("batch_size", th.IntegerType, default=1),
    ).to_dict()

    def get_sink_class(self, stream_name: str) -> type[CustomerSink | CustomerBatchSink]:
        """Sink by the batch size."""
        return CustomerSink if self.config["batch_size"] == 1 else CustomerBatchSink
