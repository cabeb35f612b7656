"""BottleCRM (the package django-crm) on PostgreSQL, with a company, its administrator and her access token."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql
from record_sync.testing import postgresql

from tests.backends.crm import Crm, Record
from tests.backends.installing import HERE, python_project
from tests.backends.serving import LOOPBACK, Server, environment, free_port, run

PROJECT = HERE / "bottlecrm"
REQUIREMENTS = PROJECT / "requirements.txt"
NEEDS_PYTHON = (3, 12)

CUSTOM_FIELDS = {
    "Account": {"organization_number": "Organisation number", "street_address_2": "Address, second line"},
    "Contact": {"mobile_phone": "Mobile phone"},
}
PATHS = {"contact": "/api/contacts/", "customer": "/api/accounts/", "product": "/api/invoices/products/"}
LISTS = {
    "contact": ("results",),
    "customer": ("active_accounts.open_accounts", "closed_accounts.close_accounts"),
    "product": ("results",),
}


class BottleCrm(Crm):
    """A running BottleCRM."""

    name = "bottlecrm"
    program = "BottleCRM {}".format(*re.findall("^django-crm==(.+)$", REQUIREMENTS.read_text("utf-8"), re.MULTILINE))
    fields: ClassVar = {
        "contact": {
            "FirstName": "first_name",
            "LastName": "last_name",
            "Email": "email",
            "Phone": "phone",
            "MobilePhone": "custom_fields.mobile_phone",
            "CustomerId": "account",
        },
        "customer": {
            "Name": "name",
            "OrganizationNumber": "custom_fields.organization_number",
            "Email": "email",
            "Phone": "phone",
            "Website": "website",
            "Description": "description",
            "StreetAddress1": "address_line",
            "StreetAddress2": "custom_fields.street_address_2",
            "ZipCode": "postcode",
            "City": "city",
            "Country": "country",
        },
        "product": {"Name": "name", "Number": "sku", "Description": "description", "Price": "price"},
    }

    @property
    def api_url(self) -> str:
        """As the setting has it."""
        return f"{self.address}/api"

    def raw(self, stream: str) -> list[Record]:
        """Every record, in use or not."""
        answer = self.ask("GET", PATHS[stream], params={"limit": 10_000})
        found: list[Record] = []
        for path in LISTS[stream]:
            records = answer
            for key in path.split("."):
                records = records[key]
            found += records
        return found

    def id_of(self, raw: Record) -> str:
        """Its id."""
        return str(raw["id"])

    def delete(self, stream: str, record_id: str) -> None:
        """Delete a record."""
        self.ask("DELETE", f"{PATHS[stream]}{record_id}/")

    def _create(self, stream: str, values: Record) -> str:
        made = self.ask("POST", PATHS[stream], json=values)
        return self.id_of(made.get("product", made))

    def _edit(self, stream: str, record_id: str, values: Record) -> None:
        self.ask("PUT" if stream == "product" else "PATCH", f"{PATHS[stream]}{record_id}/", json=values)

    def make_custom_fields(self) -> None:
        """What an administrator would add under Settings, Custom fields."""
        for model, named in CUSTOM_FIELDS.items():
            for key, label in named.items():
                made = {"target_model": model, "key": key, "label": label, "field_type": "text"}
                self.ask("POST", "/api/custom-fields/", json=made)


@contextmanager
def running(folder: Path) -> Iterator[BottleCrm]:
    """A new BottleCRM with its data in `folder`, until the block ends."""
    python = python_project("bottlecrm", REQUIREMENTS, NEEDS_PYTHON)
    with postgresql.Server() as database:
        # As its manual says: not a superuser, who would see every company's rows.
        with psycopg.connect(database.url(), autocommit=True) as connection:
            connection.execute("create role bottlecrm login")
            connection.execute(sql.SQL("create database crm owner bottlecrm"))
        variables = environment(
            DBHOST=database.folder,
            DBPORT="5432",
            DBNAME="crm",
            DBUSER="bottlecrm",
            DBPASSWORD="unused",
            DJANGO_SETTINGS_MODULE="crm.settings",
            SECRET_KEY=secrets.token_urlsafe(48),
            # Mails are queued for a worker that does not run here.
            CELERY_BROKER_URL="memory://",
            CELERY_RESULT_BACKEND="cache+memory://",
            ENV_TYPE="dev",
        )
        log, token = folder / "bottlecrm.log", folder / "token"
        run([python, "-m", "django", "migrate"], folder, variables, log)
        run([python, PROJECT / "first_company.py", token], folder, variables, log)
        port = free_port()
        command = [python.with_name("gunicorn"), "crm.wsgi:application", "--bind", f"{LOOPBACK}:{port}", "--threads=4"]
        address = f"http://{LOOPBACK}:{port}"
        server = Server(command, folder, variables, log, f"{address}/healthz/")
        try:
            crm = BottleCrm(address, token.read_text(encoding="utf-8").strip())
            crm.make_custom_fields()
            yield crm
        finally:
            server.stop()
