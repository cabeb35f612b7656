"""An OpenAPI description as far as a draft of a profile needs it: lists, parameters, forms of answers and bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]
DEEPEST = 3
"""Objects in objects that are looked into."""
WIDEST = 200
"""Objects of one depth that are looked into: where records refer to each other they are without end."""


class Parameter(NamedTuple):
    """A query parameter."""

    name: str
    schema: Json
    described: str


class Leaf(NamedTuple):
    """A value in a schema: its path, and what it is."""

    path: str
    schema: Json

    @property
    def name(self) -> str:
        """The last name of its path, its letters only."""
        return letters(re.split(r"[.\]]", self.path.removesuffix("[0]"))[-1] or self.path)


class Description:
    """An OpenAPI 3 or Swagger 2 description. Raises ValueError where it is none."""

    def __init__(self, said: Any) -> None:
        if not isinstance(said, Mapping) or not isinstance(said.get("paths"), Mapping):
            raise ValueError("this is no OpenAPI description: it has no paths")  # noqa: TRY004 - a file says it
        self._said = said

    def lists(self) -> list[str]:
        """The paths with a GET that end in a name."""
        return [
            path for path, item in self._said["paths"].items() if "get" in item and not path.rstrip("/").endswith("}")
        ]

    def record_path(self, path: str) -> str | None:
        """The path of one record of a list."""
        start = re.escape(path.rstrip("/"))
        found = (one for one in self._said["paths"] if re.fullmatch(rf"{start}/\{{[^}}/]+\}}/?", one))
        return next(found, None)

    def operation(self, path: str | None, method: str) -> Json | None:
        """What is done by a method at a path."""
        item = self._said["paths"].get(path or "") or {}
        found = self.resolved(item).get(method)
        return found if isinstance(found, Mapping) else None

    def parameters(self, path: str) -> list[Parameter]:
        """The query parameters of a list; those of an object each by its own name."""
        item = self.resolved(self._said["paths"][path])
        found = []
        for one in map(self.resolved, [*item.get("parameters", ()), *item["get"].get("parameters", ())]):
            if one.get("in") != "query":
                continue
            schema = self.resolved(one.get("schema") or one)
            inner = schema.get("properties")
            words = str(one.get("description") or "")
            if inner and one.get("style") == "deepObject":
                found += [
                    Parameter(f"{one['name']}[{name}]", self.resolved(said), words) for name, said in inner.items()
                ]
            else:
                found.append(Parameter(str(one["name"]), schema, words))
        return found

    def answer(self, operation: Json) -> Json:
        """The schema of the answer that means: done."""
        responses = operation.get("responses") or {}
        for status, said in responses.items():
            if str(status).startswith("2"):
                response = self.resolved(said)
                return self._content(response) or self.resolved(response.get("schema") or {})
        return {}

    def body(self, operation: Json) -> Json:
        """The schema of what is sent."""
        content = self._content(self.resolved(operation.get("requestBody") or {}))
        if content:
            return content
        named = [self.resolved(one) for one in operation.get("parameters", ())]
        return next((self.resolved(one.get("schema") or {}) for one in named if one.get("in") == "body"), {})

    def _content(self, holder: Json) -> Json:
        content = holder.get("content") or {}
        kind = next((one for one in content if "json" in one), next(iter(content), None))
        return self.resolved((content[kind] or {}).get("schema") or {}) if kind else {}

    def resolved(self, said: Any, within: frozenset[str] = frozenset()) -> Json:
        """What is meant, with references followed and parts laid together; nothing of what is a part of itself."""
        while isinstance(said, Mapping):
            if "$ref" in said:
                reference = str(said["$ref"])
                said = None if reference in within else self._at(reference)
                within |= {reference}
            elif "allOf" in said and "properties" not in said:
                parts = [self.resolved(one, within) for one in said["allOf"]]
                properties = {name: one for part in parts for name, one in (part.get("properties") or {}).items()}
                return {**said, "type": "object", "properties": properties} if properties else {**said, **parts[-1]}
            elif any(key in said for key in ("anyOf", "oneOf")) and "properties" not in said:
                options = [one for one in said.get("anyOf") or said["oneOf"] if isinstance(one, Mapping)]
                said = next((one for one in options if one.get("type") != "null"), {})
            else:
                return said
        return {}

    def _at(self, reference: str) -> Any:
        here: Any = self._said
        for step in reference.removeprefix("#/").split("/"):
            here = here.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(here, Mapping) else None
        return here

    def leaves(self, schema: Json, depth: int = 0) -> Iterator[Leaf]:
        """The values in a schema, nearest first: into objects, and into the first entry of lists."""
        level: list[tuple[str, Json]] = [("", schema)]
        for _ in range(depth, DEEPEST + 1):
            deeper: list[tuple[str, Json]] = []
            for path, around in level[:WIDEST]:
                for name, said in (self.resolved(around).get("properties") or {}).items():
                    one = self.resolved(said)
                    here = f"{path}.{name}" if path else str(name)
                    if one.get("properties"):
                        deeper.append((here, one))
                    elif one.get("type") == "array":
                        items = self.resolved(one.get("items"))
                        deeper.append((f"{here}{selection_of(items)}", items))
                    else:
                        yield Leaf(here, one)
            level = deeper

    def arrays(self, schema: Json, path: str = "", depth: int = 0) -> Iterator[tuple[str, Json]]:
        """The lists of objects in a schema, nearest first, each with its entries' schema."""
        schema = self.resolved(schema)
        if schema.get("type") == "array":
            yield path or "$", self.resolved(schema.get("items"))
            return
        for name, said in (schema.get("properties") or {}).items():
            one = self.resolved(said)
            if one.get("type") == "array" or (one.get("properties") and depth < DEEPEST - 1):
                yield from self.arrays(one, f"{path}.{name}" if path else str(name), depth + 1)

    def schemes(self) -> dict[str, Json]:
        """How one may be known."""
        found = (
            (self._said.get("components") or {}).get("securitySchemes") or self._said.get("securityDefinitions") or {}
        )
        return {str(name): self.resolved(one) for name, one in found.items()}

    def address(self) -> str:
        """The address of the interface, as far as it is told."""
        servers = self._said.get("servers") or [{}]
        told = str(servers[0].get("url") or self._said.get("basePath") or "")
        return f"https://{self._said['host']}{told}" if "host" in self._said else told


def selection_of(items: Json) -> str:
    """How an entry of a list is chosen: the one that is marked as the first, else the first."""
    names = items.get("properties") or {}
    marked = next((name for name in names if letters(name) in ("primary", "isprimary", "default", "isdefault")), None)
    return f"[?{marked}]" if marked else "[0]"


def letters(name: str) -> str:
    """A name by its letters and digits alone."""
    return "".join(filter(str.isalnum, name)).lower()
