"""What was asked of a CRM and what of its answer each path found, in lines for whoever writes a profile.

Of what an answer holds its form is told and no value: names of keys, kinds, numbers of entries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from api_transport.address import query
from api_transport.answer import Answer

from customcrm_client.compiled import KEY, CompiledStream
from customcrm_client.list_request import of_list
from customcrm_client.paths import ABSENT, every, first
from customcrm_client.profile_paging import NoPaging
from customcrm_client.records import NoRecord
from customcrm_client.schema import properties_of

MOST_KEYS = 12
Tell = Callable[[str], None]


class Tracing:
    """Tells each request as it is sent, and what of the answer each path of its stream finds."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._shown: set[tuple[str, bool]] = set()

    def __call__(self, one: CompiledStream, method: str, asked: Mapping[str, Any], answer: Answer) -> None:
        """Tell one request and its answer. Secrets and searched values are masked by the log."""
        params = query(asked.get("params"))
        sent = asked.get("json")
        body = f" {json.dumps(sent, ensure_ascii=False)}" if isinstance(sent, (dict, list)) else ""
        names = ", ".join(asked.get("headers") or ())
        headers = f" [{names}]" if names else ""
        self._tell(f"{method} {answer.path}{' ? ' if params else ''}{params}{headers}{body}")
        self._tell(f"    {answer.status}: {form_of(answer.body)}")
        is_list = answer.path.endswith(of_list(one.stream).path)
        for key, path, found in _found_in_list(one, answer) if is_list else _found_in_one(one, answer):
            self._tell(f"    {key}: {path} finds {form_of(found)}")
        if (one.name, is_list) not in self._shown:
            self._shown.add((one.name, is_list))
            for key, path, found in _found_in_record(one, _record_in(one, answer, is_list=is_list)):
                self._tell(f"    {key}: {path} finds {form_of(found)}")


def _found_in_list(one: CompiledStream, answer: Answer) -> Iterator[tuple[str, str, Any]]:
    read = one.stream.read
    for path in read.records:
        found = every(path)(answer.body)
        yield "records", path, found[0] if found else ABSENT
    paging = read.paging
    if not isinstance(paging, NoPaging):
        told = {key: getattr(paging.end, key) for key in ("total", "pages", "more")}
        told |= {key: getattr(paging, key) for key in ("cursor", "url") if hasattr(paging, key)}
        for key, path in told.items():
            if path is not None:
                yield key, path, first(path)(answer.body)


def _found_in_one(one: CompiledStream, answer: Answer) -> Iterator[tuple[str, str, Any]]:
    get = one.stream.get
    if get is not None and answer.method == "GET":
        yield "record", get.record, first(get.record)(answer.body)


def _record_in(one: CompiledStream, answer: Answer, *, is_list: bool) -> Any:
    """The first record that an answer holds."""
    if not is_list:
        return ABSENT if one.stream.get is None else first(one.stream.get.record)(answer.body)
    rows = (rows for path in one.stream.read.records for rows in every(path)(answer.body))
    return next((found[0] for found in rows if isinstance(found, list) and found), ABSENT)


def _found_in_record(one: CompiledStream, raw: Any) -> Iterator[tuple[str, str, Any]]:
    try:
        inner = one.shape.read_raw(raw)
    except NoRecord:
        return
    stream = one.stream
    updated_at = stream.updated_at[0] if stream.updated_at else None
    paths = {"id": stream.id, "created_at": stream.created_at, "updated_at": updated_at}
    paths |= {name: said.path or name for name, said in properties_of(stream).items()}
    for key, path in paths.items():
        if path is not None:
            found = first(path)(inner)
            yield key, path, first(path)(raw) if found is ABSENT else found


def form_of(value: Any) -> str:
    """What kind of thing it is, without saying what it says."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, dict):
        names = [name for name in value if KEY.fullmatch(name)][:MOST_KEYS]
        rest = len(value) - len(names)
        if not names:
            return f"an object with {f'keys that are no names: {rest}' if rest else 'nothing in it'}"
        return f"an object with {', '.join(names)}{f' and {rest} more' if rest else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)}, the first: {form_of(value[0])}" if value else "an empty list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text" if value else "an empty text"
