"""Writing messages while somebody wants the tap to stop."""

import json
import sys
from types import SimpleNamespace

import pytest
from singer_edge import messages
from singer_edge.messages import MessageWriter
from singer_sdk.singerlib import RecordMessage

MESSAGE = RecordMessage(stream="thing", record={"Id": "t1", "Text": "blåbær" * 100})


class Pipe:
    """Standard output that takes half of what it is given, and is interrupted by whatever is to happen then."""

    def __init__(self, interrupt=None):
        self.buffer = self
        self.taken = b""
        self.interrupt = interrupt

    def write(self, line):
        half = (len(line) + 1) // 2
        self.taken += line[:half]
        interrupt, self.interrupt = self.interrupt, None
        if interrupt:
            interrupt()
        return half

    def flush(self):
        pass


@pytest.fixture
def writer():
    return MessageWriter()


@pytest.fixture
def pipe(monkeypatch):
    pipe = Pipe()
    monkeypatch.setattr(messages, "sys", SimpleNamespace(stdout=pipe, exit=sys.exit))
    return pipe


def whole(pipe):
    return [json.loads(line)["record"] for line in pipe.taken.splitlines(keepends=True) if line.endswith(b"\n")]


def test_a_message_is_written_to_its_end(writer, pipe):
    writer.write_message(MESSAGE)
    writer.write_message(MESSAGE)
    assert whole(pipe) == [MESSAGE.record] * 2


def test_who_wants_to_stop_waits_for_the_message_being_written(writer, pipe):
    pipe.interrupt = lambda: writer.stop.request(15)
    with pytest.raises(SystemExit) as left:
        writer.write_message(MESSAGE)
    assert left.value.code == 143
    assert whole(pipe) == [MESSAGE.record]


def test_between_two_messages_it_stops_at_once(writer, pipe):
    writer.write_message(MESSAGE)
    with pytest.raises(SystemExit) as left:
        writer.stop.request(2)
    assert left.value.code == 130


def test_who_asks_twice_does_not_wait(writer, pipe):
    def ask_twice():
        writer.stop.request(15)
        writer.stop.request(15)

    pipe.interrupt = ask_twice
    with pytest.raises(SystemExit):
        writer.write_message(MESSAGE)
    assert whole(pipe) == []
