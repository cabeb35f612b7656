"""A token got with a refresh token: which of them is used, where it is kept, and what is told where none is good."""

import errno
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from api_transport.errors import AccessDenied, ServerFailed
from api_transport.testing import DROP, Said
from customcrm_client import grants, token_store
from customcrm_client.auth import needs
from customcrm_client.client import CustomcrmClient
from customcrm_client.loading import load
from customcrm_client.testing import KEY, USER
from customcrm_client.testing_oauth2 import TOKEN_PATH, TokenServer, guarded_crm, guarded_profile
from customcrm_client.token_store import TokenStore

PROGRAM = f"""
import resource, signal, sys
from pathlib import Path
from customcrm_client import token_store
from customcrm_client.auth import credentials
from customcrm_client.profile_auth import OAuth2

def stop(signum, frame):
    raise SystemExit(128 + signum)

signal.signal(signal.SIGTERM, stop)
url, folder, seed, times, dies = sys.argv[1:]
if dies == "dies":
    token_store.TokenStore._keep = lambda *_: signal.raise_signal(signal.SIGKILL)
if dies == "finds the disk full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
auth = OAuth2(token_path="{TOKEN_PATH}", grant="refresh_token")
for _ in range(int(times)):
    made = credentials(auth, url, "{USER}", "{KEY}", "test", refresh_token=seed, token_store=Path(folder))
    print(made.headers()["Authorization"].removeprefix("Bearer "), flush=True)
"""


@pytest.fixture
def tokens():
    return TokenServer()


@pytest.fixture
def crm(tokens):
    with guarded_crm(tokens) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "var" / "tokens"


@pytest.fixture
def client_of(crm, folder):
    """A client as a program that starts has it."""

    def made(seed, *, url=None, key=KEY, auth=None, stream=None, **more):
        profile = guarded_profile(**(auth or {}))
        profile["streams"]["contact"] |= stream or {}
        return CustomcrmClient(
            url or crm.url,
            key,
            api_user=USER,
            profile=load(profile),
            refresh_token=seed,
            token_store=more.pop("token_store", folder),
            **{"max_elapsed": 2, **more},
        )

    return made


def names(client):
    with client:
        return [record["FirstName"] for page in client.pages("contact") for record in page.values]


def kept(folder):
    """What lies in the token store, by the names of the files."""
    return {file.name: json.loads(file.read_bytes()) for file in folder.glob("*.json")}


def run_out(folder):
    """Let the access tokens that are kept be due."""
    for name, one in kept(folder).items():
        (folder / name).write_text(json.dumps({**one, "renew_at": 0}))


def asked_for_tokens(crm):
    return Counter(asked.path for asked in crm.asked)[TOKEN_PATH]


# -- the grant


def test_a_refresh_token_that_is_replaced_is_kept_and_used_by_the_next_program(tokens, crm, client_of, folder):
    seed = tokens.authorise()
    for number in (1, 2, 3):
        assert names(client_of(seed)) == ["Kari"]
        (one,) = kept(folder).values()
        assert one["refresh_token"] == tokens.families[0].good != seed
        assert tokens.renewals == number
        run_out(folder)


def test_an_access_token_that_holds_is_shared_and_nothing_asked_for(tokens, client_of):
    seed = tokens.authorise()
    assert names(client_of(seed)) == names(client_of(seed)) == ["Kari"]
    assert tokens.renewals == 1


def test_a_refresh_token_that_stays_goes_on_being_used(tokens, client_of, folder):
    tokens.rotates = False
    seed = tokens.authorise()
    assert names(client_of(seed)) == ["Kari"]
    run_out(folder)
    assert names(client_of(seed)) == ["Kari"]
    assert [one["refresh_token"] for one in kept(folder).values()] == [seed]


