"""From the settings of a plug-in to its profile and its client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from located_yaml import Fault
from located_yaml.root import project_root

from customcrm_client.auth import needs
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import REFERENCE, load
from customcrm_client.profile import Profile


def profile_of(config: Mapping[str, Any], *, inferring: bool = False) -> Profile:
    """The profile that the settings name. Raises Fault.

    `inferring`: nothing need say which properties a stream has.
    """
    variables = config.get("profile_variables") or {}
    return load(config.get("profile") or REFERENCE, project_root(), variables, inferring=inferring)


def check_credentials(config: Mapping[str, Any], profile: Profile, plugin: str) -> None:
    """Raises Fault where a setting is missing that the profile's auth needs."""
    prefix = plugin.upper().replace("-", "_")
    for name in needs(profile.auth):
        if not config.get(name):
            kind = profile.auth.__struct_config__.tag
            raise Fault(
                f"missing setting '{name}'",
                f"the profile's auth ({kind}) needs it. Set it in the configuration, or as {prefix}_{name.upper()}.",
            )


def client_of(config: Mapping[str, Any], profile: Profile, plugin: str, **options: Any) -> CustomcrmClient:
    """The CRM of the settings. Raises Fault where a setting is missing."""
    check_credentials(config, profile, plugin)
    return CustomcrmClient(
        config["api_url"],
        config.get("api_key") or "",
        api_user=config.get("api_user") or "",
        refresh_token=config.get("refresh_token") or "",
        token_store=project_root() / config["token_store"],
        profile=profile,
        agent=plugin,
        in_flight=config["max_concurrent_requests"],
        **options,
    )
