"""The settings that every target of the sync has."""

from __future__ import annotations

from typing import Any

from singer_edge.settings import max_concurrent_requests
from singer_sdk import typing as th

SYNC_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "links_url",
        th.StringType(nullable=False),
        secret=True,
        title="Link store",
        description=(
            "SQLAlchemy URL of the database that remembers which records belong together, the same for both targets: "
            "sqlite:////path/to/links.db or postgresql://user:password@host/database"
        ),
    ),
    th.Property(
        "sync_name",
        th.StringType(nullable=False),
        default="default",
        title="Sync name",
        description="Keeps several companies apart in one link store; the same for both targets",
    ),
    max_concurrent_requests(default=8),
    th.Property(
        "max_failure_share",
        th.NumberType(minimum=0, maximum=1, nullable=False),
        default=0.2,
        title="Largest share of failures",
        description="A run in which more of a flow's records are refused than this share ends with an error",
    ),
    th.Property(
        "max_delete_share",
        th.NumberType(minimum=0, maximum=1, nullable=False),
        default=0.1,
        title="Largest share of deletions",
        description=(
            "Where more of a flow's linked records than this share (and more than 20) would be deleted or "
            "deactivated in one run, none is, and the run ends with an error"
        ),
    ),
    th.Property(
        "max_overwrite_share",
        th.NumberType(minimum=0, maximum=1, nullable=False),
        default=0.5,
        title="Largest share of overwrites",
        description=(
            "Where more of a flow's linked records than this share (and more than 20) would be changed in one run, "
            "the run stops with an error"
        ),
    ),
    th.Property(
        "create_without_match",
        th.BooleanType(nullable=False),
        default=False,
        title="Create without match",
        description=(
            "For streams of other taps, which come without the mapper's rules: create records that have no id. "
            "Without it such records are refused, since loading them twice would double them"
        ),
    ),
    th.Property(
        "lookup_keys",
        th.ObjectType(additional_properties=th.StringType()),
        title="Look-up keys",
        description="For streams of other taps: the property by which a stream's records are found, if not by id",
    ),
)
