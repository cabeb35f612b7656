"""SAP's CAP on Node.js: an OData v4 service with ETags, `@odata.bind` and pages by link, as Dataverse has them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from tests.backends.crm import Crm, Record
from tests.backends.installing import HERE, node, npm_project
from tests.backends.serving import LOOPBACK, Server, environment, free_port

PROJECT = HERE / "odata"
PACKAGE = json.loads((PROJECT / "package.json").read_text(encoding="utf-8"))
USER, PASSWORD = "sync", "a-password"
SETS = {"contact": "people", "customer": "accounts", "product": "articles"}


class OData(Crm):
    """A running service."""

    name = "odata"
    program = "SAP CAP {}".format(PACKAGE["dependencies"]["@sap/cds"])
    profile = str(PROJECT / "profile.yml")
    api_user = USER
    fields: ClassVar = {
        "contact": {
            "FirstName": "first",
            "LastName": "last",
            "Email": "email",
            "Phone": "phone",
            "MobilePhone": "mobile",
            "CustomerId": "account_ID",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "orgNumber",
            "Email": "email",
            "Phone": "phone",
            "Website": "website",
            "Description": "notes",
            "StreetAddress1": "street",
            "StreetAddress2": "street2",
            "ZipCode": "zip",
            "City": "city",
            "Country": "country",
        },
        "product": {"Name": "title", "Number": "sku", "Description": "text", "Price": "price"},
    }

    def __init__(self, address: str) -> None:
        super().__init__(address, PASSWORD)
        del self.session.headers["Authorization"]
        self.session.auth = (USER, PASSWORD)

    @property
    def api_url(self) -> str:
        """As the setting has it."""
        return f"{self.address}/crm"

    def raw(self, stream: str) -> list[Record]:
        """Every record, page by page."""
        found: list[Record] = []
        link: str | None = SETS[stream]
        while link:
            page = self.ask("GET", f"/crm/{link}")
            found += page["value"]
            link = page.get("@odata.nextLink")
        return found

    def id_of(self, raw: Record) -> str:
        """Its key."""
        return str(raw["ID"])

    def delete(self, stream: str, record_id: str) -> None:
        """Delete a record, whatever its state; its contacts lose it."""
        if stream == "customer":
            for contact in self.raw("contact"):
                if contact["account_ID"] == record_id:
                    self._edit("contact", self.id_of(contact), {"account_ID": None})
        self.ask("DELETE", f"/crm/{SETS[stream]}/{record_id}", headers={"If-Match": "*"})

    def _create(self, stream: str, values: Record) -> str:
        return self.id_of(self.ask("POST", f"/crm/{SETS[stream]}", json=values))

    def _edit(self, stream: str, record_id: str, values: Record) -> None:
        self.ask("PATCH", f"/crm/{SETS[stream]}/{record_id}", json=values, headers={"If-Match": "*"})


@contextmanager
def running(folder: Path) -> Iterator[OData]:
    """A new service with its data in memory, until the block ends."""
    program, installed = node(), npm_project("odata", PACKAGE)
    project = folder / "project"
    shutil.copytree(PROJECT, project)
    (project / "node_modules").symlink_to(installed / "node_modules")
    port = free_port()
    command = [program, installed / "node_modules" / "@sap" / "cds" / "bin" / "serve.js", "all", "--in-memory"]
    address = f"http://{LOOPBACK}:{port}"
    server = Server(command, project, environment(PORT=str(port)), folder / "odata.log", f"{address}/")
    try:
        yield OData(address)
    finally:
        server.stop()
