"""ETags as they come through proxies, and as a CRM may take them back."""

from __future__ import annotations

import re

_COMPRESSED = re.compile(r'(?:-{1,2}|;)(?:gzip|br|deflate)"$')


def spellings(etag: str) -> tuple[str, ...]:
    """The tags that a change may be sent over, likeliest first; each names just this state of the record.

    A proxy that compresses makes `"1"` weak (`W/"1"`, nginx) or names the compression in it (`"1-gzip"`, Apache). The
    CRM behind it knows the bare tag, and `If-Match` never matches a weak one (RFC 9110, 13.1.1); but a CRM may make
    weak tags itself, and compare them as texts.
    """
    bare = etag.removeprefix("W/")
    plain = _COMPRESSED.sub('"', bare)
    return tuple(dict.fromkeys((bare, etag, plain)))
