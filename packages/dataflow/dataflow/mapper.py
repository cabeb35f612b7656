"""The Singer mapper: a pure function of a record, told to the target together with everything else it has to know."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import FrameType
from typing import IO, Any, ClassVar

from customcrm_client.settings import profile_of
from located_yaml import Fault
from located_yaml.root import project_root
from singer_edge.connections import PROFILE
from singer_edge.console import EXPECTED, SingerPlugin
from singer_edge.errors import RunFailed
from singer_edge.rehearsal import Rehearsal
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.mapper_base import InlineMapper
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.encoding.simple import Message

from dataflow.compiling import Build, compile_flow
from dataflow.errors import ConfigError, DataflowError
from dataflow.lines import LineReader, LineWriter
from dataflow.rehearsing import Rehearsed
from dataflow.schema import target_schema
from dataflow.sending import legs_sent
from dataflow.side import DIRECTIONS, Direction
from dataflow.streams import absent, stream_schemas
from dataflow.tables import Dataflow

Content = dict[str, Any]


@dataclass(slots=True)
class Plain(Message):
    """A message that is written as it stands."""

    content: Content

    def to_dict(self) -> Content:
        """The message itself."""
        return self.content


class DataflowMapper(SingerPlugin, InlineMapper):
    """Makes the target system's records out of the source system's, by the property tables of a dataflow."""

    name = "dataflow-mapper"
    package_name = "customcrm-tripletex-dataflow"
    message_reader_class = LineReader
    message_writer_class = LineWriter
    message_reader: LineReader
    message_writer: LineWriter
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    expected_failures = (*EXPECTED, DataflowError, Fault)
    config_jsonschema: ClassVar[Content] = {
        "type": "object",
        "properties": {
            "direction": {
                "type": "string",
                "enum": [direction.name for direction in DIRECTIONS],
                "title": "Direction",
                "description": "Whose records come in, and whose go out",
            },
            "tables": {
                "type": "array",
                "items": {"type": ["string", "object"]},
                "minItems": 1,
                "title": "Tables",
                "description": (
                    "The property tables: YAML files, relative to the project's folder, or tables written out here"
                ),
            },
            **th.PropertiesList(*PROFILE).to_dict()["properties"],
        },
        "required": ["direction", "tables"],
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        names = {direction.name: direction for direction in DIRECTIONS}
        self.direction: Direction = names[self.config["direction"]]
        profile = profile_of(self.config)
        self.dataflow = Dataflow.load(self.config["tables"], project_root(), stream_schemas(profile), absent(profile))
        self._flows = self.dataflow.going(self.direction)
        self._builds: dict[str, list[tuple[str, Build]]] = {}
        rehearsal = Rehearsal.asked()
        self._rehearsed = None if rehearsal is None else Rehearsed(rehearsal, self.direction.source)
        if not self._flows:
            raise ConfigError(f"None of the tables carries anything {self.direction.key}; check direction: in them.")

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Map the messages of the input until it ends, or a signal stops it."""
        if about:
            cls.print_about(about_format)
            return
        given = config or _ConfigInput()
        mapper = cls(config=given.config, parse_env_config=given.parse_env)
        try:
            mapper.listen(file_input)
            mapper.end()
        finally:
            if not isinstance(sys.exc_info()[1], BrokenPipeError):
                mapper.message_writer.flush()

    def map_schema_message(self, message_dict: Content) -> Iterable[Message]:
        """One SCHEMA for each flow that reads the stream, in the order in which they are offered its records."""
        stream, schema = message_dict["stream"], message_dict["schema"]
        yield from self._rest_of(*(other for other in self._builds if other != stream))
        flows = [flow for flow in self._flows if flow.stream(self.direction.source) == stream]
        if not flows and stream not in self._builds:
            self.logger.info("Stream %s is in no table, so its records go no further.", stream)
        self._builds[stream] = []
        for flow in flows:
            legs = legs_sent(self.dataflow, flow, self.direction, schema, warn=self.logger.warning)
            build = compile_flow(legs, flow.condition(self.direction), self.direction)
            self._builds[stream].append((flow.name, build))
            yield Plain(
                {
                    "type": "SCHEMA",
                    "stream": flow.name,
                    "schema": target_schema(self.dataflow, flow, self.direction, legs),
                    "key_properties": [],
                }
            )

    def map_record_message(self, message_dict: Content) -> Iterator[Message]:
        """The record as each flow that reads its stream has it."""
        record = message_dict["record"]
        if self._rehearsed is not None:
            record = self._rehearsed.as_it_would_be(message_dict["stream"], record)
            if record is None:
                return
        passed: Content = {key: message_dict[key] for key in ("version", "time_extracted") if key in message_dict}
        for flow, build in self._flows_of(message_dict):
            yield Plain({"type": "RECORD", "stream": flow, "record": build(record), **passed})

    def map_state_message(self, message_dict: Content) -> Iterable[Message]:
        """The same state."""
        return (Plain(message_dict),)

    def map_activate_version_message(self, message_dict: Content) -> Iterator[Message]:
        """The same version, for each flow that reads the stream."""
        yield from self._rest_of(message_dict["stream"])
        for flow, _ in self._flows_of(message_dict):
            yield Plain({**message_dict, "stream": flow})

    def end(self) -> None:
        """The input has ended."""
        self._write_messages(self._rest_of(*self._builds))

    def _rest_of(self, *streams: str) -> Iterator[Message]:
        """In a rehearsal, the records of streams that have ended that only it knows of."""
        if self._rehearsed is None:
            return
        moment = datetime.now(timezone.utc).isoformat()
        for stream in streams:
            for record in self._rehearsed.rest(stream):
                for flow, build in self._builds[stream]:
                    message = {"type": "RECORD", "stream": flow, "record": build(record), "time_extracted": moment}
                    yield Plain(message)

    def map_batch_message(self, message_dict: Content) -> Iterable[Message]:
        """Not understood: a batch's records are in files that the target would read unmapped."""
        raise RunFailed(
            f"The tap sends stream {message_dict['stream']} in BATCH files, which cannot be mapped. "
            "Remove batch_config from the tap's settings."
        )

    def _flows_of(self, message: Mapping[str, Any]) -> list[tuple[str, Build]]:
        try:
            return self._builds[message["stream"]]
        except KeyError:
            raise RunFailed(
                f"A {message['type']} of stream {message['stream']} comes before the stream's SCHEMA. "
                "Send the tap's whole output, from its beginning."
            ) from None

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop between two messages, and leave the way a stopped process does.

        A second signal changes nothing: Meltano and the terminal may both send one, and half a message helps nobody.
        """
        del frame
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        self.message_reader.stop.request(signum)
