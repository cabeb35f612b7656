"""A real CRM that runs on this machine: where it is, and what its users do in it.

Users work through the CRM's own API, by its own names. Nothing here knows the profiles that are on trial.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import requests

Record = dict[str, Any]
SLOW = 60.0
STREAMS = ("contact", "customer", "product")
"""Contacts first: nothing that is referred to may be deleted before what refers to it."""


class Crm(ABC):
    """One running CRM. Its records are told and given by the names of the streams' properties."""

    name: ClassVar[str]
    """Also its profile's."""
    program: ClassVar[str]
    """What it is and which version."""
    fields: ClassVar[Mapping[str, Mapping[str, str]]]
    """By stream: property → the dotted path of the CRM's own field."""

    profile: ClassVar[str] = ""
    """Its profile's file, where none is shipped for it."""
    api_user: ClassVar[str] = ""
    """Who its key is of, where the CRM asks."""

    def __init__(self, address: str, api_key: str) -> None:
        self.address = address
        self.api_key = api_key
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {api_key}"

    # -- what its users do

    def create(self, stream: str, **values: Any) -> str:
        """A user makes a record; its id."""
        return self._create(stream, self._theirs(stream, values))

    def edit(self, stream: str, record_id: str, **values: Any) -> None:
        """A user changes a record."""
        self._edit(stream, record_id, self._theirs(stream, values))

    @abstractmethod
    def delete(self, stream: str, record_id: str) -> None:
        """A user deletes a record."""

    def all(self, stream: str) -> dict[str, Record]:
        """What a user sees: every record that is there, by id."""
        fields = self.fields[stream]
        return {self.id_of(raw): {name: _at(raw, path) for name, path in fields.items()} for raw in self.raw(stream)}

    def get(self, stream: str, record_id: str) -> Record:
        """One record as a user sees it."""
        return self.all(stream)[record_id]

    # -- how it is done

    @abstractmethod
    def raw(self, stream: str) -> list[Record]:
        """Every record that is there, as the CRM tells it."""

    @abstractmethod
    def id_of(self, raw: Record) -> str:
        """The id in a record as the CRM tells it."""

    @abstractmethod
    def _create(self, stream: str, values: Record) -> str: ...

    @abstractmethod
    def _edit(self, stream: str, record_id: str, values: Record) -> None: ...

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """One request; the answer's JSON. Raises requests.HTTPError with what the CRM said."""
        answer = self.session.request(method, self.address + path, timeout=SLOW, **options)
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def _theirs(self, stream: str, values: Mapping[str, Any]) -> Record:
        record: Record = {}
        for name, value in values.items():
            *outer, last = self.writing(stream, name).split(".")
            inside = record
            for key in outer:
                inside = inside.setdefault(key, {})
            inside[last] = value
        return record

    def writing(self, stream: str, name: str) -> str:
        """The path that a property is written at."""
        return self.fields[stream][name]


def _at(record: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(record, Mapping):
            return None
        record = record.get(key)
    return record
