"""Directus as it was seen to answer."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.backends.directus_here import COLLECTIONS
from tests.backends.imitation import Imitation, page_of, params_of


class DirectusImitation(Imitation):
    """`/items/X`."""

    stranger = (
        401,
        {"errors": [{"message": "Invalid user credentials.", "extensions": {"code": "INVALID_CREDENTIALS"}}]},
    )

    def answer(self, request: Request, body: Any) -> Response:
        _, items, stream, *rest = request.url.path.split("/")
        if items != "items" or stream not in COLLECTIONS:
            return self._forbidden(f'You don\'t have permission to access collection "{stream}" or it does not exist.')
        records = self.register.streams[stream]
        record_id = rest[0] if rest else None
        if request.method == "GET":
            if record_id is None:
                return self._listed(stream, params_of(request))
            found = records.get(record_id)
            return JSONResponse({"data": found}) if found else self._forbidden()
        if request.method == "DELETE":
            records.pop(record_id or "", None)
            self._forget(stream, record_id)
            return Response(status_code=204)
        return self._written(stream, record_id, body)

    def _written(self, stream: str, record_id: str | None, body: Any) -> Response:
        records = self.register.streams[stream]
        if record_id is not None and record_id not in records:
            return Response(status_code=204)
        known = {name: value for name, value in body.items() if name in COLLECTIONS[stream]}
        customer = known.get("customer")
        if customer is not None and str(customer) not in self.register.streams["customer"]:
            words = f'Invalid foreign key "{customer}" for field "customer" in collection "contact".'
            code = {"collection": "contact", "field": "customer", "value": customer, "code": "INVALID_FOREIGN_KEY"}
            return JSONResponse({"errors": [{"message": words, "extensions": code}]}, 400)
        if customer is not None:
            known["customer"] = int(customer)
        if known.get("price") is not None:
            known["price"] = f"{float(known['price']):.5f}"
        if record_id is None:
            number = self.register.number()
            empty = dict.fromkeys(COLLECTIONS[stream])
            own = {"id": number, "date_created": self.register.now(), "date_updated": None}
            records[str(number)] = {**own, **empty, **known}
            return JSONResponse({"data": records[str(number)]})
        records[record_id] |= {**known, "date_updated": self.register.now()}
        return JSONResponse({"data": records[record_id]})

    def _forget(self, stream: str, record_id: str | None) -> None:
        if stream == "customer":
            for contact in self.register.streams["contact"].values():
                if str(contact["customer"]) == record_id:
                    contact["customer"] = None

    def _listed(self, stream: str, params: Mapping[str, str]) -> Response:
        found = list(self.register.streams[stream].values())
        either = []
        for name, wanted in params.items():
            keys = re.findall(r"\[([^]]*)\]", name)
            if not name.startswith("filter["):
                continue
            field, operator = keys[-2:]
            if field not in {"id", "date_created", "date_updated", *COLLECTIONS[stream]}:
                return self._forbidden(f'You don\'t have permission to access field "{field}" or it does not exist.')
            fitting = [one for one in found if _directus_fits(one[field], operator, wanted)]
            if keys[0] == "_or":
                either += fitting
            else:
                found = fitting
        if either:
            found = [one for one in found if one in either]
        elif any(name.startswith("filter[_or]") for name in params):
            found = []
        size = int(params.get("limit", 100))
        size = len(found) if size == -1 else size
        page = page_of(found, (int(params.get("page", 1)) - 1) * size, size)
        meta = {"meta": {"filter_count": len(found)}} if params.get("meta") else {}
        return JSONResponse({**meta, "data": page})

    def _forbidden(self, words: str = "You don't have permission to access this.") -> Response:
        return JSONResponse({"errors": [{"message": words, "extensions": {"code": "FORBIDDEN"}}]}, 403)


def _directus_fits(value: Any, operator: str, wanted: str) -> bool:
    if operator == "_in":
        return str(value) in wanted.split(",")
    if operator == "_gte":
        return value is not None and str(value) >= wanted
    if operator == "_icontains":
        return value is not None and wanted.casefold() in str(value).casefold()
    return str(value) == wanted
