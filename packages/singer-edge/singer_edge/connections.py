"""The settings by which a tap and a target reach the same system: said once, so that they never differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_sdk import typing as th

from singer_edge import settings

TRIPLETEX_PRODUCTION = "https://tripletex.no/v2"

PROFILE: tuple[th.Property[Any], ...] = (
    th.Property(
        "profile",
        th.CustomType({"type": ["string", "object"]}),
        default="reference",
        title="Profile",
        description=(
            "How the CRM is spoken to (docs/profiles.md): the name of a shipped profile, a YAML file relative to the "
            "project's folder, or the profile itself"
        ),
    ),
    th.Property(
        "profile_variables",
        th.ObjectType(additional_properties=True, nullable=False),
        title="Profile variables",
        description="Values that take the place of the profile's variables",
    ),
)

CUSTOMCRM: tuple[th.Property[Any], ...] = (
    settings.api_url(example="https://crm.example.com/api/v1"),
    th.Property(
        "api_key",
        th.StringType(nullable=False),
        secret=True,
        title="API key",
        description=(
            "Token, key, password or client secret that the CRM gave for this integration; needed unless the profile "
            "says auth: {kind: none}"
        ),
    ),
    th.Property(
        "api_user",
        th.StringType(nullable=False),
        title="API user",
        description="User name or client id, where the profile's auth needs one",
    ),
    th.Property(
        "refresh_token",
        th.StringType(nullable=False),
        secret=True,
        title="Refresh token",
        description=(
            "OAuth2 refresh token, got when somebody authorised the integration, where the profile's auth says grant: "
            "refresh_token. Those that the CRM gives in its place are kept in token_store"
        ),
    ),
    th.Property(
        "token_store",
        th.StringType(nullable=False),
        default="var/tokens",
        title="Token store",
        description=(
            "Folder in which refresh tokens are kept, relative to the project's; the same for tap and target. It is as "
            "secret as the tokens"
        ),
    ),
    *PROFILE,
)

TRIPLETEX: tuple[th.Property[Any], ...] = (
    settings.api_url(TRIPLETEX_PRODUCTION, example=f"{TRIPLETEX_PRODUCTION} or https://api-test.tripletex.tech/v2"),
    th.Property(
        "consumer_token",
        th.StringType(nullable=False),
        secret=True,
        title="Consumer token",
        description="Token that Tripletex gave to whoever built the integration; not needed with a refresh_token",
    ),
    th.Property(
        "employee_token",
        th.StringType(nullable=False),
        secret=True,
        title="Employee token",
        description=(
            "Token that an administrator made in the company's Tripletex, under API access; not needed with a "
            "refresh_token"
        ),
    ),
    th.Property(
        "refresh_token",
        th.StringType(nullable=False),
        secret=True,
        title="API token",
        description="API token that an administrator made for this integration alone; takes the place of both tokens",
    ),
    th.Property(
        "company_id",
        th.IntegerType(minimum=0, nullable=False),
        default=0,
        title="Company id",
        description="The client company to work with; 0: the company of the token",
    ),
    th.Property(
        "timezone",
        th.StringType(nullable=False),
        default="Europe/Oslo",
        title="Time zone",
        description="Zone of the times that Tripletex tells without one",
    ),
)


def tripletex_tokens(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that a session needs beside those that are given: an API token stands for both others."""
    return () if config.get("refresh_token") else ("consumer_token", "employee_token")