@pytest.mark.parametrize("programs", [1, 2])
def test_a_token_is_renewed_before_it_ends(programs, tokens, client_of, monkeypatch):
    now = [1_780_000_000.0]
    monkeypatch.setattr(grants, "time", SimpleNamespace(time=lambda: now[0]))
    seed = tokens.authorise()
    clients = [client_of(seed, clock=lambda: now[0]) for _ in range(programs)]
    for passed, renewals in ((0, 1), (3530, 1), (20, 2)):
        now[0] += passed
        assert [client.get("contact", "1").record["FirstName"] for client in clients] == ["Kari"] * programs
        assert tokens.renewals == renewals


@pytest.mark.parametrize(
    ("secret", "auth"), [(KEY, {}), (KEY, {"client_in": "header"}), (None, {}), (None, {"client_in": "header"})]
)
def test_the_client_is_told_as_the_profile_says_and_a_public_one_has_no_secret(secret, auth, tokens, crm, client_of):
    tokens.secret = secret
    assert names(client_of(tokens.authorise(), key=secret or "", auth=auth)) == ["Kari"]


def test_what_stands_before_the_token_is_the_profiles(tokens, client_of):
    with guarded_crm(tokens, prefix="Zoho-oauthtoken ") as server:
        seed = tokens.authorise()
        auth = {"prefix": "Zoho-oauthtoken ", "token_path": f"{server.url}{TOKEN_PATH}"}
        assert names(client_of(seed, url=server.url, auth=auth)) == ["Kari"]
        with pytest.raises(AccessDenied, match="401"):
            names(client_of(seed, url=server.url))


def test_the_settings_that_a_grant_needs():
    assert needs(load(guarded_profile()).auth) == ("api_user", "refresh_token")
    assert needs(load(guarded_profile(grant="client_credentials")).auth) == ("api_user", "api_key")


# -- tokens that are refused


def test_a_token_that_the_crm_withdrew_is_renewed_once(tokens, crm, client_of):
    seed = tokens.authorise()
    assert names(client_of(seed)) == ["Kari"]
    tokens.withdraw()
    assert names(client_of(seed)) == ["Kari"]
    assert tokens.renewals == 2
    tokens.given = tokens.withdraw
    tokens.withdraw()
    with pytest.raises(AccessDenied, match="401"):
        names(client_of(seed))
    assert tokens.renewals == 3


def test_threads_whose_token_was_withdrawn_renew_it_together_once(tokens, client_of):
    client = client_of(tokens.authorise())
    assert client.get("contact", "1") is not None
    tokens.withdraw()
    with ThreadPoolExecutor(8) as pool:
        assert None not in list(pool.map(lambda _: client.get("contact", "1"), range(16)))
    assert tokens.renewals == 2


@pytest.mark.parametrize("way", ["as RFC 6749 has it", "with status 401", "as Zoho has it"])
def test_a_refresh_token_that_is_spent_ends_in_one_line_and_is_asked_for_once(way, tokens, crm, client_of, caplog):
    caplog.set_level(logging.DEBUG)
    seed = tokens.authorise()
    tokens.families[0].is_withdrawn = True
    if way == "as Zoho has it":
        tokens.before = lambda _: Said({"error": "invalid_code"})
    elif way == "with status 401":
        tokens.before = lambda _: Said({"error": "invalid_grant", "error_description": seed}, 401)
    client = client_of(seed)
    for _ in range(3):
        with pytest.raises(
            AccessDenied, match=r"the refresh token holds no longer \(\d{3} invalid_\w+\).*anew"
        ) as told:
            next(client.pages("contact"))
        assert seed not in str(told.value)
        assert "\n" not in str(told.value)
    assert asked_for_tokens(crm) == 1
    assert seed not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
def test_no_token_says_nothing_of_a_record(grant, status, tokens, client_of):
    """Neither that there is no such record, nor that the CRM refuses it."""
    tokens.before = lambda _: Said({"error": "invalid_client", "error_description": "who?"}, status)
    client = client_of(tokens.authorise(), auth={"grant": grant}, stream={"get": {"missing": [status]}})
    for ask in (
        lambda: client.get("contact", "1"),
        lambda: client.create("contact", {"FirstName": "Ola"}),
        lambda: client.update("contact", "1", {"FirstName": "Ola"}, None),
        lambda: client.delete("contact", "1"),
    ):
        with pytest.raises(AccessDenied, match=rf"no token \({status} invalid_client\): who\?") as told:
            ask()
        assert told.value.status is None


