"""What a CRM says where it refuses, read as its profile says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from api_transport.answer import Answer, decoded
from api_transport.error_text import ApiWords, Detail, read_error
from api_transport.errors import ApiError, Refused
from api_transport.exchange import Reply
from api_transport.json_text import NotJson
from api_transport.retry import TOO_MANY
from api_transport.verdict import Hints, Judge

from customcrm_client.flags import yes_or_no
from customcrm_client.paths import ABSENT, Get, first
from customcrm_client.profile import Errors, Mark
from customcrm_client.records import mark_of

MOST_DETAILS = 20
_SUCCESS_ENDS = 300
_NOT_MODIFIED = 304
_ERRORS = 400
_OWN_WORDS = ("message", "msg", "detail")


def is_own(error: ApiError, statuses: Collection[int]) -> bool:
    """Whether an error has one of these statuses, and it is the API's own no, or a success that is none.

    What a web server or proxy says of a path that leads nowhere has a status too.
    """
    is_success = (error.status or 0) < _SUCCESS_ENDS or error.status == _NOT_MODIFIED
    return error.status in statuses and (isinstance(error, Refused) or is_success)


class Refusals:
    """How a CRM refuses: its words, the statuses that are final, and answers that refuse with a status of success."""

    def __init__(self, errors: Errors, hints: Hints, too_many: Collection[str | int] = ()) -> None:
        self._words = error_reader(errors)
        self._flags = None if errors.flag is None else _flag(errors.flag)
        self.judge = Judge(self._words, hints, frozenset(errors.permanent), self._is_too_many)
        self._too_many = frozenset(map(str, too_many))

    def check(self, answer: Answer) -> None:
        """Raises Refused for an answer that is none."""
        if not self._refuses(answer.body):
            return
        words = self._words(answer.status, answer.body, answer.headers)
        raise Refused(
            "refused",
            method=answer.method,
            path=answer.path,
            status=answer.status,
            code=words.code,
            message=words.message,
            details=words.details,
            request_id=words.request_id,
        )

    def _refuses(self, body: Any) -> bool:
        """Whether an answer refuses in spite of its status."""
        return self._flags is not None and self._flags(body) is True

    def _is_too_many(self, reply: Reply) -> bool:
        """Whether a reply says "not now" to more requests than are allowed: by 429, or by a code of its own."""
        if reply.status == TOO_MANY:
            return True
        is_error = reply.status >= _ERRORS
        if not self._too_many or not (is_error or self._flags is not None):
            return False
        try:
            body = decoded(reply.raw)
        except NotJson:
            return False
        code = self._words(reply.status, body, reply.headers).code if is_error or self._refuses(body) else None
        return code is not None and str(code) in self._too_many


def _flag(said: Mark | str) -> Callable[[Any], Any]:
    if isinstance(said, Mark):
        return mark_of(said)
    get = first(said)
    return lambda body: yes_or_no(get(body))


def error_reader(errors: Errors) -> Callable[[int, Any, Mapping[str, str]], ApiWords]:
    """The function that reads an answer's words. What the profile's paths do not find is read in the usual ways."""
    messages = [first(path) for path in errors.message]
    details = None if errors.details is None else first(errors.details)
    field, text = first(errors.field), first(errors.text)
    code = None if errors.code is None else first(errors.code)

    def read(status: int, body: Any, headers: Mapping[str, str]) -> ApiWords:
        usual = read_error(status, body, headers)
        if not isinstance(body, (dict, list)):
            return usual
        found = code(body) if code else ABSENT
        points = () if details is None else tuple(_details(details(body), field, text))[:MOST_DETAILS]
        return ApiWords(
            code=found if isinstance(found, (int, str)) and not isinstance(found, bool) else usual.code,
            message=next((said for get in messages if (said := _words(get(body)))), usual.message),
            details=points or usual.details,
            request_id=usual.request_id,
        )

    return read


def _details(found: Any, field: Get, text: Get) -> list[Detail]:
    """The points of a refusal: a list of objects or texts, or an object of fields with their messages."""
    if isinstance(found, dict):
        return [Detail(name, _words(said)) for name, said in found.items() if _words(said)]
    points = []
    for one in found if isinstance(found, list) else []:
        if isinstance(one, dict):
            points.append(Detail(_words(field(one), ".") or None, _words(text(one))))
        elif _words(one):
            points.append(Detail(None, _words(one)))
    return points


def _words(value: Any, between: str = "; ") -> str:
    if isinstance(value, list):
        return between.join(said for one in value if (said := _words(one, between)))
    if isinstance(value, dict):
        # A point that has words of its own may repeat what was sent beside them.
        own = [value[name] for name in _OWN_WORDS if name in value]
        return between.join(said for one in own or value.values() if (said := _words(one, between)))
    return "" if value is None or value is ABSENT or isinstance(value, bool) else str(value)
