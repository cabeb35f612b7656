"""What every tap does alike, beyond the SDK."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from types import FrameType
from typing import Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.encoding.base import GenericSingerWriter

from singer_edge.bookmark import bookmark_of
from singer_edge.console import SingerPlugin
from singer_edge.files import check_shape
from singer_edge.messages import MessageWriter


class EdgeTap(SingerPlugin, Tap, ABC):
    """A tap whose faults are told in one line, and that stops between two messages when it is told to."""

    message_writer_class: type[GenericSingerWriter[Any, Any]] = MessageWriter
    read_first: ClassVar[tuple[str, ...]] = ("customer",)
    """Streams that others refer to. Read before those, so that no record has to wait for the one it names."""

    def __init__(self, *, catalog: Any = None, **kwargs: Any) -> None:
        if isinstance(catalog, dict) and not isinstance(catalog, Catalog):
            check_shape(catalog, "--catalog", "--catalog")
        self._state_before: Mapping[str, Any] = {}
        super().__init__(catalog=catalog, **kwargs)

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by their names, in the order in which they are read."""
        if self._streams is None:
            found = super().streams
            first = {name: found[name] for name in self.read_first if name in found}
            self._streams = {**first, **found}
        return self._streams

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over the state of earlier runs. Raises UnusableFile where a bookmark in it is damaged."""
        check_shape(state, "--state", "--state")
        for stream, bookmark in state.get("bookmarks", {}).items():
            if stream in self.streams:
                bookmark_of(stream, bookmark)
        self._state_before = state
        super().load_state(state)

    def tell_systems(self) -> None:
        """Let every STATE from now on say which system is read."""
        systems = self.systems_read(self._state_before)
        if systems:
            self.state.update(systems=systems)  # type: ignore[call-arg]

    def systems_read(self, before: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """The system that is read, by its name in flows, as `systems` has it; none where this tap does not say.

        ``before`` is the state of earlier runs.
        """
        del before
        return {}

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at the end of a message. What was told so far stands: the state only ever covers what is out."""
        del frame
        if isinstance(self.message_writer, MessageWriter):
            self.message_writer.stop.request(signum)
        else:
            raise SystemExit(128 + signum)