def test_a_wrong_secret_uses_up_nothing(tokens, crm, client_of):
    seed = tokens.authorise()
    with pytest.raises(AccessDenied, match=r"no token \(401 invalid_client\).*check api_user and api_key"):
        names(client_of(seed, key="another-secret"))
    assert names(client_of(seed)) == ["Kari"]


def test_a_lost_answer_or_a_server_that_restarts_is_asked_again(tokens, crm, client_of):
    answers = [DROP, Said("<html>", 503)]
    tokens.before = lambda _: answers.pop() if answers else None
    assert names(client_of(tokens.authorise(), sleep=lambda _: None)) == ["Kari"]
    tokens.before = lambda _: Said("<html>", 503)
    tokens.withdraw()
    with pytest.raises(ServerFailed, match="503"):
        names(client_of(tokens.authorise(), sleep=lambda _: None))


# -- another token in the settings


def test_a_token_that_the_user_set_anew_begins_a_chain_of_its_own(tokens, client_of, folder):
    first = tokens.authorise()
    assert names(client_of(first)) == ["Kari"]
    tokens.families[0].is_withdrawn = True
    second = tokens.authorise()
    assert names(client_of(second)) == ["Kari"]
    assert len(kept(folder)) == 2
    assert tokens.families[1].good in [one["refresh_token"] for one in kept(folder).values()]
    tokens.families[0].is_withdrawn = False
    run_out(folder)
    assert names(client_of(first)) == ["Kari"], "the first chain is where it was"


# -- the token store


def test_what_is_kept_is_for_its_owner_alone(tokens, client_of, folder):
    before = os.umask(0)
    try:
        assert names(client_of(tokens.authorise())) == ["Kari"]
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 2, "what is kept, and its lock"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any(token in str(file) for file in files for token in tokens.tokens)


def test_no_token_is_in_any_text(tokens, client_of, folder, caplog):
    caplog.set_level(logging.DEBUG)
    seed = tokens.authorise()
    assert names(client_of(seed)) == ["Kari"]
    run_out(folder)
    tokens.withdraw()
    assert names(client_of(seed)) == ["Kari"]
    logging.getLogger().warning("%s", tokens.tokens)
    assert len(tokens.tokens) == 5
    assert not [token for token in (*tokens.tokens, KEY) if token in caplog.text]


def test_a_token_store_that_is_no_folder_is_told_before_the_refresh_token_is_used_up(tokens, crm, client_of, tmp_path):
    (tmp_path / "file").write_text("")
    seed = tokens.authorise()
    for store in (tmp_path / "file", tmp_path / "file" / "tokens"):
        with pytest.raises(AccessDenied, match=r"token store .*file.* cannot be used: .*check the setting token_store"):
            names(client_of(seed, token_store=store))
    assert asked_for_tokens(crm) == 0


@pytest.mark.parametrize(("module", "call"), [(os, "fsync"), (tempfile, "mkstemp")])
def test_a_full_disk_is_told_before_the_refresh_token_is_used_up(
    module, call, tokens, crm, client_of, folder, monkeypatch
):
    seed = tokens.authorise()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(module, call, full)
        with pytest.raises(AccessDenied, match="cannot be used: No space left"):
            names(client_of(seed))
    assert asked_for_tokens(crm) == 0
    assert not list(folder.glob("*.new"))
    assert names(client_of(seed)) == ["Kari"]


def test_a_disk_that_is_full_within_the_file_is_told_before_the_refresh_token_is_used_up(tokens, crm, folder):
    found = started(crm, folder, tokens.authorise(), dies="finds the disk full")
    _, err = found.communicate(timeout=60)
    assert "AccessDenied: the token store" in err.splitlines()[-1]
    assert "cannot be used: File too large" in err.splitlines()[-1]
    assert asked_for_tokens(crm) == 0
    assert not list(folder.glob("*.new"))


