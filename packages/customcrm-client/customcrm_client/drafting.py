"""A draft of a profile, made of an OpenAPI description. What is guessed is marked `# ?`, for a person to look at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from customcrm_client.description import Description, Json, Leaf, Parameter, letters

NAMES: Mapping[str, tuple[str, ...]] = {
    "contact": ("contacts", "contact", "persons", "people", "person"),
    "customer": (
        "customers",
        "customer",
        "companies",
        "accounts",
        "organizations",
        "organisations",
        "company",
        "account",
    ),
    "product": ("products", "product", "articles", "items", "article", "item"),
}
"""What CRMs call the three, likeliest first."""

_ADDRESS = {
    "StreetAddress1": ("addressline1", "street", "street1", "line1", "address1", "streetaddress", "addressstreet"),
    "StreetAddress2": ("addressline2", "street2", "line2", "address2"),
    "ZipCode": ("postalcode", "zipcode", "zip", "postcode"),
    "City": ("city", "town", "place"),
    "Country": ("countrycode", "country", "isoalpha2code", "countryiso"),
}
PROPERTIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contact": {
        "FirstName": ("firstname", "givenname", "forename"),
        "LastName": ("lastname", "surname", "familyname"),
        "Email": ("email", "emailaddress", "mail", "primaryemail", "emailvalue"),
        "Phone": ("phone", "phonenumber", "telephone", "workphone", "phonework", "phonenumberwork", "number"),
        "MobilePhone": ("mobilephone", "mobile", "cellphone", "phonenumbermobile", "mobilenumber"),
        "CustomerId": (
            "companyid",
            "accountid",
            "customerid",
            "organizationid",
            "orgid",
            "company",
            "account",
            "customer",
        ),
    },
    "customer": {
        "Name": ("name", "companyname", "displayname", "title"),
        "OrganizationNumber": (
            "organizationnumber",
            "orgnumber",
            "orgno",
            "companynumber",
            "vatnumber",
            "vatid",
            "taxnumber",
        ),
        "Email": ("email", "emailaddress", "mail", "emailvalue"),
        "Phone": ("phone", "phonenumber", "telephone", "number"),
        "Website": ("website", "url", "homepage", "web", "domain"),
        "Description": ("description", "notes", "note", "about"),
        **_ADDRESS,
    },
    "product": {
        "Name": ("name", "title", "productname"),
        "Number": ("number", "sku", "code", "productcode", "articlenumber"),
        "Description": ("description", "text"),
        "Price": ("price", "unitprice", "amount", "priceexcludingvatcurrency"),
    },
}
"""What CRMs call each property, letters only, likeliest first."""

UPDATED = (
    "updatedat",
    "modifiedat",
    "updated",
    "modified",
    "lastmodified",
    "dateupdated",
    "updatetime",
    "lastmodifieddate",
)
CREATED = ("createdat", "created", "datecreated", "createtime", "createddate", "addtime")
SIZES = ("perpage", "pagesize", "limit", "size", "count", "top", "take", "maxresults")
OFFSETS = ("offset", "skip", "from", "start", "startat")
CURSORS = ("cursor", "after", "pagetoken", "startingafter", "nexttoken")
CHANGES = re.compile(r"(?:updated|modified|changed|edited)\w*(?:since|after|from|gte|start)|^since$|changedsince")
WRAPPERS = ("data", "value", "result", "item", "record")
DEEP = 2
"""Deeper in a record nothing is guessed by its name: it is another's."""
_PLAIN = re.compile(r"[A-Za-z_/][\w./-]*")


class Draft:
    """Lines of YAML, each with what is unsure about it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, depth: int, key: str, value: Any = None, unsure: str = "") -> None:
        """A key with its value, or one that others stand under."""
        shown = "" if value is None else f" {written(value)}"
        doubt = f"  # ? {unsure}" if unsure else ""
        self.lines.append(f"{'  ' * depth}{written(key)}:{shown}{doubt}")


def written(value: Any) -> str:
    """A value in YAML, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value not in ("null", "true", "false") else json.dumps(value)
    return json.dumps(value)


