"""Strapi as it was seen to answer."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.backends.crm import Record
from tests.backends.imitation import Imitation, page_of, params_of
from tests.backends.strapi_here import CONTENT_TYPES


class StrapiImitation(Imitation):
    """`/api/Xs`."""

    stranger = (
        401,
        {
            "data": None,
            "error": {
                "status": 401,
                "name": "UnauthorizedError",
                "message": "Missing or invalid credentials",
                "details": {},
            },
        },
    )

    def answer(self, request: Request, body: Any) -> Response:
        _, _, plural, *rest = request.url.path.split("/")
        stream = plural.removesuffix("s")
        if stream not in CONTENT_TYPES:
            return self._refused(404, "NotFoundError", "Not Found")
        records = self.register.streams[stream]
        params = params_of(request)
        if not rest:
            return (
                self._listed(stream, params) if request.method == "GET" else self._written(stream, None, body, params)
            )
        if request.method == "PATCH":
            return PlainTextResponse("Method Not Allowed", 405)
        if request.method == "DELETE":
            records.pop(rest[0], None)
            return Response(status_code=204)
        if rest[0] not in records:
            return self._refused(404, "NotFoundError", "Not Found")
        if request.method == "GET":
            return JSONResponse({"data": self._shown(stream, records[rest[0]], params), "meta": {}})
        return self._written(stream, rest[0], body, params)

    def _written(self, stream: str, record_id: str | None, body: Any, params: Mapping[str, str]) -> Response:
        data = body["data"]
        for name in data:
            if name not in CONTENT_TYPES[stream]:
                return self._refused(400, "ValidationError", f"Invalid key {name}", {"key": name, "source": "body"})
        email = data.get("Email")
        if email is not None and "@" not in email:
            words = "Email must be a valid email"
            point = {"path": ["Email"], "message": words, "name": "ValidationError", "value": email}
            return self._refused(400, "ValidationError", words, {"errors": [point]})
        customer = data.get("customer")
        if customer is not None and customer not in self.register.streams["customer"]:
            words = f'Document with id "{customer}", locale "null" not found'
            return self._refused(400, "ValidationError", words)
        records, now = self.register.streams[stream], self.register.now()
        if record_id is None:
            number = self.register.number()
            record_id = f"doc{number:021}"
            own = {"id": number, "documentId": record_id, "createdAt": now}
            records[record_id] = {**own, **dict.fromkeys(CONTENT_TYPES[stream]), **data, "updatedAt": now}
            return JSONResponse({"data": self._shown(stream, records[record_id], params), "meta": {}}, 201)
        records[record_id] |= {**data, "updatedAt": now}
        return JSONResponse({"data": self._shown(stream, records[record_id], params), "meta": {}})

    def _shown(self, stream: str, record: Record, params: Mapping[str, str]) -> Record:
        """The record; its relation only where the request asks for it."""
        shown = dict(record)
        if stream == "contact":
            related = self.register.streams["customer"].get(shown.pop("customer") or "")
            if any(name.startswith("populate") for name in params):
                shown["customer"] = related and {"id": related["id"], "documentId": related["documentId"]}
        return shown

    def _listed(self, stream: str, params: Mapping[str, str]) -> Response:
        found = list(self.register.streams[stream].values())
        for name, wanted in params.items():
            if not name.startswith("filters["):
                continue
            field, operator = re.findall(r"\[([^]]*)\]", name)
            if field not in {"documentId", "createdAt", "updatedAt", *CONTENT_TYPES[stream]}:
                return self._refused(400, "ValidationError", f"Invalid key {field}")
            if operator == "$gte":
                found = [one for one in found if one[field] >= wanted]
            else:
                found = [one for one in found if (one[field] or "").casefold() == wanted.casefold()]
        if params.get("sort", "").startswith("updatedAt"):
            found.sort(key=lambda one: (one["updatedAt"], one["id"]))
        size = min(int(params.get("pagination[pageSize]", 25)), 100)
        page = int(params.get("pagination[page]", 1))
        data = [self._shown(stream, one, params) for one in page_of(found, (page - 1) * size, size)]
        paged = {"page": page, "pageSize": size, "pageCount": -(-len(found) // size), "total": len(found)}
        return JSONResponse({"data": data, "meta": {"pagination": paged}})

    def _refused(self, status: int, name: str, words: str, details: Any = None) -> Response:
        error = {"status": status, "name": name, "message": words, "details": details or {}}
        return JSONResponse({"data": None, "error": error}, status)
