"""Strapi 5 on PostgreSQL, with content types as a company could have made them."""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from record_sync.testing import postgresql

from tests.backends.crm import Crm, Record
from tests.backends.installing import HERE, node, npm_project
from tests.backends.serving import LOOPBACK, Server, environment, free_port

PROJECT = HERE / "strapi"
PACKAGE = json.loads((PROJECT / "package.json").read_text(encoding="utf-8"))

TEXT = {"type": "string"}
NAME = {"type": "string", "required": True}
LONG_TEXT = {"type": "text"}
CONTENT_TYPES: dict[str, dict[str, dict[str, Any]]] = {
    "customer": {
        "Name": NAME,
        "OrganizationNumber": TEXT,
        "Email": {"type": "email"},
        "Phone": TEXT,
        "Website": TEXT,
        "Description": LONG_TEXT,
        "StreetAddress1": TEXT,
        "StreetAddress2": TEXT,
        "ZipCode": TEXT,
        "City": TEXT,
        "Country": TEXT,
    },
    "contact": {
        "FirstName": TEXT,
        "LastName": TEXT,
        "Email": {"type": "email"},
        "Phone": TEXT,
        "MobilePhone": TEXT,
        "customer": {"type": "relation", "relation": "manyToOne", "target": "api::customer.customer"},
    },
    "product": {"Name": NAME, "Number": TEXT, "Description": LONG_TEXT, "Price": {"type": "decimal"}},
}


class Strapi(Crm):
    """A running Strapi."""

    name = "strapi"
    program = f"Strapi {PACKAGE['dependencies']['@strapi/strapi']}"
    fields: ClassVar = {
        "contact": {
            **{name: name for name in CONTENT_TYPES["contact"] if name != "customer"},
            "CustomerId": "customer.documentId",
        },
        "customer": {name: name for name in CONTENT_TYPES["customer"]},
        "product": {name: name for name in CONTENT_TYPES["product"]},
    }

    @property
    def api_url(self) -> str:
        """As the setting has it."""
        return f"{self.address}/api"

    def raw(self, stream: str) -> list[Record]:
        """Every document, relations in it."""
        documents: list[Record] = []
        while True:
            page = len(documents) // 100 + 1
            asked = {"pagination[page]": page, "pagination[pageSize]": 100, "sort": "id", "populate": "*"}
            answer = self.ask("GET", f"/api/{stream}s", params=asked)
            documents += answer["data"]
            if page >= answer["meta"]["pagination"]["pageCount"]:
                return documents

    def id_of(self, raw: Record) -> str:
        """Its document's id, which stays, unlike the row's number."""
        return str(raw["documentId"])

    def writing(self, stream: str, name: str) -> str:
        """A relation is written as the bare id."""
        return super().writing(stream, name).removesuffix(".documentId")

    def delete(self, stream: str, record_id: str) -> None:
        """Delete a document."""
        self.ask("DELETE", f"/api/{stream}s/{record_id}")

    def _create(self, stream: str, values: Record) -> str:
        return self.id_of(self.ask("POST", f"/api/{stream}s", json={"data": values})["data"])

    def _edit(self, stream: str, record_id: str, values: Record) -> None:
        self.ask("PUT", f"/api/{stream}s/{record_id}", json={"data": values})


def _lay_out(folder: Path, installed: Path) -> None:
    """A Strapi project, with what the content-type builder would have written."""
    shutil.copytree(PROJECT, folder)
    (folder / "node_modules").symlink_to(installed / "node_modules")
    (folder / "public" / "uploads").mkdir(parents=True)
    for name, attributes in CONTENT_TYPES.items():
        schema = {
            "kind": "collectionType",
            "collectionName": f"{name}s",
            "info": {"singularName": name, "pluralName": f"{name}s", "displayName": name.title()},
            "options": {"draftAndPublish": False},
            "attributes": attributes,
        }
        api = folder / "src" / "api" / name
        described = api / "content-types" / name / "schema.json"
        described.parent.mkdir(parents=True)
        described.write_text(json.dumps(schema, indent=2), encoding="utf-8")
        for part, factory in (
            ("controllers", "createCoreController"),
            ("routes", "createCoreRouter"),
            ("services", "createCoreService"),
        ):
            (api / part).mkdir()
            code = f"module.exports = require('@strapi/strapi').factories.{factory}('api::{name}.{name}');\n"
            (api / part / f"{name}.js").write_text(code, encoding="utf-8")


@contextmanager
def running(folder: Path) -> Iterator[Strapi]:
    """A new Strapi with its data in `folder`, until the block ends."""
    program, installed = node(), npm_project("strapi", PACKAGE)
    project, token = folder / "project", folder / "token"
    _lay_out(project, installed)
    with postgresql.Server() as database:
        with psycopg.connect(database.url(), autocommit=True) as connection:
            connection.execute("create database strapi")
        port = free_port()
        secret = {
            name: secrets.token_urlsafe(24)
            for name in ("APP_KEYS", "ADMIN_JWT_SECRET", "API_TOKEN_SALT", "TRANSFER_TOKEN_SALT", "ENCRYPTION_KEY")
        }
        variables = environment(
            DB_HOST=database.folder,
            DB_DATABASE="strapi",
            HOST=LOOPBACK,
            PORT=str(port),
            TOKEN_FILE=str(token),
            NODE_ENV="production",
            STRAPI_TELEMETRY_DISABLED="true",
            **secret,
        )
        command = [program, project / "node_modules" / "@strapi" / "strapi" / "bin" / "strapi.js", "start"]
        address = f"http://{LOOPBACK}:{port}"
        server = Server(command, project, variables, folder / "strapi.log", f"{address}/_health")
        try:
            yield Strapi(address, token.read_text(encoding="utf-8").strip())
        finally:
            server.stop()
