"""A plug-in's command line: whatever goes wrong that can be expected ends as one clear line and exit code 1.

    class TapExample(SingerPlugin, Tap): ...

is all it takes; ``TapExample.cli`` is the command, as everywhere in the SDK (see ``start``). A failure that nobody
expected is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import logging
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import click
from api_transport import redaction
from api_transport.errors import ApiError
from singer_sdk.cli import plugin_cli
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError, SyncLifecycleSignal
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput

from singer_edge import settings
from singer_edge.errors import RunFailed, UnusableFile, one_line
from singer_edge.files import SingerFile, read_object
from singer_edge.messages import unwritable

EXPECTED: tuple[type[Exception], ...] = (ApiError, RunFailed, SingerSDKError)
"""Failures of a run that are not bugs of ours."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""There is no room left where standard output goes. Files and databases tell their own failures."""

_FILE_OPTIONS = ("--catalog", "--state")


class SingerPlugin(PluginBase):
    """Mix-in for taps, targets and mappers: settings checked to the letter, secrets hidden, failures in one line."""

    setting_checks: ClassVar[Mapping[str, settings.Check]] = settings.CHECKS
    """What is looked at beyond a setting's type, by its name."""

    expected_failures: ClassVar[tuple[type[Exception], ...]] = EXPECTED
    """The exceptions that end a run in one line. A plug-in adds those of the libraries it uses."""

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the configuration and fill in defaults.

        Without ``raise_errors`` (the SDK's way to discover) required settings may be missing; what is given must be
        right all the same. Raises ConfigValidationError.
        """
        own = dict(self.config_jsonschema["properties"])
        schema = self.settings_schema()
        self._config = settings.given(self._config)
        if raise_errors:
            needed = self.needed_settings(self._config)
            schema["required"] = list(dict.fromkeys([*schema.get("required", []), *needed]))
        redaction.hide(*settings.secrets_in(self._config, schema))
        faults = settings.faults(
            self._config,
            schema,
            plugin=self.name,
            own=own,
            checks=self.setting_checks,
            complete=raise_errors,
        )
        if faults:
            # One line however many faults there are; the SDK would print a line for each.
            raise ConfigValidationError("wrong settings", errors=["; ".join(faults)], schema=schema)
        return faults

    def needed_settings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """The settings that these make necessary, beside those that are required always."""
        del config
        return ()

    @classmethod
    def settings_schema(cls) -> dict[str, Any]:
        """The JSON schema of all settings: the plug-in's own, and those the SDK gives to every plug-in of its kind."""
        schema = {**cls.config_jsonschema, "properties": dict(cls.config_jsonschema["properties"])}
        cls.append_builtin_config(schema)
        return schema

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - the SDK's descriptor passes the class
        """Settings from environment variables, as ``--config ENV`` asks for them."""
        return settings.from_environment(cls.settings_schema(), cls._env_var_prefix)

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the ``--config`` files, later ones over earlier ones; ``ENV`` stands for the environment."""
        del ctx, param
        config: dict[str, Any] = {}
        for path in value:
            config |= {} if path == "ENV" else read_object(path, "--config")
        return _ConfigInput(config=config, parse_env="ENV" in value)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command with a plug-in's manners."""
        command = super().get_singer_command()
        for option in command.params:
            if option.opts[0] in _FILE_OPTIONS:
                option.type = SingerFile()
        return PluginCommand(
            name=command.name,
            callback=command.callback,
            params=command.params,
            help=command.help,
            context_settings=command.context_settings,
            logger=cls.logger,
            expected=cls.expected_failures,
        )

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - the SDK's descriptor passes the class
        """The console script."""
        try:
            command = super().cli
        except ValueError as error:  # LOGLEVEL, or a logging configuration that is none
            sys.exit(f"{cls.name}: logging cannot be set up: {one_line(error)}; check LOGLEVEL")
        return command


class PluginCommand(SingerCommand):
    """A command that tells an expected failure in one line, wherever in the command it happens."""

    def __init__(self, *args: Any, expected: tuple[type[Exception], ...] = EXPECTED, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - click's signature
        **extra: Any,
    ) -> Any:
        """Run, and leave with an exit code: 0, 1 for a failure, 2 for a command line that is none."""
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        # Where whoever read our output is gone, click leaves quietly, with exit code 1.
        sys.exit(self._exit_code_of(run))

    def _exit_code_of(self, run: Callable[[], Any]) -> int:
        try:
            left = run()
            sys.stdout.flush()
        except click.Abort:
            return 130
        except click.ClickException as error:
            self.logger.error("%s; see %s --help", one_line(error.format_message()).rstrip("."), self.name)  # noqa: TRY400 - one line
            return error.exit_code
        except self.expected as error:
            self.logger.error("%s", _told(error))  # noqa: TRY400 - one line is all that helps
            return 1
        except OSError as error:
            if error.errno not in (*FULL, errno.EPIPE):
                raise
            failed = unwritable(error)
            if error.errno != errno.EPIPE:
                self.logger.error("%s", failed)  # noqa: TRY400 - one line
            return 1
        return left if isinstance(left, int) else 0

    def invoke(self, ctx: click.Context) -> Any:
        """Run the callback; warnings go to the log, as the SDK has it."""
        logging.captureWarnings(capture=True)
        warnings.filterwarnings("once", category=DeprecationWarning)
        sys.excepthook = self.excepthook
        return click.Command.invoke(self, ctx)


def is_expected(error: BaseException | None, expected: tuple[type[Exception], ...] = EXPECTED) -> bool:
    """Whether a failure will be told in one line at the end, so that nobody need log it on its way."""
    return isinstance(error, (*expected, BrokenPipeError, SyncLifecycleSignal))


def _told(error: Exception) -> str:
    if isinstance(error, ConfigValidationError) and error.errors:
        return one_line("; ".join(error.errors))
    return one_line(error) or type(error).__name__


__all__ = ["EXPECTED", "PluginCommand", "RunFailed", "SingerPlugin", "UnusableFile", "is_expected"]
