"""Judges whether requests and answers agree with the Tripletex API description.

    def test_…(api_description):        # the fixture of sandbox.pytest_plugin
        assert api_description.violations(systems.tripletex.requests) == []

The description is read strictly: what it does not list is not allowed. Four things that it does not say are taken
from the API's prose: null clears, and is answered wherever there is no value; errors have an envelope of their own;
an API token makes a session by an operation that only the vendor's site tells of; suppliers, of which the cut
description has the type alone, are listed, read and changed as customers are.

Needs the package openapi-core (extra `conformance`).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V30ResponseValidator
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from sandbox.traffic import SeenRequest

SERVER = "https://tripletex.no"
PREFIX = "/v2"
# Beside the repository, where it is developed; a user's machine has none.
LOCATION = Path("../shared/reference/tripletex-openapi-2.74.json")
ENVELOPE = ("status", "code", "message", "link", "developerMessage", "validationMessages", "requestId")
DETAIL = ("field", "message", "path", "rootId")
API_TOKEN_BODY = {
    "type": "object",
    "properties": {
        "refreshToken": {"type": "string"},
        "ttlSeconds": {"type": "integer", "minimum": 300, "maximum": 28_800},
    },
    "required": ["refreshToken", "ttlSeconds"],
}


@dataclass
class LoggedRequest:
    """A logged request in the shape that openapi-core takes."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None


@dataclass
class LoggedResponse:
    """A logged answer in the shape that openapi-core takes."""

    status_code: int
    content_type: str
    headers: Headers
    data: bytes | None = field(default=None)


def _of_suppliers(said: Any) -> Any:
    """What is said of customers, of suppliers."""
    return json.loads(re.sub(r"(/schemas/\w*)Customer\"", r'\1Supplier"', json.dumps(said)))


def strict(description: dict[str, Any]) -> dict[str, Any]:
    """The description with nothing left open: see the module's words on what it does not say."""
    schemas, paths = description["components"]["schemas"], description["paths"]
    schemas["ApiTokenBody"] = API_TOKEN_BODY
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ApiTokenBody"}}}
    by_body = paths["/token/session/:create"]["post"]
    of_api_token = {"requestBody": {"content": body, "required": True}, "responses": by_body["responses"]}
    paths["/token/session/:createFromRefreshToken"] = {"post": of_api_token}
    for name in ("ListResponse", "ResponseWrapper"):
        schemas[f"{name}Supplier"] = _of_suppliers(schemas[f"{name}Customer"])
    for path, methods in {"": ("get",), "/{id}": ("get", "put")}.items():
        paths[f"/supplier{path}"] = {one: _of_suppliers(paths[f"/customer{path}"][one]) for one in methods}
    for schema in schemas.values():
        schema["additionalProperties"] = False
        schema["nullable"] = True
        for prop in schema.get("properties", {}).values():
            if "$ref" not in prop:
                prop["nullable"] = True
            if "enum" in prop:
                prop["enum"] = [*prop["enum"], None]
    for operations in paths.values():
        for operation in operations.values():
            body = operation.get("requestBody")
            # Defaults are texts even of numbers, and would be found at fault where nothing was sent.
            for parameter in operation.get("parameters", []):
                parameter["schema"].pop("default", None)
            if body:
                body["content"] = {"application/json": next(iter(body["content"].values()))}
    return description


class Description:
    """The API description, ready to judge what was logged."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._paths = description["paths"]
        self.schemas = description["components"]["schemas"]
        spec = SchemaPath.from_dict(strict(description))
        self._requests = V30RequestValidator(spec)
        self._responses = V30ResponseValidator(spec)

    @classmethod
    def read(cls, path: Path) -> "Description":
        """The description of a file."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def violations(self, requests: Iterable[SeenRequest]) -> list[str]:
        """Every disagreement, one line each; of equal ones the first."""
        found: dict[str, str] = {}
        for seen in requests:
            for violation in (*self._of_request(seen), *self._of_answer(seen)):
                found.setdefault(f"{seen.method} {violation}", f"#{seen.number} {seen.method} {seen.path}: {violation}")
        return list(found.values())

    def _of_request(self, seen: SeenRequest) -> Iterator[str]:
        request = _logged_request(seen)
        yield from (_said(error) for error in self._requests.iter_errors(request))
        operation = self._operation(seen)
        if operation is None:
            return
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
        yield from (f"undeclared query parameter {name!r}" for name in seen.params if name not in declared)
        if "requestBody" not in operation:
            if seen.raw_body:
                yield "a body where none is declared"
            return
        bodies = seen.body if isinstance(seen.body, list) else [seen.body]
        for body in bodies:
            if not isinstance(body, dict):
                yield "a body that is no object"
            elif seen.method == "POST" and (body.get("id") is not None or body.get("version") is not None):
                yield "a new object with id or version"
            elif seen.method == "PUT" and seen.path.endswith("/list") and body.get("id") is None:
                yield "an object of a list of changes without id"

    def _of_answer(self, seen: SeenRequest) -> Iterator[str]:
        if seen.status is None:
            return
        if seen.status in (204, 304):
            if seen.raw_response:
                yield f"a body in a {seen.status}"
        elif seen.status >= 400:
            yield from _envelope_faults(seen)
        else:
            response = LoggedResponse(
                seen.status, "application/json", Headers(seen.response_headers), seen.raw_response
            )
            yield from (
                f"answer: {_said(error)}" for error in self._responses.iter_errors(_logged_request(seen), response)
            )

    def _operation(self, seen: SeenRequest) -> dict[str, Any] | None:
        """The operation that a request is for; an address as it stands goes before a pattern."""
        path = seen.path.removeprefix(PREFIX)
        parts = path.split("/")
        for pattern in sorted(self._paths, key=lambda pattern: pattern.count("{")):
            wanted = pattern.split("/")
            if len(wanted) == len(parts) and all(
                want == part or want.startswith("{") for want, part in zip(wanted, parts, strict=True)
            ):
                operation: dict[str, Any] | None = self._paths[pattern].get(seen.method.lower())
                if operation is not None:
                    return operation
        return None


def _logged_request(seen: SeenRequest) -> LoggedRequest:
    pairs = [(name, value) for name, values in seen.params.items() for value in values]
    parameters = RequestParameters(
        query=ImmutableMultiDict(pairs), header=Headers(seen.headers), cookie=ImmutableMultiDict()
    )
    content_type = seen.headers.get("content-type", "application/json").partition(";")[0]
    return LoggedRequest(SERVER, seen.path, seen.method.lower(), parameters, content_type, seen.raw_body or None)


def _said(error: Exception) -> str:
    """An error of openapi-core in one line, with its reasons."""
    cause = error.__cause__
    reasons = getattr(cause, "schema_errors", ())
    details = [f"{'.'.join(str(part) for part in reason.absolute_path)}: {reason.message[:200]}" for reason in reasons]
    return "; ".join([str(error), *(details or [str(cause)] if cause else [])]).replace("\n", " ")[:1000]


def _envelope_faults(seen: SeenRequest) -> Iterator[str]:
    body = seen.response_body
    if not isinstance(body, dict) or tuple(body) != ENVELOPE:
        yield f"answer: a {seen.status} without the error envelope"
        return
    if body["status"] != seen.status:
        yield f"answer: a {seen.status} whose envelope says {body['status']}"
    for detail in body["validationMessages"] or []:
        if tuple(detail) != DETAIL:
            yield "answer: a validation message with other parts"
