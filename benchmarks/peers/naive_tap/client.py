"""REST client handling, including the base stream classes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from singer_sdk.authenticators import BasicAuthenticator, BearerTokenAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator, BaseOffsetPaginator
from singer_sdk.streams import RESTStream

if TYPE_CHECKING:
    import requests

PAGE_SIZE = 1000


class TripletexPaginator(BaseOffsetPaginator):
    """Offsets, until a page is not full."""

    def has_more(self, response: requests.Response) -> bool:
        """Whether there is another page."""
        return len(response.json()["values"]) == PAGE_SIZE


class TripletexStream(RESTStream):
    """Tripletex stream class."""

    records_jsonpath = "$.values[*]"

    @property
    def url_base(self) -> str:
        """The API's address."""
        return self.config["api_url"]

    @cached_property
    def authenticator(self) -> BasicAuthenticator:
        """HTTP Basic with the session token."""
        return BasicAuthenticator(username="0", password=self.config["session_token"])

    def get_new_paginator(self) -> TripletexPaginator:
        """A paginator for one read."""
        return TripletexPaginator(start_value=0, page_size=PAGE_SIZE)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        """The query of a page."""
        return {"from": next_page_token or 0, "count": PAGE_SIZE, "sorting": "id", "fields": self.config["fields"]}


class CustomcrmPaginator(BaseHATEOASPaginator):
    """The links that the API gives."""

    def get_next_url(self, response: requests.Response) -> str | None:
        """The next page's address."""
        return response.json()["links"]["next"]


class CustomcrmStream(RESTStream):
    """Customcrm stream class."""

    records_jsonpath = "$.data[*]"

    @property
    def url_base(self) -> str:
        """The API's address."""
        return self.config["api_url"]

    @cached_property
    def authenticator(self) -> BearerTokenAuthenticator:
        """The API key."""
        return BearerTokenAuthenticator(token=self.config["api_key"])

    def get_new_paginator(self) -> CustomcrmPaginator:
        """A paginator for one read."""
        return CustomcrmPaginator()

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """The query of a page."""
        if next_page_token:
            return dict(parse_qsl(urlsplit(next_page_token.geturl()).query))
        return {"per_page": self.config["page_size"], "include_deleted": "true"}
