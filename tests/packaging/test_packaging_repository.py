"""What must never be in the repository: package indexes, somebody's machine, secrets, real people's addresses."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = ("LICENSE",)

HOSTS = {
    "127.0.0.1", "localhost", "host",
    "tripletex.no", "api-test.tripletex.tech",
    "json-schema.org", "www.w3.org", "docs.meltano.com", "sdk.meltano.com", "hub.meltano.com",
}  # fmt: skip
"""Hosts that texts and code may name, beside those of examples (example.com, example.no)."""
VENDORS = (
    "airtable.com", "dynamics.com", "freshworks.com", "hubapi.com", "lime-crm.com", "microsoftonline.com",
    "myfreshworks.com", "nocodb.com", "odoo.com", "pipedrive.com", "salesforce.com", "superoffice.com", "twenty.com",
    "upsales.com", "zoho.com", "zoho.eu", "zohoapis.eu",
)  # fmt: skip
"""Domains of the vendors whose CRMs have a shipped profile: its address has to be told."""

PLACES = ("/root/", "/home/", "/Users/", "/work/", "/opt/", "C:\\", "/tmp/")  # noqa: S108  looked for, not used
PLACE_ALLOWED = re.compile(r"/home/(kari|ola)/")

INDEX = re.compile(r"\bpypi\.|pythonhosted|index[_-]url|find[_-]links *=|artifactory|nexus|devpi", re.IGNORECASE)

SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{24,}"),  # JSON in Base64: web tokens, and Tripletex's own
    re.compile(r"\b(?:gh[pousr]_|glpat-|xox[baprs]-|sk-|AKIA)[A-Za-z0-9_-]{16,}"),
    re.compile(r"(?i)(?:token|secret|password|api[_-]?key)[\"']?\s*[:=]\s*[\"'][A-Za-z0-9+/_-]{32,}[\"']"),
    # A password for a host that is neither this machine nor an example's.
    re.compile(
        r"://[^\s/:@{}$]+:(?!password@)[^\s/@{}$]{4,}@(?!([\w-]+\.)*example\.(com|no)\b|127\.0\.0\.1|localhost)\w"
    ),
)


@pytest.fixture(scope="module")
def texts():
    """Every file of the repository, by its name."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip(f"this is no git checkout: {listed.stderr.strip()}")
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file() and name not in NOT_OURS]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def lines(texts, *, but=()):
    """Each line with its place, but not those of this file, which says what is looked for."""
    but = {Path(__file__).relative_to(ROOT).as_posix(), *but}
    return [
        (f"{name}:{number}", line)
        for name, text in texts.items()
        if name not in but
        for number, line in enumerate(text.splitlines(), 1)
    ]


def test_no_module_is_longer_than_somebody_reads_at_a_time(texts):
    lengths = {name: text.count("\n") for name, text in texts.items() if name.endswith(".py") and "tests/" not in name}
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_no_file_names_a_package_index(texts):
    found = [place for place, line in lines(texts) if INDEX.search(line.replace("--no-emit-index-url", ""))]
    assert found == []


def test_addresses_lead_to_known_hosts_or_to_examples(texts):
    found = {}
    for place, line in lines(texts):
        for host in re.findall(r"\bhttps?://([^\s/\"'`<>?#)\]},;:\\]+)", line):
            name = host.rpartition("@")[2].lower()
            is_example = name.endswith(("example.com", "example.no")) or "{" in name or "$" in name
            known = name in HOSTS or name.endswith(VENDORS) or is_example
            if not known and "." in name.strip("."):
                found.setdefault(name, place)
    assert found == {}


def test_no_file_names_a_place_on_somebodys_machine(texts):
    found = [
        place for place, line in lines(texts) if any(one in line for one in PLACES) and not PLACE_ALLOWED.search(line)
    ]
    assert found == []


def test_no_secret_is_in_the_repository(texts):
    found = [place for place, line in lines(texts, but=["requirements.lock"]) for one in SECRETS if one.search(line)]
    assert found == []


def test_addresses_of_people_are_invented(texts):
    found = [
        place
        for place, line in lines(texts)
        for host in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})\b", line)
        # OData's name for a reference is no address.
        if not re.search(r"(^|\.)example\.(no|com)$|^odata\.bind$", host.lower())
    ]
    assert found == []


def test_the_settings_of_a_real_company_stay_out_of_the_repository(texts):
    ignored = texts[".gitignore"].split()
    assert {".env", "var/", ".meltano/", ".venv/"} <= set(ignored)
    assert not any(name == ".env" or name.startswith(("var/", ".meltano/")) for name in texts)
    given = [line for line in texts[".env.example"].splitlines() if re.match(r"\s*[A-Z_]+=", line)]
    assert [line for line in given if not line.endswith("=")] == []
