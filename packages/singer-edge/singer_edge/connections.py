"""The settings by which a tap and a target reach the same system: said once, so that they never differ."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from singer_edge import settings

TRIPLETEX_PRODUCTION = "https://tripletex.no/v2"

CUSTOMCRM: tuple[th.Property[Any], ...] = (
    settings.api_url(example="https://crm.example.com/api/v1"),
    th.Property(
        "api_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API key",
        description="Key that the CRM gave for this integration, sent as a bearer token",
    ),
)

TRIPLETEX: tuple[th.Property[Any], ...] = (
    settings.api_url(TRIPLETEX_PRODUCTION, example=f"{TRIPLETEX_PRODUCTION} or https://api-test.tripletex.tech/v2"),
    th.Property(
        "consumer_token",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Consumer token",
        description="Token that Tripletex gave to whoever built the integration",
    ),
    th.Property(
        "employee_token",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Employee token",
        description="Token that an administrator made in the company's Tripletex, under API access",
    ),
    th.Property(
        "company_id",
        th.IntegerType(minimum=0, nullable=False),
        default=0,
        title="Company id",
        description="The client company to work with; 0: the company of the employee token",
    ),
    th.Property(
        "timezone",
        th.StringType(nullable=False),
        default="Europe/Oslo",
        title="Time zone",
        description="Zone of the times that Tripletex tells without one",
    ),
)
