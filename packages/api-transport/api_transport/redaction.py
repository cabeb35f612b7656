"""No secret in any log line or error text.

`hide()` registers what must never be read by anyone: the process then knows each secret as it is, percent-encoded,
JSON-escaped, and inside Base64 (HTTP Basic). Filters at the "urllib3" loggers clean at the source, because urllib3's
debug log prints whole URLs; they also cut query strings there, which hold e-mail addresses at best, tokens at worst.
`RedactingFilter` does the same for a handler, so that it holds for whatever any library logs; it spells out control
characters too, for what is logged holds the words of strangers.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from typing import Any
from urllib.parse import quote, quote_plus

from api_transport.escaping import visible

HIDDEN = "***"
SHORTEST = 4
"""Texts shorter than this many characters are not registered: they would blot out half of every log line."""

_SHORTEST_IN_BASE64 = 6
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# What looks like a credential is hidden even where nobody registered it.
_NAMED = re.compile(r"(?i)((?:token|secret|password|api[_-]?key)=)[^&\s\"'<>]+")
_AUTHORIZATION = re.compile(r"\b(Basic|Bearer) [A-Za-z0-9+/=._~-]{16,}")
_QUERY = re.compile(r"\?[^\s\"']+")


class _Secrets:
    """The registered secrets of this process and the pattern that finds any of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        forms = _forms(secret)
        with self._lock:
            if forms <= self._forms:
                return
            self._forms |= forms
            # Longest first: a secret that contains another one is hidden whole.
            ordered = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(form) for form in ordered))

    def clean(self, text: str) -> str:
        pattern = self._pattern
        return pattern.sub(HIDDEN, text) if pattern else text


_secrets = _Secrets()
_installing = threading.Lock()


def hide(*secrets: str | None) -> None:
    """Never let these texts appear in a log line or an error text of this process. Repeating it does no harm.

    Empty texts and those shorter than `SHORTEST` are ignored.
    """
    for secret in secrets:
        if secret and len(secret.strip()) >= SHORTEST:
            _secrets.add(secret)
            _secrets.add(secret.strip())
    install()


def clean(text: str) -> str:
    """The text with every registered secret, and whatever looks like a credential, replaced by `HIDDEN`."""
    text = _secrets.clean(text)
    text = _NAMED.sub(rf"\g<1>{HIDDEN}", text)
    return _AUTHORIZATION.sub(rf"\g<1> {HIDDEN}", text)


class RedactingFilter(logging.Filter):
    """Cleans a log record's text, its arguments, its extra attributes and its traceback. Never drops a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; always true."""
        self._clean_text(record)
        _clean_traceback(record)
        for name, value in vars(record).items():
            if name not in _STANDARD_ATTRIBUTES:
                setattr(record, name, _cleaned(value))
        return True

    def cleaned(self, text: str) -> str:
        """What is left of one text."""
        return clean(text)

    def _clean_text(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # logging would print message and arguments of a record it cannot format to stderr, uncleaned.
            record.msg, record.args = self.cleaned(f"{record.msg} {record.args!r}"), ()
            return
        cleaned = visible(self.cleaned(text))
        if cleaned != text:
            record.msg, record.args = cleaned, ()


class _SourceFilter(RedactingFilter):
    """For the HTTP library's own loggers: query strings are cut as well."""

    def cleaned(self, text: str) -> str:
        return clean(_QUERY.sub("?…", text))


_filter = RedactingFilter()
_source_filter = _SourceFilter()


def install() -> None:
    """Put the filters at the HTTP library's loggers and on the root logger's handlers of this moment.

    Done by `hide()` and by every new transport; a program that sets up its logging later calls it once more.
    """
    with _installing:
        logging.getLogger("urllib3").addFilter(_source_filter)
        for name, logger in list(logging.Logger.manager.loggerDict.items()):
            if name.startswith(("urllib3.", "requests")) and isinstance(logger, logging.Logger):
                logger.addFilter(_source_filter)
        for handler in logging.getLogger().handlers:
            handler.addFilter(_filter)


def _forms(secret: str) -> set[str]:
    """Every way a secret may be spelled in a text."""
    raw = secret.encode("utf-8", "replace")
    forms = {secret, quote(raw), quote(raw, safe=""), quote_plus(raw), json.dumps(secret)[1:-1]}
    if len(raw) >= _SHORTEST_IN_BASE64:
        # In Base64 a text looks different depending on where in a group of three bytes it begins ("0:secret").
        # The characters that mix its bits with its neighbours' are left out.
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + raw).decode()
            core = encoded[(offset * 8 + 5) // 6 : (offset + len(raw)) * 8 // 6]
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _clean_traceback(record: logging.LogRecord) -> None:
    if record.exc_info and not record.exc_text:
        text = logging.Formatter().formatException(record.exc_info)
    else:
        text = record.exc_text or ""
    cleaned = clean(text)
    if cleaned != text:
        # Formatters that make their own text from exc_info must not find the original there.
        record.exc_text, record.exc_info = cleaned, None
    if record.stack_info:
        record.stack_info = clean(record.stack_info)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):  # a named tuple is made in a way of its own
        return type(value)(_cleaned(inner) for inner in value)
    return value
