"""Refresh tokens that are replaced, on a real OAuth2 server: Django OAuth Toolkit, with reuse protection.

Only where BACKENDS names it: `make test-backends BACKENDS=oauth2`.
"""

import json
import os
import secrets
import subprocess
import sys

import pytest
import requests
from api_transport.errors import AccessDenied
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load

from tests.backends.installing import HERE, python_project
from tests.backends.serving import LOOPBACK, Server, environment, free_port

PROJECT = HERE / "oauth2"
CLIENT, APP = "the-client", "the-app"
SECRET = secrets.token_urlsafe(24)
TOKEN_PATH = "/o/token/"
STREAM = {"path": "/people", "properties": {"FirstName": "name"}, "read": {"records": "data"}}
AUTH = {"kind": "oauth2", "grant": "refresh_token", "token_path": TOKEN_PATH}
PROGRAM = """
import sys
from pathlib import Path
from customcrm_client.auth import credentials
from customcrm_client.profile_auth import OAuth2

url, folder, seed, client, secret, times = sys.argv[1:]
auth = OAuth2(token_path="/o/token/", grant="refresh_token")
made = credentials(auth, url, client, secret, "test", refresh_token=seed, token_store=Path(folder))
for _ in range(int(times)):
    made.headers()
    made.renew()
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    if not {"oauth2", "all"} & set(os.environ.get("BACKENDS", "").split()):
        pytest.skip("real servers take minutes: make test-backends")
    python = python_project("oauth2", PROJECT / "requirements.txt", (3, 10))
    folder, port = tmp_path_factory.mktemp("oauth2"), free_port()
    server = Server(
        [python, PROJECT / "server.py", str(port)],
        folder,
        environment(CLIENT_SECRET=SECRET),
        folder / "log",
        f"http://{LOOPBACK}:{port}/people",
    )
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        server.stop()


@pytest.fixture
def authorised(address):
    def authorise(client=CLIENT):
        return requests.post(f"{address}/authorise/{client}", timeout=10).json()["refresh_token"]

    return authorise


@pytest.fixture
def read(address, tmp_path):
    """What a program that starts reads of the list."""

    def read(seed, *, client=CLIENT, secret=SECRET, **auth):
        profile = load({"auth": {**AUTH, **auth}, "streams": {"contact": STREAM}})
        options = {"refresh_token": seed, "token_store": tmp_path / "tokens"}
        with CustomcrmClient(address, secret, api_user=client, profile=profile, **options) as crm:
            return [record["FirstName"] for page in crm.pages("contact") for record in page.values]

    return read


def kept(tmp_path):
    return [json.loads(file.read_bytes()) for file in (tmp_path / "tokens").glob("*.json")]


def run_out(tmp_path):
    for file in (tmp_path / "tokens").glob("*.json"):
        file.write_text(json.dumps({**json.loads(file.read_bytes()), "renew_at": 0}))


def renewed(address, refresh_token):
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return requests.post(address + TOKEN_PATH, data=form, auth=(CLIENT, SECRET), timeout=10)


@pytest.mark.parametrize(
    ("client", "secret", "client_in"),
    [(CLIENT, SECRET, "body"), (CLIENT, SECRET, "header"), (APP, "", "body")],
    ids=["secret in the body", "secret in a header", "no secret"],
)
def test_each_program_uses_the_token_that_the_one_before_was_given(
    authorised, read, tmp_path, client, secret, client_in
):
    seed, seen = authorised(client), set()
    for _ in range(4):
        assert read(seed, client=client, secret=secret, client_in=client_in) == ["Kari"]
        seen.add(kept(tmp_path)[0]["refresh_token"])
        run_out(tmp_path)
    assert len(seen - {seed}) == 4


def test_a_token_that_was_used_twice_withdraws_all_and_the_line_says_to_authorise_anew(
    address, authorised, read, tmp_path
):
    seed = authorised()
    assert read(seed) == ["Kari"]
    assert renewed(address, seed).json()["error"] == "invalid_grant"
    with pytest.raises(AccessDenied, match=r"the refresh token holds no longer \(400 invalid_grant\).*anew"):
        read(seed)
    assert read(authorised()) == ["Kari"]
    assert len(kept(tmp_path)) == 2


def test_programs_that_renew_at_the_same_moment_use_no_token_twice(address, authorised, read, tmp_path):
    seed = authorised()
    command = [sys.executable, "-c", PROGRAM, address, tmp_path / "tokens", seed, CLIENT, SECRET, "6"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(one.communicate(timeout=120)[1], one.returncode) for one in running] == [("", 0)] * 4
    run_out(tmp_path)
    assert read(seed) == ["Kari"]


def test_an_access_token_that_ended_before_its_time_is_renewed(address, authorised, read, tmp_path):
    seed = authorised()
    assert read(seed) == ["Kari"]
    before = kept(tmp_path)[0]["access_token"]
    assert requests.post(f"{address}/end-access", timeout=10).json()["ended"]
    assert read(seed) == ["Kari"]
    assert kept(tmp_path)[0]["access_token"] != before


def test_a_wrong_secret_is_told_and_uses_up_nothing(authorised, read):
    seed = authorised()
    with pytest.raises(AccessDenied, match=r"no token \(401 invalid_client\).*check api_user and api_key"):
        read(seed, secret="another-secret")
    assert read(seed) == ["Kari"]
