import json
import math

import pytest
from api_transport.escaping import visible
from api_transport.json_text import NotJson, read, read_patiently


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": [1, 1.5, "\\u00e6", null, true]}', {"a": [1, 1.5, "æ", None, True]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"x\\ud800y"', "x\ufffdy"),
        (b'{"\\udfff": ["\\ud800"]}', {"\ufffd": ["\ufffd"]}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"1e308", 1e308),
        (b"1e400", "1e400"),
        (b"-1e400", "-1e400"),
        (b'"\\u0000"', "\0"),
    ],
)
def test_what_is_sent_is_read(text, value):
    assert read(text) == value
    assert read(text.decode()) == value
    read_again = json.dumps(read(text)).encode()
    assert read_again.decode("utf-8")
    assert not isinstance(read(text), float) or math.isfinite(read(text))


@pytest.mark.parametrize(
    "text", [b"NaN", b"[Infinity]", b"{", b"'a'", b"\xff", b'"\xff"', b"[" * 100_000 + b"]" * 100_000]
)
def test_what_is_no_json_is_told_as_such(text):
    with pytest.raises(NotJson):
        read(text)


def test_numbers_are_made_as_asked():
    assert read_patiently('[1.50, "\\ud800"]', str) == ["1.50", "\ufffd"]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Ærlig AS, 名前", "Ærlig AS, 名前"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("a\xa0b", "a\xa0b"),
    ],
)
def test_what_could_steer_a_terminal_is_spelled_out(text, spelled):
    assert visible(text) == spelled
