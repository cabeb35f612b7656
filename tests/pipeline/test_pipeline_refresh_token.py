"""A tap and a target that start at the same moment, on a CRM whose refresh tokens are good for one use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from customcrm_client.testing import KEY, USER
from customcrm_client.testing_oauth2 import TOKEN_PATH, TokenServer, guarded_crm, guarded_profile

BIN = Path(sys.executable).parent
SCHEMA = {"type": "object", "properties": {"FirstName": {"type": "string"}}}


def messages(name):
    schema = {"type": "SCHEMA", "stream": "contact", "schema": SCHEMA, "key_properties": []}
    record = {"type": "RECORD", "stream": "contact", "record": {"FirstName": name}}
    return "".join(json.dumps(one) + "\n" for one in (schema, record))


@pytest.mark.parametrize("life", [0.001, 3600], ids=["each renews", "they share"])
def test_a_tap_and_a_target_at_the_same_moment_use_no_refresh_token_twice(life, tmp_path):
    tokens = TokenServer(life=life)
    with guarded_crm(tokens) as server:
        config = {
            "api_url": server.url,
            "api_user": USER,
            "api_key": KEY,
            "refresh_token": tokens.authorise(),
            "profile": guarded_profile(),
        }
        (tmp_path / "tap.json").write_text(json.dumps(config))
        (tmp_path / "target.json").write_text(json.dumps({**config, "create_without_match": True}))
        for number in range(2):
            (tmp_path / "messages").write_text(messages(f"Ola {number}"))
            with (tmp_path / "messages").open() as given:
                running = [
                    subprocess.Popen(
                        [BIN / plugin, "--config", f"{plugin.partition('-')[0]}.json"],
                        cwd=tmp_path,
                        env={**os.environ, "LOGLEVEL": "DEBUG"},
                        stdin=given,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        text=True,
                    )
                    for plugin in ("tap-customcrm", "target-customcrm")
                ]
                told = [one.communicate(timeout=120) for one in running]
            assert [one.returncode for one in running] == [0, 0], told
            assert not [token for token in (*tokens.tokens, KEY) if token in "".join(out + err for out, err in told)]
        assert [asked.path for asked in server.asked if asked.method == "POST" and asked.path != TOKEN_PATH] == [
            "/people"
        ] * 2
    assert not tokens.families[0].is_withdrawn
    assert tokens.renewals == 1 if life > 1 else tokens.renewals > 3
    (kept,) = (tmp_path / "var" / "tokens").glob("*.json")
    assert json.loads(kept.read_bytes())["refresh_token"] == tokens.families[0].good
