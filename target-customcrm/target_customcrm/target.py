"""target-customcrm: loads the streams of a Customcrm, in step with the other side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from customcrm_client.auth import needs
from customcrm_client.profile import Profile
from customcrm_client.settings import client_of, profile_of
from located_yaml import Fault
from singer_edge.connections import CUSTOMCRM
from singer_sdk import typing as th
from sync_target import SyncTarget
from sync_target.settings import SYNC_SETTINGS

from target_customcrm.system import CustomcrmSystem


class TargetCustomcrm(SyncTarget):
    """Writes to a CRM, as its profile describes it."""

    name = "target-customcrm"
    side = "customcrm"
    expected_failures = (*SyncTarget.expected_failures, Fault)
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CUSTOMCRM,
        *SYNC_SETTINGS,
    ).to_dict()

    def needed_settings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """What the profile's auth needs."""
        del config
        return needs(self.profile.auth)

    @cached_property
    def profile(self) -> Profile:
        """How the CRM is spoken to."""
        return profile_of(self.config)

    def connect(self) -> CustomcrmSystem:
        """Connect with the settings' key."""
        client = client_of(self.config, self.profile, self.name)
        return CustomcrmSystem(client, in_flight=self.config["max_concurrent_requests"])