def drafted(said: Any) -> str:
    """The draft, as YAML. ValueError where there is no description, or none of the three lists in it."""
    try:
        return _drafted(said)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError):
        # Whatever is looked at may be of any form.
        raise ValueError(
            "it is no OpenAPI description as the standard has it: somewhere a text, a list or an object stands where "
            "another of them belongs. Check it with a validator of OpenAPI."
        ) from None


def _drafted(said: Any) -> str:
    described = Description(said)
    draft = Draft()
    draft.lines.append(
        "# Drafted from an OpenAPI description. What is marked `# ?` is a guess: look at it, then remove the mark."
    )
    draft.lines.append(f"# api_url: {described.address() or 'the description does not tell'}")
    _auth(described, draft)
    paths = {stream: path for stream, names in NAMES.items() if (path := _list_of(described, names)) is not None}
    if not paths:
        raise ValueError(f"none of its lists is called {', '.join(names[0] for names in NAMES.values())} or the like")
    unknown = {name for path in paths.values() for name in re.findall(r"\{(\w+)\}", path)}
    if unknown:
        draft.say(0, "variables", dict.fromkeys(sorted(unknown), "FILL-IN"), "parts of paths")
    draft.say(0, "streams")
    for stream in NAMES:
        if stream in paths:
            _Stream(described, draft, stream, paths[stream]).say()
        else:
            draft.lines.append(f"  # ? no list looks like {NAMES[stream][0]}")
    return "\n".join(draft.lines) + "\n"


def _list_of(described: Description, names: tuple[str, ...]) -> str | None:
    """The list that is called so, the shortest path first."""
    lists = sorted(described.lists(), key=lambda path: (path.count("/"), "{" in path, len(path)))
    for name in names:
        for path in lists:
            if letters(path.rstrip("/").rpartition("/")[2]) == letters(name):
                return path
    return None


def _auth(described: Description, draft: Draft) -> None:
    schemes = described.schemes()
    for one in schemes.values():
        kind, scheme = one.get("type"), str(one.get("scheme", "")).lower()
        flow = ((one.get("flows") or {}).get("clientCredentials") or {}).get("tokenUrl")
        unsure = "one of several" if len(schemes) > 1 else ""
        if kind == "http" and scheme in ("bearer", "basic"):
            draft.say(0, "auth", {"kind": scheme}, unsure)
        elif kind == "apiKey" and one.get("name") == "Authorization":
            draft.say(0, "auth", {"kind": "bearer"}, "or a header with another prefix")
        elif kind == "apiKey" and one.get("in") in ("header", "query"):
            draft.say(0, "auth", {"kind": one["in"], "name": one["name"]}, unsure)
        elif kind == "oauth2" and flow:
            draft.say(0, "auth", {"kind": "oauth2", "token_path": flow}, unsure)
        else:
            continue
        return
    draft.say(0, "auth", {"kind": "bearer"}, "the description does not tell")


