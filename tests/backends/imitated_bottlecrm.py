"""BottleCRM as it was seen to answer."""

from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.backends.bottlecrm_here import CUSTOM_FIELDS, PATHS, BottleCrm
from tests.backends.crm import Record
from tests.backends.imitation import Imitation, page_of, params_of


class BottleCrmImitation(Imitation):
    """`/api/contacts/`, `/api/accounts/`, `/api/invoices/products/`."""

    stranger = 403, {"detail": "Organization context is required. Please login again."}
    MODELS: ClassVar = {"contact": "Contact", "customer": "Account", "product": "Product"}
    UNIQUE: ClassVar = {"contact": "email", "customer": "name"}

    def answer(self, request: Request, body: Any) -> Response:
        path = request.url.path
        for stream, start in PATHS.items():
            if path == start.rstrip("/"):
                return RedirectResponse(start, 301)
            if path.startswith(start):
                return self._asked(request, stream, path.removeprefix(start).rstrip("/"), body)
        return HTMLResponse("<!doctype html><title>Not Found</title>", 404)

    def _asked(self, request: Request, stream: str, record_id: str, body: Any) -> Response:
        records = self.register.streams[stream]
        if not record_id:
            if request.method == "GET":
                return self._listed(request, stream)
            return self._written(stream, None, body)
        if record_id not in records:
            told = {"error": True, "message": "Product not found"}
            model = self.MODELS[stream]
            missing = told if stream == "product" else {"detail": f"No {model} matches the given query."}
            return JSONResponse(missing, 404)
        if request.method == "GET":
            wrapper = {"contact": "contact_obj", "customer": "account_obj"}.get(stream)
            record = records[record_id]
            return JSONResponse({wrapper: record, "comments": [], "attachments": []} if wrapper else record)
        if request.method == "DELETE":
            del records[record_id]
            for contact in self.register.streams["contact"].values():
                if contact["account"] == record_id:
                    contact["account"] = None
            return JSONResponse({"error": False, "message": f"{self.MODELS[stream]} deleted"})
        if (request.method == "PATCH") == (stream == "product"):
            return JSONResponse({"detail": f'Method "{request.method}" not allowed.'}, 405)
        return self._written(stream, record_id, body)

    def _faults(self, stream: str, record_id: str | None, values: Record) -> dict[str, list[str]]:
        records = self.register.streams[stream]
        faults: dict[str, list[str]] = {}
        required = {"contact": ("first_name", "last_name"), "customer": ("name",), "product": ("name",)}[stream]
        for name in required:
            if not values.get(name) and (record_id is None or name in values):
                faults[name] = ["This field is required."]
        if (unique := self.UNIQUE.get(stream)) and values.get(unique):
            taken = [one[unique] for key, one in records.items() if key != record_id and one[unique]]
            if values[unique].casefold() in map(str.casefold, taken):
                faults[unique] = [f"{self.MODELS[stream]} already exists with this {unique}"]
        if values.get("account") and values["account"] not in self.register.streams["customer"]:
            faults["account"] = ["No such account."]
        return faults

    def _written(self, stream: str, record_id: str | None, values: Record) -> Response:
        records, now = self.register.streams[stream], self.register.now()
        if faults := self._faults(stream, record_id, values):
            return JSONResponse({"error": True, "errors": faults}, 400)
        if values.get("sku") is not None:
            taken = [one["sku"] for key, one in records.items() if key != record_id]
            if values["sku"] in taken:
                return HTMLResponse(
                    "<!doctype html>\n<title>Server Error (500)</title><h1>Server Error (500)</h1>", 500
                )
        known = {name for path in BottleCrm.fields[stream].values() for name in path.split(".")[:1]}
        if stream == "customer":
            known.add("is_active")
        custom = CUSTOM_FIELDS.get(self.MODELS[stream], {})
        new = record_id is None
        record_id = record_id or f"00000000-0000-4000-8000-{self.register.number():012}"
        before = records.get(record_id) or {
            "id": record_id,
            **dict.fromkeys(sorted(known)),
            "created_at": now,
            **({"custom_fields": {}} if custom else {}),
            **({"is_active": True} if stream == "customer" else {}),
        }
        given = {name: value for name, value in values.items() if name in known}
        if custom:
            merged = before["custom_fields"] | {
                name: value for name, value in given.get("custom_fields", {}).items() if name in custom
            }
            given["custom_fields"] = {name: value for name, value in merged.items() if value not in (None, "")}
        if given.get("price") is not None:
            given["price"] = f"{float(given['price']):.2f}"
        # An account does not tell when it was updated.
        stamp = {} if stream == "customer" else {"updated_at": now}
        records[record_id] = {**before, **given, **stamp}
        told = {"error": False, "message": f"{self.MODELS[stream]} {'created' if new else 'updated'}"}
        if stream == "product":
            return JSONResponse({**told, "product": records[record_id]}, 201 if new else 200)
        return JSONResponse({**told, "id": record_id} if new else told)

    def _listed(self, request: Request, stream: str) -> Response:
        params = params_of(request)
        found = list(self.register.streams[stream].values())
        if stream == "contact" and params.get("email"):
            found = [one for one in found if params["email"].casefold() in (one["email"] or "").casefold()]
        if stream == "product" and params.get("search"):
            texts = ("name", "sku", "description")
            wanted = params["search"].casefold()
            found = [one for one in found if any(wanted in (one[name] or "").casefold() for name in texts)]
        size, start = int(params.get("limit", 10)), int(params.get("offset", 0))
        page = page_of(found, start, size)
        if stream == "customer":
            active, others = ([one for one in found if one["is_active"] is kind] for kind in (True, False))
            opened, closed = page_of(active, start, size), page_of(others, start, size)
            told = {"open_accounts": opened, "open_accounts_count": len(active)}
            rest = {"close_accounts": closed, "close_accounts_count": len(others)}
            return JSONResponse({"per_page": 10, "active_accounts": told, "closed_accounts": rest})
        after = None
        if start + size < len(found):
            after = str(request.url.include_query_params(limit=size, offset=start + size))
        told = {"count": len(found), "results": page}
        return JSONResponse(
            {**told, "offset": None} if stream == "contact" else {**told, "next": after, "previous": None}
        )
