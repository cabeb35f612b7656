"""target-customcrm: loads Customcrm's contacts, customers and products, in step with the other side."""

from __future__ import annotations

from typing import Any, ClassVar

from customcrm_client.client import CustomcrmClient
from singer_edge.connections import CUSTOMCRM
from singer_sdk import typing as th
from sync_target import SyncTarget
from sync_target.settings import SYNC_SETTINGS

from target_customcrm.system import CustomcrmSystem


class TargetCustomcrm(SyncTarget):
    """Writes to a Customcrm."""

    name = "target-customcrm"
    side = "customcrm"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CUSTOMCRM,
        *SYNC_SETTINGS,
    ).to_dict()

    def connect(self) -> CustomcrmSystem:
        """Connect with the settings' key."""
        return CustomcrmSystem(CustomcrmClient(self.config["api_url"], self.config["api_key"], agent=self.name))
