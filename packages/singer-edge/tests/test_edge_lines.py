"""What a line of the input must be, and what is said of one that is not."""

import io

import pytest
from singer_edge.errors import RunFailed
from singer_edge.lines import lines_of, message_of

BAD_LINES = [
    b'{"type": "RECORD", "stream": "product", "record": {"Name": "Kari Nordmann",\n',
    b"Kari Nordmann\n",
    b"\xff\xfe Kari Nordmann\n",
    b'["Kari Nordmann"]\n',
    b'{"kind": "Kari Nordmann"}\n',
    b'{"type": "Kari Nordmann"}\n',
    b'{"type": {"Kari": "Nordmann"}}\n',
    b'{"type": "RECORD", "stream": "product", "record": "Kari Nordmann"}\n',
    b'{"type": "RECORD", "record": {"Name": "Kari Nordmann"}}\n',
    b'{"type": "STATE", "value": "Kari Nordmann"}\n',
    b'{"type": "ACTIVATE_VERSION", "stream": "Kari Nordmann", "version": "1"}\n',
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_line_that_is_no_message_is_refused_by_its_number_alone(bad):
    with pytest.raises(RunFailed, match=r"^Line 3 of the input is [^\n]+\.$") as caught:
        message_of(bad, 3)
    assert "Nordmann" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", ["SCHEMA", "STATE", "RECORD"])
def test_nesting_that_no_reader_gets_to_the_bottom_of_is_refused(kind):
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    line = b'{"type":"%s","stream":"x","value":%s}' % (kind.encode(), deep)
    with pytest.raises(RunFailed, match="^Line 7 of the input is nested too deeply.$"):
        message_of(line, 7)


def test_half_a_character_and_a_large_number_are_read_patiently():
    line = b'{"type": "STATE", "value": {"name": "\\ud83d", "size": 1e400}}'
    assert message_of(line, 1)["value"] == {"name": "\ufffd", "size": "1e400"}


def test_an_input_that_cannot_be_read_is_told():
    class Broken(io.StringIO):
        def __next__(self):
            raise IsADirectoryError(21, "Is a directory")

    with pytest.raises(RunFailed, match="The input cannot be read: Is a directory"):
        list(lines_of(Broken()))
