"""Directus 12 on PostgreSQL, with collections as a company could have made them."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from record_sync.testing import postgresql

from tests.backends.crm import Crm, Record
from tests.backends.installing import HERE, node, npm_project
from tests.backends.serving import LOOPBACK, Server, environment, free_port, run

PACKAGE = json.loads((HERE / "directus" / "package.json").read_text(encoding="utf-8"))

TEXT = {"type": "string"}
LONG_TEXT = {"type": "text"}
COLLECTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "customer": {
        "name": TEXT,
        "organization_number": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "website": TEXT,
        "description": LONG_TEXT,
        "street_address_1": TEXT,
        "street_address_2": TEXT,
        "zip_code": TEXT,
        "city": TEXT,
        "country": TEXT,
    },
    "contact": {
        "first_name": TEXT,
        "last_name": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "mobile_phone": TEXT,
        "customer": {"type": "integer"},
    },
    "product": {"name": TEXT, "number": TEXT, "description": LONG_TEXT, "price": {"type": "decimal"}},
}
OWN_FIELDS = [
    {"field": "id", "type": "integer", "meta": {}, "schema": {"is_primary_key": True, "has_auto_increment": True}},
    {"field": "date_created", "type": "timestamp", "meta": {"special": ["date-created"]}, "schema": {}},
    {"field": "date_updated", "type": "timestamp", "meta": {"special": ["date-updated"]}, "schema": {}},
]
"""What Directus offers for a new collection: an id, and when it was created and updated."""


class Directus(Crm):
    """A running Directus."""

    name = "directus"
    program = f"Directus {PACKAGE['dependencies']['directus']}"
    fields: ClassVar = {
        "contact": {
            "FirstName": "first_name",
            "LastName": "last_name",
            "Email": "email",
            "Phone": "phone",
            "MobilePhone": "mobile_phone",
            "CustomerId": "customer",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "organization_number",
            "Email": "email",
            "Phone": "phone",
            "Website": "website",
            "Description": "description",
            "StreetAddress1": "street_address_1",
            "StreetAddress2": "street_address_2",
            "ZipCode": "zip_code",
            "City": "city",
            "Country": "country",
        },
        "product": {"Name": "name", "Number": "number", "Description": "description", "Price": "price"},
    }

    @property
    def api_url(self) -> str:
        """As the setting has it."""
        return self.address

    def raw(self, stream: str) -> list[Record]:
        """Every item."""
        items: list[Record] = self.ask("GET", f"/items/{stream}", params={"limit": -1})["data"]
        return items

    def id_of(self, raw: Record) -> str:
        """Its id, which is a number here."""
        return str(raw["id"])

    def delete(self, stream: str, record_id: str) -> None:
        """Delete an item."""
        self.ask("DELETE", f"/items/{stream}/{record_id}")

    def _create(self, stream: str, values: Record) -> str:
        return self.id_of(self.ask("POST", f"/items/{stream}", json=values)["data"])

    def _edit(self, stream: str, record_id: str, values: Record) -> None:
        self.ask("PATCH", f"/items/{stream}/{record_id}", json=values)

    def make_collections(self) -> None:
        """What an administrator would click together under Settings, Data Model."""
        for name, fields in COLLECTIONS.items():
            described = [{"field": field, "meta": {}, "schema": {}, **given} for field, given in fields.items()]
            made = {"collection": name, "schema": {}, "meta": {}, "fields": [*OWN_FIELDS, *described]}
            self.ask("POST", "/collections", json=made)
        relation = {
            "collection": "contact",
            "field": "customer",
            "related_collection": "customer",
            "schema": {"on_delete": "SET NULL"},
            "meta": {},
        }
        self.ask("POST", "/relations", json=relation)


@contextmanager
def running(folder: Path) -> Iterator[Directus]:
    """A new Directus with its data in `folder`, until the block ends."""
    program, project = node(), npm_project("directus", PACKAGE)
    token = secrets.token_urlsafe(24)
    with postgresql.Server() as database:
        with psycopg.connect(database.url(), autocommit=True) as connection:
            connection.execute("create database directus")
        port = free_port()
        variables = environment(
            DB_CLIENT="pg",
            DB_HOST=database.folder,
            DB_PORT="5432",
            DB_DATABASE="directus",
            DB_USER="postgres",
            DB_PASSWORD="unused",
            HOST=LOOPBACK,
            PORT=str(port),
            PUBLIC_URL=f"http://{LOOPBACK}:{port}",
            SECRET=secrets.token_urlsafe(32),
            ADMIN_EMAIL="admin@example.com",
            ADMIN_PASSWORD=secrets.token_urlsafe(16),
            ADMIN_TOKEN=token,
            TELEMETRY="false",
            LOG_LEVEL="warn",
            EXTENSIONS_PATH=str(folder / "extensions"),
            STORAGE_LOCAL_ROOT=str(folder / "uploads"),
        )
        for name in ("extensions", "uploads"):
            (folder / name).mkdir()
        command = [program, project / "node_modules" / "directus" / "cli.js"]
        log = folder / "directus.log"
        run([*command, "bootstrap"], folder, variables, log)
        server = Server([*command, "start"], folder, variables, log, f"http://{LOOPBACK}:{port}/server/ping")
        try:
            crm = Directus(f"http://{LOOPBACK}:{port}", token)
            crm.make_collections()
            yield crm
        finally:
            server.stop()
