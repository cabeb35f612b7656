"""Looking for records of a CRM by what they say."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api_transport.address import query

from customcrm_client.compiled import CompiledStream
from customcrm_client.list_request import ListRequest, laid_over
from customcrm_client.reading import LARGEST, QUERY_AT_MOST, CustomcrmReader
from customcrm_client.records import Record
from customcrm_client.schema import ID
from customcrm_client.templates import Several, filled


class CustomcrmSearcher(CustomcrmReader):
    """A reader that looks for records too."""

    def search(self, stream: str, properties: Mapping[str, Any]) -> list[Record]:
        """The records that have all these values, deleted ones left out; a list of values stands for any of them.

        The CRM is asked by what it can filter by; what that leaves over, at worst the whole list, is compared here.
        Texts are compared by their letters and digits, without regard to case: it finds too many rather than too few.
        ValueError for a search for nothing.
        """
        wanted = {name: value for name, value in properties.items() if value is not None and value not in ("", [])}
        if not wanted:
            raise ValueError("a search for no value would find everything")
        one = self._compiled(stream)
        asked = {name: some for name, value in wanted.items() if (some := self._askable(one, name, value))}
        if len(asked) > 1 and self._question(one, _first_each(asked)) is None:
            asked = dict(list(asked.items())[:1])
        found: dict[str, Record] = {}
        for filters in _single_queries(asked, several=one.takes_several):
            for page in self.matching(stream, filters):
                for record in page:
                    if not one.is_gone(record) and all(
                        _same(record.get(name), value) for name, value in wanted.items()
                    ):
                        found[record[ID]] = record
        return list(found.values())

    def matching(self, stream: str, filters: Mapping[str, str | Sequence[str]]) -> Iterator[list[Record]]:
        """What the CRM gives where it is asked for these values; everything where nothing is asked.

        Each filter is an equality, with one value or several. ValueError for what it cannot be asked by.
        """
        one = self._compiled(stream)
        wanted = {name: [said] if isinstance(said, str) else list(said) for name, said in filters.items()}
        for name, values in wanted.items():
            if not all(self._can_ask(one, name, value) for value in values):
                raise ValueError(f"the list cannot be filtered by {name}, not by this value")
            if len(values) > 1 and not one.takes_several:
                raise ValueError(f"the list takes one value of {name} at a time")
        request = self._question(one, wanted) if wanted else one.list
        if request is None:
            raise ValueError(f"the list cannot be filtered by {' and '.join(wanted)} at once")
        return self._matching(one, request, asked=bool(wanted))

    def _matching(self, one: CompiledStream, request: ListRequest, *, asked: bool) -> Iterator[list[Record]]:
        search = one.stream.search if asked else None
        ids = one.stream.read.ids if search is None or search.ids is None else search.ids
        if ids is not None:
            yield from (page.values for page in self._by_ids(one, request, LARGEST, ids))
            return
        read = one.reader(search.records if search is not None else ())
        for page in self._walk(one, request, LARGEST, ahead=True, read=read):
            yield page.values

    def can_ask(self, stream: str, name: str, value: Any) -> bool:
        """Whether the list can be filtered by this value."""
        return self._can_ask(self._compiled(stream), name, value)

    def can_search(self, stream: str) -> bool:
        """Whether the CRM can be asked for records by their values."""
        return self._compiled(stream).stream.search is not None

    def takes_several(self, stream: str) -> bool:
        """Whether one request can ask for several values of a property."""
        return self._compiled(stream).takes_several

    def _askable(self, one: CompiledStream, name: str, value: Any) -> list[Any]:
        """The values that the list can be filtered by, where it can be by some of them."""
        return [each for each in (value if isinstance(value, list) else [value]) if self._can_ask(one, name, each)]

    def _can_ask(self, one: CompiledStream, name: str, value: Any) -> bool:
        search = one.stream.search
        if search is None or not isinstance(value, str) or len(query({"": value})) > QUERY_AT_MOST // 3:
            return False
        return name in (search.properties or one.names) and (search.separator is None or search.separator not in value)

    def _question(self, one: CompiledStream, wanted: Mapping[str, Sequence[str]]) -> ListRequest | None:
        """The request that asks by these values; None where two conditions want one place, and nothing joins them."""
        search = one.stream.search
        if search is None:
            return one.list
        if len(wanted) > 1 and not search.params:
            return None
        made: dict[str, Any] = {}
        request = laid_over(search, one.list, {})
        for name, values in wanted.items():
            value = values[0] if search.separator is None else Several(search.separator, values)
            known = {"field": one.shape.field(name), "value": value}
            request = request.filled(known, {"values": list(values)})
            for parameter, text in filled(search.params, {**request.values, **known}).items():
                before = made.get(parameter, text)
                if before != text and search.between is None:
                    return None
                made[parameter] = text if before == text else f"{before}{search.between}{text}"
        return request.with_params(made)


def _single_queries(asked: Mapping[str, Any], *, several: bool) -> Iterator[dict[str, Any]]:
    """The filters of each request; several values are asked for together only where the CRM takes several."""
    name = next((name for name, value in asked.items() if isinstance(value, list) and not several), None)
    if name is None:
        yield dict(asked)
        return
    for value in asked[name]:
        yield from _single_queries({**asked, name: value}, several=several)


def _first_each(asked: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: list(values)[:1] for name, values in asked.items()}


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, list):
        return any(_same(one, single) for single in other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _spoken(one) == _spoken(other)
    return bool(one == other)


def _spoken(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).casefold()
