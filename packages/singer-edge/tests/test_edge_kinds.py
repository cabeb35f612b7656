"""The manners of a plug-in, given to a target and to a mapper."""

import pytest
from click.testing import CliRunner
from singer_edge import settings
from singer_edge.console import PluginCommand, SingerPlugin
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.mapper_base import InlineMapper

SETTINGS = th.PropertiesList(
    th.Property("links_url", th.StringType(nullable=False), required=True, secret=True, title="Link store"),
).to_dict()
SECRETS = th.PropertiesList(
    th.Property("links_url", th.StringType, secret=True), th.Property("api_key", th.StringType, secret=True)
).to_dict()
GOOD = {"links_url": "sqlite:////home/kari/My Files/blåbær.db"}


class TargetThing(SingerPlugin, Target):
    name = "target-thing"
    config_jsonschema = SETTINGS


class MapThing(SingerPlugin, InlineMapper):
    name = "map-thing"
    config_jsonschema = SETTINGS

    def map_schema_message(self, message_dict):
        yield message_dict

    map_record_message = map_activate_version_message = map_state_message = map_schema_message


@pytest.mark.parametrize("plugin", [TargetThing, MapThing])
def test_an_unknown_setting_is_refused_in_every_kind_of_plugin(plugin):
    with pytest.raises(ConfigValidationError) as told:
        plugin(config={**GOOD, "link_url": "x"})
    assert told.value.errors == ["unknown setting 'link_url' – did you mean 'links_url'?"]  # noqa: RUF001 - a dash for people


def test_the_sdk_s_settings_for_targets_are_known():
    config = {
        "add_record_metadata": False,
        "load_method": "append-only",
        "batch_size_rows": 10,
        "validate_records": True,
        "stream_maps": {},
        "flattening_enabled": False,
        "flattening_max_depth": 1,
    }
    assert TargetThing(config={**GOOD, **config}).config["batch_size_rows"] == 10


def test_the_sdk_s_settings_for_mappers_are_known():
    assert (
        MapThing(config={**GOOD, "stream_maps": {}, "stream_map_config": {}, "faker_config": {}}).config["stream_maps"]
        == {}
    )


def test_a_setting_that_is_nothing_is_a_setting_not_given():
    with pytest.raises(ConfigValidationError, match="wrong settings") as told:
        TargetThing(config={"links_url": "", "batch_size_rows": None})
    assert told.value.errors[0].startswith("missing setting 'links_url' (Link store)")


@pytest.mark.parametrize("plugin", [TargetThing, MapThing])
def test_the_command_line_is_the_sdk_s_with_manners(plugin):
    command = plugin.get_singer_command()
    assert isinstance(command, PluginCommand)
    assert CliRunner().invoke(command, ["--about"]).exit_code == 0
    assert CliRunner().invoke(command, ["--config", "nowhere.json"]).exit_code == 1


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("sqlite:////var/links.db", []),
        ("postgresql://kari:hemmelig%20ord@db.example.no/links", ["hemmelig%20ord", "hemmelig ord"]),
        ("postgresql://db.example.no/links?user=kari&password=hemmelig", ["hemmelig", "hemmelig"]),
    ],
)
def test_of_a_secret_address_only_the_password_is_hidden(url, secrets):
    assert settings.secrets_in({"links_url": url, "api_key": "nøkkel"}, SECRETS) == [*secrets, "nøkkel"]
