"""Sink classes: a request a record, and a request a batch."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import requests
from singer_sdk.sinks import BatchSink, RecordSink


class CustomerSink(RecordSink):
    """Creates customers one by one."""

    @cached_property
    def session(self) -> requests.Session:
        """The connection to the API."""
        session = requests.Session()
        session.auth = ("0", self.config["session_token"])
        return session

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Create a customer."""
        response = self.session.post(f"{self.config['api_url']}/customer", json=record, timeout=60)
        response.raise_for_status()


class CustomerBatchSink(BatchSink):
    """Creates customers in lists."""

    @property
    def max_size(self) -> int:
        """Records in a batch."""
        return self.config["batch_size"]

    @cached_property
    def session(self) -> requests.Session:
        """The connection to the API."""
        session = requests.Session()
        session.auth = ("0", self.config["session_token"])
        return session

    def process_batch(self, context: dict[str, Any]) -> None:
        """Create a batch of customers."""
        response = self.session.post(f"{self.config['api_url']}/customer/list", json=context["records"], timeout=60)
        response.raise_for_status()