def test_a_file_that_is_damaged_is_told_and_nothing_is_used_up(tokens, crm, client_of, folder):
    seed = tokens.authorise()
    assert names(client_of(seed)) == ["Kari"]
    (name,) = kept(folder)
    (folder / name).write_text("{")
    with pytest.raises(AccessDenied, match=r"does not hold what was written to it.*anew"):
        names(client_of(seed))
    assert asked_for_tokens(crm) == 1


def test_a_program_that_hangs_while_it_renews_is_told(tokens, client_of, folder, monkeypatch):
    monkeypatch.setattr(token_store, "HELD_AT_MOST", 0.2)
    seed = tokens.authorise()
    with (
        TokenStore(folder, seed).locked(),
        pytest.raises(AccessDenied, match="another program has been renewing the token"),
    ):
        names(client_of(seed))
    assert tokens.renewals == 0


def test_what_is_kept_is_on_the_disk_before_it_is_used(tokens, client_of, folder, monkeypatch):
    """The file and its folder are flushed when the answer is there, and before any request carries the token."""
    order = []
    flush = os.fsync
    monkeypatch.setattr(
        token_store.os,
        "fsync",
        lambda one: (order.append("folder" if stat.S_ISDIR(os.fstat(one).st_mode) else "file"), flush(one)),
    )
    tokens.given = lambda: order.append("answer")
    knows = tokens.knows
    tokens.knows = lambda *asked: (order.append("used"), knows(*asked))[1]
    assert names(client_of(tokens.authorise())) == ["Kari"]
    assert order[:5] == ["file", "answer", "file", "folder", "used"]


# -- several programs


def started(crm, folder, seed, times=1, dies="lives"):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, crm.url, folder, seed, str(times), dies],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_programs_that_renew_at_the_same_moment_use_no_refresh_token_twice(tokens, crm, folder):
    tokens.life = 0.001
    seed = tokens.authorise()
    running = [started(crm, folder, seed, times=8) for _ in range(4)]
    ended = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert [(err, code) for _, err, code in ended] == [("", 0)] * 4
    assert not tokens.families[0].is_withdrawn
    assert tokens.renewals > 8
    assert [one["refresh_token"] for one in kept(folder).values()] == [tokens.families[0].good]


def test_programs_that_start_at_the_same_moment_share_the_access_token(tokens, crm, folder):
    seed = tokens.authorise()
    running = [started(crm, folder, seed) for _ in range(3)]
    ended = [one.communicate(timeout=60) for one in running]
    assert len(set(ended)) == 1
    assert tokens.renewals == 1


def test_a_program_told_to_stop_while_it_renews_keeps_what_it_gets(tokens, crm, client_of, folder):
    seed = tokens.authorise()
    running = []
    tokens.given = lambda: running[0].send_signal(signal.SIGTERM)
    running.append(started(crm, folder, seed))
    running[0].communicate(timeout=60)
    assert running[0].returncode == 128 + signal.SIGTERM
    tokens.given = lambda: None
    assert [one["refresh_token"] for one in kept(folder).values()] == [tokens.families[0].good]
    assert names(client_of(seed)) == ["Kari"]


def test_a_program_killed_between_the_answer_and_its_keeping_is_told_by_the_next_one(tokens, crm, client_of, folder):
    """Nothing helps then: the token that the CRM takes is nowhere. The lock is free, and the line says what to do."""
    seed = tokens.authorise()
    died = started(crm, folder, seed, dies="dies")
    died.communicate(timeout=60)
    assert died.returncode == -signal.SIGKILL
    with pytest.raises(AccessDenied, match=r"the refresh token holds no longer \(400 invalid_grant\).*anew"):
        names(client_of(seed))
    assert names(client_of(tokens.authorise())) == ["Kari"]


def test_a_program_killed_earlier_has_lost_nothing(tokens, crm, client_of, folder):
    seed = tokens.authorise()
    running = []
    tokens.before = lambda _: running[0].kill() or DROP
    running.append(started(crm, folder, seed))
    running[0].communicate(timeout=60)
    tokens.before = lambda _: None
    assert names(client_of(seed)) == ["Kari"]
