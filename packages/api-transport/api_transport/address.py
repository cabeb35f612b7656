"""Where a request goes: the base address, path segments made of ids, query strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from api_transport.errors import UnexpectedAnswer, Unreachable, without_query

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443}


class Address:
    """An API's base address, e.g. `https://tripletex.no/v2`.

    Raises `Unreachable` where it is none; the text never repeats a user name or password found in it.
    """

    def __init__(self, base_url: str) -> None:
        try:
            parts = urlsplit(base_url.strip())
            self.origin = (
                parts.scheme.lower(),
                (parts.hostname or "").lower(),
                parts.port or _PORTS.get(parts.scheme, 0),
            )
        except ValueError:
            parts, self.origin = urlsplit(""), ("", "", 0)
        wrong = (
            "does not begin with https:// or http://" if self.origin[0] not in _PORTS
            else "has no host name" if not self.origin[1]
            else "holds a user name or password" if parts.username is not None or parts.password is not None
            else "ends in a query or fragment" if parts.query or parts.fragment
            else ""
        )  # fmt: skip
        if wrong:
            raise Unreachable(f"api_url {wrong}", todo="write it like https://crm.example.com/api/v1")
        self._base = base_url.strip().rstrip("/")

    @property
    def host(self) -> str:
        """Host and port as written, for texts."""
        return urlsplit(self._base).netloc

    @property
    def place(self) -> str:
        """Host, port and path in one spelling, however the address was written."""
        scheme, host, port = self.origin
        host = f"[{host}]" if ":" in host else host
        named = "" if port == _PORTS[scheme] else f":{port}"
        return f"{host}{named}{urlsplit(self._base).path}"

    def __str__(self) -> str:
        return self._base

    def url(self, path: str, params: Mapping[str, Any] | None = None) -> str:
        """Make the whole URL of a path below the base, or of a link the API gave (same host only).

        Raises `UnexpectedAnswer` for a link to another host: the credentials must not be sent there.
        """
        url = self._followed(path) if "://" in path.partition("?")[0] else self._base + "/" + path.lstrip("/")
        asked = query(params)
        return url + ("&" if "?" in url else "?") + asked if asked else url

    def _followed(self, link: str) -> str:
        """Make the URL of a link: a server behind one that speaks TLS for it may call itself http."""
        origin = Address.origin_of(link)
        if origin == self.origin:
            return link
        if origin is None or not self._is_named(*origin):
            raise UnexpectedAnswer(
                "a link leads to another host than api_url",
                path=without_query(link),
                todo="set api_url to the host of the links",
            )
        own, there = urlsplit(self._base), urlsplit(link)
        return urlunsplit((own.scheme, own.netloc, there.path, there.query, ""))

    def _is_named(self, scheme: str, host: str, port: int) -> bool:
        """Whether a link means this server, of whichever scheme: by the same port, or by the usual one of each."""
        own_scheme, own_host, own_port = self.origin
        both_usual = (port, own_port) == (_PORTS.get(scheme), _PORTS[own_scheme])
        return scheme in _PORTS and host == own_host and (port == own_port or both_usual)

    @staticmethod
    def origin_of(url: str) -> tuple[str, str, int] | None:
        """Return scheme, host and port of a URL; None where it is none, or carries a user name."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
        except ValueError:
            return None
        return None if parts.username is not None else (parts.scheme.lower(), (parts.hostname or "").lower(), port)


def segment(text: str | int) -> str:
    """Percent-encode one path segment: `f"/contacts/{segment(id)}"`.

    Raises ValueError for "", "." and "..", which would ask for something else than a record.
    """
    plain = str(text)
    if plain in ("", ".", ".."):
        raise ValueError(f"{plain!r} is not an id: a URL with it would mean another resource")
    return quote(plain, safe="", errors="replace")


def query(params: Mapping[str, Any] | None) -> str:
    """Make a query string. None is left out, True and False are `true` and `false`, a list repeats its name.

    Commas, parentheses, asterisks and colons stay readable (and short), for lists and field expressions.
    """
    pairs = [
        (name, str(single).lower() if isinstance(single, bool) else str(single))
        for name, value in (params or {}).items()
        for single in (value if isinstance(value, (list, tuple)) else [value])
        if single is not None
    ]
    # A blank is %20: not every server reads a + as one.
    return urlencode(pairs, safe=",()*:", errors="replace", quote_via=quote)