class _Stream:
    def __init__(self, described: Description, draft: Draft, name: str, path: str) -> None:
        self.described, self.draft, self.name, self.path = described, draft, name, path
        self.list: Json = described.operation(path, "get") or {}
        self.parameters = described.parameters(path)
        self.one = described.record_path(path)
        answer = described.answer(self.list)
        self.answer = answer
        arrays = sorted(described.arrays(answer), key=lambda found: (not self._has_id(found[1]), found[0].count(".")))
        self.records, self.record = arrays[0] if arrays else ("$", {})
        self.found_list = bool(arrays)
        self.leaves = list(described.leaves(self.record))

    def _has_id(self, schema: Json) -> bool:
        return any(leaf.name == "id" for leaf in self.described.leaves(schema, depth=DEEP))

    def say(self) -> None:
        say = self.draft.say
        say(1, self.name)
        say(2, "path", self.path)
        own = self._leaf(("id", "uuid", "key", "uid"))
        say(2, "id", own.path if own else "id", "" if own and own.path == "id" else "the record's id")
        for key, names in (("updated_at", UPDATED), ("created_at", CREATED)):
            time = self._leaf(names)
            if time is not None:
                say(2, key, time.path, "" if _distance(time) == 1 else "by its name")
            else:
                self.draft.lines.append(f"    # ? {key}: nothing looks like it")
        updated = self._leaf(UPDATED)
        if updated is not None and updated.schema.get("type") in ("integer", "number"):
            say(2, "times", "epoch", "or epoch_ms")
        self._properties()
        self._read(updated)
        self._look()
        self._write()

    def _leaf(self, names: Iterable[str], stem: str = "") -> Leaf | None:
        """The value that is called so: the nearest, then one whose place is called so too, then the likeliest name."""
        order = {name: number for number, name in enumerate(names)}

        def rank(leaf: Leaf) -> tuple[int, bool, int]:
            name = leaf.name if leaf.name in order else letters(leaf.path)
            return _distance(leaf), not letters(leaf.path).startswith(stem), order[name]

        found = [one for one in self.leaves if one.name in order or letters(one.path) in order]
        return min((one for one in found if _distance(one) <= DEEP), key=rank, default=None)

    def _guess(self, name: str, names: Iterable[str]) -> Leaf | None:
        """The value that a property is most likely read from."""
        if name == "CustomerId":
            # A reference is mostly an object with an id.
            places = [leaf for leaf in self.leaves if _distance(leaf) == DEEP and leaf.path.endswith(".id")]
            inside = next((leaf for leaf in places if letters(leaf.path.removesuffix(".id")) in names), None)
            return inside or self._leaf(names)
        if name == "Country" and (city := self._leaf(_ADDRESS["City"])) is not None:
            around = city.path.rpartition(".")[0]
            near = [leaf for leaf in self.leaves if leaf.path.startswith(around) and "country" in leaf.path.lower()]
            return next((leaf for each in names for leaf in near if leaf.name == each), None)
        return self._leaf(names, letters(name.removesuffix("Phone") or name))

    def _properties(self) -> None:
        self.draft.say(2, "properties")
        taken: set[str] = set()
        for name, names in PROPERTIES[self.name].items():
            leaf = self._guess(name, names)
            if leaf is None or leaf.path in taken:
                self.draft.say(3, name, False, "nothing looks like it")  # noqa: FBT003 - the value in the profile
                continue
            taken.add(leaf.path)
            kind = leaf.schema.get("type")
            is_sure = leaf.name == names[0] and "." not in leaf.path and "[" not in leaf.path
            said: Any = leaf.path
            if name == "Price":
                said = {"path": leaf.path, "type": "number", **({"crm_type": "string"} if kind == "string" else {})}
            elif kind in ("integer", "number"):
                said = {"path": leaf.path, "crm_type": kind}
            self.draft.say(3, name, said, "" if is_sure else "by its name")

    def _parameter(self, names: Iterable[str]) -> Parameter | None:
        by_name = {letters(one.name): one for one in self.parameters}
        return next((by_name[name] for name in names if name in by_name), None)

    def _read(self, updated: Leaf | None) -> None:
        say = self.draft.say
        say(2, "read")
        say(3, "records", self.records, "" if self.found_list else "the answer's form is not told")
        self._paging()
        changes = next((one for one in self.parameters if CHANGES.search(letters(one.name))), None)
        if updated is not None and changes is not None:
            say(3, "increments", {"params": {changes.name: "{since}"}}, "format, inclusive and in_order are not told")
        elif updated is not None:
            say(3, "increments", {}, "no parameter looks like a filter of changes: they are picked out here")

    def _paging(self) -> None:
        size = self._parameter(SIZES)
        sized: dict[str, Any] = {} if size is None else {"size_param": size.name}
        most = None if size is None else size.schema.get("maximum")
        sized |= {"size_at_most": int(most)} if isinstance(most, (int, float)) and most >= 1 else {}
        cursor, page, offset = (self._parameter(names) for names in (CURSORS, ("page", "pagenumber"), OFFSETS))
        end = self._total()
        if cursor is not None:
            path = self._next_cursor()
            unsure = "" if path else "where the next cursor stands"
            said = {"kind": "cursor", "param": cursor.name, "cursor": path or "next_cursor", **sized}
            self.draft.say(3, "paging", said, unsure or "the next cursor, by its name")
        elif page is not None:
            self.draft.say(3, "paging", {"kind": "page", "param": page.name, **sized, **end}, "the first page's number")
        elif offset is not None:
            self.draft.say(3, "paging", {"kind": "offset", "param": offset.name, **sized, **end}, "how the end is told")
        else:
            self.draft.lines.append("      # ? paging: no parameter looks like it")

    def _total(self) -> dict[str, Any]:
        names = ("total", "totalcount", "totalresults", "totalitems")
        leaf = next((one for one in self._around() if one.name in names), None)
        return {"end": {"total": leaf.path}} if leaf else {}

    def _next_cursor(self) -> str | None:
        names = ("next", "nextcursor", "after", "nextpagetoken", "cursor")
        leaf = next((one for name in names for one in self._around() if one.name == name), None)
        return leaf.path if leaf else None

    def _around(self) -> list[Leaf]:
        """What an answer says beside the records."""
        return [one for one in self.described.leaves(self.answer) if not one.path.startswith(self.records)]

    def _look(self) -> None:
        one = self.described.operation(self.one, "get")
        if one is None:
            self.draft.lines.append("    # ? get: no path of one record is told; null means that it is read by lists")
            self.draft.say(2, "get", {})
        else:
            record = self._wrapper(self.described.answer(one))
            if record is not None:
                self.draft.say(2, "get", {"record": record})
        many = self._parameter(("ids", "id", "filterid"))
        if many is not None:
            self.draft.say(2, "get_many", {"params": {many.name: "{ids}"}}, "whether several ids are taken")
        fields = {path: name for name, names in PROPERTIES[self.name].items() if (path := self._field(names))}
        asked = [fields[one.name] for one in self.parameters if one.name in fields]
        if asked:
            self.draft.say(2, "search")
            self.draft.say(3, "params", {"{field}": "{value}"})
            self.draft.say(3, "properties", asked, "whether these are equalities")

    def _field(self, names: Iterable[str]) -> str | None:
        leaf = self._leaf(names)
        return None if leaf is None else leaf.path

    def _wrapper(self, schema: Json) -> str | None:
        properties = self.described.resolved(schema).get("properties") or {}
        if "id" in properties:
            return None
        return next(
            (name for name in WRAPPERS if self.described.resolved(properties.get(name)).get("properties")), None
        )

    def _write(self) -> None:
        say, described = self.draft.say, self.described
        create = described.operation(self.path, "post")
        methods = [method for method in ("patch", "put") if described.operation(self.one, method) is not None]
        delete = described.operation(self.one, "delete")
        if create is None and not methods:
            self.draft.lines.append("    # ? write: nothing is told of it: the stream is read only")
            return
        say(2, "write")
        version = self._leaf(("version", "revision", "etag"))
        if version is not None:
            say(3, "locking", {"kind": "version", "path": version.path}, "whether an old one is refused")
        if create is None:
            self.draft.lines.append("      create: null")
        else:
            say(3, "create", self._sent(create), "" if described.answer(create) else "what is answered")
        if not methods:
            self.draft.lines.append("      update: null")
        else:
            method = methods[0]
            said = self._sent(described.operation(self.one, method) or {})
            put = {"method": "PUT"} if method == "put" else {}
            doubt = "whether what is left out is cleared (whole: true)" if put else "whether it merges objects"
            say(3, "update", {**put, **said}, doubt)
        if delete is None:
            self.draft.lines.append("      delete: null")

    def _sent(self, operation: Json) -> dict[str, Any]:
        """How a record is sent and answered."""
        sent, answered = (
            self._wrapper(one) for one in (self.described.body(operation), self.described.answer(operation))
        )
        said: dict[str, Any] = {"body": {sent: "{record}"}} if sent else {}
        return {**said, "record": answered} if answered else said


def _distance(leaf: Leaf) -> int:
    """How deep in its record a value stands: 1 for its own."""
    return 1 + leaf.path.count(".") + leaf.path.count("[") - leaf.path.count("].")
