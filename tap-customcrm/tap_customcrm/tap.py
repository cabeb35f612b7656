"""The tap: settings and streams."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click
from customcrm_client.auth import needs
from customcrm_client.infer import guessed, inferred, together
from customcrm_client.probing import probe
from customcrm_client.settings import client_of, profile_of
from located_yaml import Fault, parse
from located_yaml.structs import plain
from singer_edge import settings
from singer_edge.connections import CUSTOMCRM
from singer_edge.console import EXPECTED
from singer_edge.errors import RunFailed
from singer_edge.files import read_object
from singer_sdk import typing as th
from typing_extensions import Self

from tap_customcrm.streams import ConnectedTap, CustomcrmStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from customcrm_client.client import CustomcrmClient
    from customcrm_client.profile import Profile
    from singer_sdk.plugin_base import _ConfigInput

SAMPLE = 500
"""Records of each stream that a schema is inferred from."""

VERBOSE = "tap_customcrm.verbose"

Made = TypeVar("Made", bound="TapCustomcrm")


class TapCustomcrm(ConnectedTap):
    """Reads contacts, customers and products of a CRM, and whatever else its profile describes."""

    name = "tap-customcrm"
    expected_failures = (*EXPECTED, Fault)

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CUSTOMCRM,
        settings.start_date("by UpdatedAt"),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=1000, nullable=False),
            default=100,
            title="Page size",
            description="Records asked for in one request, as far as the profile allows",
        ),
        settings.full_read_every(),
        settings.max_concurrent_requests(default=4),
    ).to_dict()

    def needed_settings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """What the profile's auth needs."""
        del config
        return needs(self.profile.auth)

    @cached_property
    def profile(self) -> Profile:
        """How the CRM is spoken to."""
        return profile_of(self.config)

    @cached_property
    def client(self) -> CustomcrmClient:
        """The CRM."""
        return client_of(self.config, self.profile, self.name, page_size=self.config["page_size"])

    def discover_streams(self) -> Sequence[CustomcrmStream]:
        """List the streams; the CRM need not be asked."""
        return [CustomcrmStream(self, name, stream) for name, stream in self.profile.streams.items()]

    def systems_read(self, before: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """The CRM, by its address."""
        del before
        return {"customcrm": {"identity": self.client.identity()}}

    # The command line

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with `--infer`, and `--verbose` for `--test=connection`."""
        command = super().get_singer_command()
        command.params.insert(
            0,
            click.Option(
                ["--verbose"],
                is_flag=True,
                is_eager=True,
                help="With --test=connection: tell each request, and what of the answer each path found.",
                callback=cls.cb_verbose,
                expose_value=False,
            ),
        )
        command.params.append(
            click.Option(
                ["--infer"],
                type=click.Path(dir_okay=False),
                help="Write the streams' JSON schemas, as a sample of records has them, to this file and end. "
                "What stands in the file already is kept.",
                callback=cls.cb_infer,
                expose_value=False,
            )
        )
        command.params.append(
            click.Option(
                ["--draft-from"],
                type=click.Path(dir_okay=False, exists=True),
                help="Write a draft of a profile, made of this OpenAPI description (JSON or YAML), and end. "
                "What is guessed is marked `# ?`.",
                callback=cls.cb_draft,
                expose_value=False,
            )
        )
        return command

    @classmethod
    def cb_draft(cls, ctx: click.Context, param: click.Option, value: str | None) -> None:
        """`--draft-from FILE`: the draft goes to standard output."""
        del param
        if value is None:
            return
        from customcrm_client.drafting import drafted  # noqa: PLC0415 - a run drafts nothing

        try:
            text = Path(value).read_text(encoding="utf-8")
            said = json.loads(text) if text.lstrip().startswith("{") else plain(parse(text, value).value)
            click.echo(drafted(said), nl=False)
        except (ValueError, OSError) as error:
            raise click.ClickException(f"--draft-from {value}: {error}") from None
        ctx.exit()

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """`--test=connection`: tell what the profile finds. Everything else is the SDK's."""
        if value != "connection":
            super().cb_test(ctx, param, value)
            return
        tap = cls.made_for(ctx)
        if ctx.meta.get(VERBOSE):
            from customcrm_client.tracing import Tracing  # noqa: PLC0415 - a run tells no requests

            tap.client.watch = Tracing(lambda line: tap.logger.info("%s", line))
        tap.tell_connection()
        ctx.exit()

    @classmethod
    def cb_verbose(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: FBT001 - click's form
        """`--verbose`: keep it for `--test`."""
        del param
        ctx.meta[VERBOSE] = value

    @classmethod
    def cb_infer(cls, ctx: click.Context, param: click.Option, value: str | None) -> None:
        """`--infer FILE`."""
        del param
        if value is None:
            return
        TapInferring.made_for(ctx).write_schemas_to(Path(value))
        ctx.exit()

    @classmethod
    def made_for(cls, ctx: click.Context) -> Self:
        """The tap with the settings of a command line."""
        config: _ConfigInput | None = ctx.params.get("config")
        return cls(config=config.config, parse_env_config=config.parse_env) if config else cls()

    def tell_connection(self) -> None:
        """Log what the profile finds in the CRM. Raises RunFailed where it does not fit."""
        problems = 0
        for name in self.profile.streams:
            found = probe(self.client, name)
            if found.told:
                self.logger.info("%s", found.line())
            for problem in found.problems:
                self.logger.warning("%s: %s", name, problem)
            problems += len(found.problems)
        if problems:
            raise RunFailed(f"The profile does not fit the CRM: {problems} problem{'s' * (problems > 1)}, told above.")
        self.logger.info("The profile fits the CRM.")


class TapInferring(TapCustomcrm):
    """The tap while it finds out which properties the CRM's records have."""

    @cached_property
    def profile(self) -> Profile:
        """The profile, of which nothing need say which properties a stream has."""
        return profile_of(self.config, inferring=True)

    def write_schemas_to(self, path: Path) -> None:
        """Write what a sample of each stream has; what stands in the file already is kept.

        Raises RunFailed where the file cannot be written, UnusableFile where what is there is no file of schemas.
        """
        kept = read_object(str(path), "--infer") if path.exists() else {}
        for name in self.profile.streams:
            records = self.client.sample(name, SAMPLE)
            schema = inferred(records)
            kept[name] = together(kept[name], schema) if isinstance(kept.get(name), dict) else schema
            self.logger.info("%s: %d properties in %d records", name, len(schema["properties"]), len(records))
            if empty := guessed(kept[name]):
                what = "no record has a value, taken for text; correct it in the file"
                self.logger.warning("%s: %s: %s", name, ", ".join(empty), what)
        try:
            path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise RunFailed(f"--infer: {path} cannot be written: {error.strerror}") from None
        self.logger.info("Written to %s. Name it under schemas: in the profile.", path)
