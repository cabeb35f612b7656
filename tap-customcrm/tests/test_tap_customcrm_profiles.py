"""tap-customcrm on CRMs of every kind, and what it tells of a profile that does not fit one."""

import json
import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from api_transport.testing import Said
from customcrm_client.testing import KEY, PAGED, USER, profile_for, small_crm
from customcrm_client.testing_oauth2 import TokenServer, guarded_crm, guarded_profile
from singer_edge.errors import RunFailed
from singer_sdk.exceptions import ConfigValidationError
from tap_customcrm.tap import TapCustomcrm, TapInferring


def config_for(server, profile, **more):
    return {"api_url": server.url, "api_key": KEY, "api_user": USER, "profile": profile, **more}


@pytest.fixture
def people():
    """A CRM with seven people, and its profile."""
    with small_crm(paging="page_from_zero") as (crm, server):
        for number in range(7):
            crm.add(f"Person {number}")
        yield crm, server, profile_for(paging="page_from_zero")


def messages_of(capfdbinary):
    sys.stdout.flush()
    return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


@pytest.mark.parametrize("paging", PAGED)
def test_a_stream_is_read_as_a_whole_and_then_by_its_changes(paging, capfdbinary):
    with small_crm(paging=paging) as (crm, server):
        for number in range(6):
            crm.add(f"Person {number}")
        config = config_for(server, profile_for(paging=paging), page_size=2)
        TapCustomcrm(config=config).sync_all()
        first = messages_of(capfdbinary)
        assert [m["record"]["FirstName"] for m in first if m["type"] == "RECORD"] == [f"Person {n}" for n in range(6)]
        assert first[-2]["type"] == "ACTIVATE_VERSION"
        crm.seconds += 3600
        crm.touch(crm.rows["2"])
        TapCustomcrm(config=config, state=first[-1]["value"]).sync_all()
        second = messages_of(capfdbinary)
        assert "Person 1" in [m["record"]["FirstName"] for m in second if m["type"] == "RECORD"]
        assert "ACTIVATE_VERSION" not in [m["type"] for m in second]
        assert server.asked[-1].query["since"].startswith("2026-03-01T11:55")


def test_a_stream_without_increments_is_read_as_a_whole_each_time(people, capfdbinary):
    _, server, profile = people
    profile["streams"]["contact"]["read"].pop("increments")
    config = config_for(server, profile)
    TapCustomcrm(config=config).sync_all()
    state = messages_of(capfdbinary)[-1]["value"]
    TapCustomcrm(config=config, state=state).sync_all()
    kinds = [message["type"] for message in messages_of(capfdbinary)]
    assert kinds.count("RECORD") == 7
    assert "ACTIVATE_VERSION" in kinds


def test_changes_are_picked_out_here_where_the_crm_cannot_be_asked(people, capfdbinary):
    crm, server, profile = people
    profile["streams"]["contact"]["read"]["increments"] = {}
    config = config_for(server, profile)
    TapCustomcrm(config=config).sync_all()
    state = messages_of(capfdbinary)[-1]["value"]
    crm.seconds += 3600
    crm.touch(crm.rows["3"])
    TapCustomcrm(config=config, state=state).sync_all()
    TapCustomcrm(config=config, state=messages_of(capfdbinary)[-1]["value"]).sync_all()
    assert [m["record"]["Id"] for m in messages_of(capfdbinary) if m["type"] == "RECORD"] == ["3"]


def test_a_stream_of_ones_own_is_a_stream_like_the_three(people, capfdbinary):
    _, server, profile = people
    profile["streams"] = {"employee": profile["streams"]["contact"]}
    TapCustomcrm(config=config_for(server, profile)).sync_all()
    assert {m["stream"] for m in messages_of(capfdbinary) if m["type"] == "RECORD"} == {"employee"}


def test_a_setting_that_the_auth_needs_is_asked_for(people):
    _, server, profile = people
    with pytest.raises(ConfigValidationError) as caught:
        TapCustomcrm(config={"profile": profile})
    (told,) = caught.value.errors
    assert "missing setting 'api_url'" in told
    assert "missing setting 'api_key' (API key): set it in the configuration file, or as TAP_CUSTOMCRM_API_KEY" in told
    profile["auth"] = {"kind": "basic"}
    with pytest.raises(ConfigValidationError) as caught:
        TapCustomcrm(config={"api_url": server.url, "api_key": KEY, "profile": profile})
    assert caught.value.errors[0].startswith("missing setting 'api_user'")
    TapCustomcrm(config={"api_url": server.url, "profile": {**profile, "auth": {"kind": "none"}}})


# -- trying a profile


@pytest.fixture
def told(caplog):
    """What a try of a profile tells: the lines, and whether it fits."""

    def told(server, profile, **more):
        caplog.set_level(logging.INFO)
        caplog.clear()
        tap = TapCustomcrm(config=config_for(server, profile, **more))
        try:
            tap.tell_connection()
        except RunFailed as error:
            fits = str(error)
        else:
            fits = True
        return [record.getMessage() for record in caplog.records if record.name.startswith("tap-customcrm")], fits

    return told


def test_a_profile_that_fits_is_told_in_a_line_a_stream(people, told):
    _, server, profile = people
    lines, fits = told(server, profile, page_size=3)
    assert fits is True
    (line,) = [line for line in lines if line.startswith("contact:")]
    assert line == (
        "contact: 3 records on the first page of 7; paging moves on; properties Id, UpdatedAt, FirstName, Email; "
        "the filter of changes is respected; search by FirstName finds; read by its id."
    )


def test_an_empty_crm_is_no_fault_of_the_profile(told):
    with small_crm(paging="page_from_zero") as (_, server):
        lines, fits = told(server, profile_for(paging="page_from_zero"))
    assert fits is True
    assert any("contact: the list is empty" in line for line in lines)


def read(**change):
    def wrong(profile):
        profile["streams"]["contact"]["read"].update(change)

    return wrong


def stream(**change):
    def wrong(profile):
        profile["streams"]["contact"].update(change)

    return wrong


WRONG = {
    "a path that is not there": (stream(path="/persons"), "refused 404: no such page"),
    "records that are elsewhere": (read(records="rows"), "no list of records under 'rows'; the answer has data, meta"),
    "an id that is not there": (stream(id="uuid"), "it has no 'uuid'"),
    "a property that never comes": (
        stream(properties={"FirstName": "first_name", "Email": "mail"}),
        "no record has FirstName (first_name); check properties. The CRM's records have id, name, mail",
    ),
    "a time that is none": (stream(updated_at="name"), "updated_at holds no time as times: rfc3339 has it"),
    "paging that repeats": (
        read(paging={"kind": "page", "param": "side", "size_param": "p[size]"}),
        "the same page came twice",
    ),
    "paging that leads nowhere": (
        read(paging={"kind": "cursor", "cursor": "meta.next", "size_param": "p[size]"}),
        "the first page is full, and nothing leads on from it",
    ),
    "a filter that is ignored": (read(increments={"params": {"from": "{since}"}}), "read.increments is ignored"),
    "a filter that finds nothing": (
        read(increments={"params": {"since": "x{since}"}}),
        "read.increments passes over a record that changed just then",
    ),
    "a search that is ignored": (stream(search={"params": {"q": "{value}"}}), "search by FirstName is ignored"),
    "a record that is elsewhere": (stream(get={"record": "person"}), "no record under 'person'"),
    "a lock that is not told": (stream(write={"locking": {"kind": "version", "path": "lock"}}), "without a version"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_profile_is_told_from_an_empty_crm_in_one_line(name, people, told):
    _, server, profile = people
    change, words = WRONG[name]
    change(profile)
    lines, fits = told(server, profile, page_size=3)
    assert fits == "The profile does not fit the CRM: 1 problem, told above."
    problems = [line for line in lines if words in line]
    assert len(problems) == 1, lines
    assert problems[0].startswith("contact: ")
    assert "\n" not in problems[0]


def test_a_filter_that_compares_times_as_texts_is_noticed_though_it_finds_other_days(people, told):
    crm, server, profile = people
    for row in crm.rows.values():
        row["changed"] = row["changed"].replace("T", " ").rstrip("Z")
    lines, fits = told(server, profile)
    assert fits is not True
    assert any("passes over a record that changed just then" in line for line in lines)
    profile["streams"]["contact"]["read"]["increments"]["format"] = "%Y-%m-%d %H:%M:%S"
    lines, fits = told(server, profile)
    assert fits is True
    assert any("the filter of changes is respected" in line for line in lines)


def test_a_crm_that_refuses_the_future_fits(people, told):
    crm, server, profile = people

    def refuse(asked):
        since = asked.query.get("since", "")
        late = datetime.now(timezone.utc) + timedelta(minutes=1)
        return Said({"error": {"message": "in the future"}}, 400) if since > late.isoformat() else None

    crm.before = refuse
    assert told(server, profile)[1] is True


def test_a_filter_that_gives_whole_days_fits_and_is_not_praised(people, told):
    _, server, profile = people
    profile["streams"]["contact"]["read"]["increments"]["format"] = "date"
    lines, fits = told(server, profile)
    assert fits is True
    assert any("older ones of the same day" in line for line in lines)


def test_what_a_crm_leaves_out_where_it_has_no_value_is_no_fault(people, told):
    _, server, profile = people
    contact = profile["streams"]["contact"]
    contact["properties"] = {"FirstName": "name", "Phone": {"path": "phone", "absent": "empty"}}
    lines, fits = told(server, profile)
    assert fits is True
    assert any("no record has a value in Phone" in line for line in lines)
    contact |= {"absent": "empty", "properties": {"FirstName": "name", "Phone": "phone"}}
    assert told(server, profile)[1] is True


def test_a_value_that_no_search_can_ask_for_is_passed_over(people, told):
    crm, server, profile = people
    for row in crm.rows.values():
        row["name"] = "å" * 400
    lines, fits = told(server, profile)
    assert fits is True
    assert any("search by Email finds" in line for line in lines)


def test_no_paging_is_doubted_where_a_round_number_of_records_came(told):
    with small_crm(paging="none") as (crm, server):
        for number in range(10):
            crm.add(f"Person {number}")
        lines, fits = told(server, profile_for(paging="none"))
    assert fits is not True
    assert any("there is no paging, and just 10 records came" in line for line in lines)


def test_the_command_tries_the_profile_of_a_file(people, tmp_path, command):
    crm, server, profile = people
    (tmp_path / "crm.yml").write_text(json.dumps(profile))
    (tmp_path / "config.json").write_text(json.dumps(config_for(server, "crm.yml")))
    done = command("--test=connection")
    assert (done.returncode, done.stdout) == (0, "")
    assert "The profile fits the CRM." in done.stderr
    assert KEY not in done.stderr
    (tmp_path / "crm.yml").write_text("streams:\n  contact:\n    pat: /people\n")
    done = command("--test=connection")
    assert done.returncode == 1
    assert "crm.yml:3: unknown key pat of contact. Did you mean path?" in done.stderr
    assert "Traceback" not in done.stderr
    assert crm.rows


@pytest.fixture
def command(starter, tmp_path):
    """Runs the command in the folder with the profile."""
    return lambda *args: starter.run("tap-customcrm", "--config", "config.json", *args, folder=tmp_path)


# -- inferring schemas


def test_schemas_are_inferred_into_a_file_that_is_kept(people, tmp_path, command):
    crm, server, profile = people
    crm.rows["1"]["address"] = {"city": "Oslo", "floor": None}
    crm.rows["2"]["score"], crm.rows["3"]["score"] = 1, 2.5
    del profile["streams"]["contact"]["properties"]
    (tmp_path / "crm.yml").write_text(json.dumps(profile))
    (tmp_path / "config.json").write_text(json.dumps(config_for(server, "crm.yml")))
    path = tmp_path / "schemas.json"
    assert command("--infer", "schemas.json").returncode == 0
    properties = json.loads(path.read_text())["contact"]["properties"]
    assert properties["name"] == {"type": ["string", "null"]}
    assert properties["changed"] == {"type": ["string", "null"], "format": "date-time"}
    assert properties["score"] == {"type": ["number", "null"]}
    # A type that the tables' properties have: nothing was told of it.
    assert properties["address"]["properties"]["floor"]["type"] == ["string", "null"]
    assert properties["address"]["properties"]["city"] == {"type": ["string", "null"]}
    # What a person changed stays, what is new comes in.
    kept = json.loads(path.read_text())
    kept["contact"]["properties"]["name"]["readOnly"] = True
    path.write_text(json.dumps(kept))
    crm.rows["1"]["phone"] = "22334455"
    TapInferring(config=config_for(server, profile)).write_schemas_to(path)
    properties = json.loads(path.read_text())["contact"]["properties"]
    assert properties["name"]["readOnly"] is True
    assert "phone" in properties


def test_with_inferred_schemas_the_crms_own_names_are_kept(people, tmp_path, capfdbinary):
    _, server, profile = people
    contact = profile["streams"]["contact"]
    del contact["properties"]
    contact["schema"] = {"properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}}
    TapCustomcrm(config=config_for(server, profile)).sync_all()
    records = [m["record"] for m in messages_of(capfdbinary) if m["type"] == "RECORD"]
    assert records[0] == {"Id": "1", "UpdatedAt": records[0]["UpdatedAt"], "id": 1, "name": "Person 0"}


def test_an_answer_that_is_no_list_is_told_before_anything_is_written(people, tmp_path):
    crm, server, profile = people
    crm.before = lambda _: Said("<html><title>Log in</title></html>")
    with pytest.raises(Exception, match="not JSON"):
        TapInferring(config=config_for(server, profile)).write_schemas_to(tmp_path / "schemas.json")
    assert not (tmp_path / "schemas.json").exists()


# -- a refresh token


def test_a_refresh_token_is_kept_in_the_projects_folder_and_in_no_text(tmp_path):
    """The tap as its command, everything logged; the second run needs the token that the first one was given."""
    tokens = TokenServer(life=0.001)
    with guarded_crm(tokens) as server:
        config = {
            "api_url": server.url,
            "api_user": USER,
            "api_key": KEY,
            "refresh_token": tokens.authorise(),
            "profile": guarded_profile(),
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        for _ in range(2):
            ran = subprocess.run(
                [Path(sys.executable).parent / "tap-customcrm", "--config", "config.json"],
                cwd=tmp_path,
                env={**os.environ, "LOGLEVEL": "DEBUG"},
                capture_output=True,
                text=True,
                check=True,
            )
            assert '"FirstName":"Kari"' in ran.stdout.replace(" ", "")
            assert not [token for token in (*tokens.tokens, KEY) if token in ran.stdout + ran.stderr]
        tokens.families[0].is_withdrawn = True
        ran = subprocess.run(
            [Path(sys.executable).parent / "tap-customcrm", "--config", "config.json", "--test=connection"],
            cwd=tmp_path,
            env={**os.environ, "LOGLEVEL": "DEBUG"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 1
    assert "authorise the integration anew" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert not [token for token in (*tokens.tokens, KEY) if token in ran.stdout + ran.stderr]
    (kept,) = (tmp_path / "var" / "tokens").glob("*.json")
    assert json.loads(kept.read_bytes())["refresh_token"] == tokens.families[0].good


def test_a_missing_refresh_token_is_asked_for_and_a_client_secret_is_not():
    with pytest.raises(ConfigValidationError) as caught:
        TapCustomcrm(config={"api_url": "http://127.0.0.1:9", "profile": guarded_profile(), "api_user": USER})
    (told,) = caught.value.errors
    assert told.startswith("missing setting 'refresh_token' (Refresh token): set it in")
    assert told.endswith("or as TAP_CUSTOMCRM_REFRESH_TOKEN")


def test_a_trial_that_tells_more_shows_requests_and_forms_and_neither_secrets_nor_values(people, starter, tmp_path):
    crm, server, profile = people
    crm.add("Karianne Hemmelig", mail="karianne@hemmelig.example.no")
    profile = {**profile, "auth": {"kind": "query", "name": "api_token"}}
    crm.auth = "query"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_for(server, profile)), encoding="utf-8")
    ran = starter.run("tap-customcrm", "--config", str(config), "--test=connection", "--verbose")
    log = ran.stdout + ran.stderr
    assert ran.returncode == 0, log
    assert "GET /people ? " in log
    assert "api_token=***" in log
    assert "records: data finds a list of 5, the first: an object with id, name, mail" in log
    assert "Email: mail finds a text" in log
    for hidden in (KEY, "Hemmelig", "karianne@", "Person 0", "0@example.no"):
        assert hidden not in log


def test_a_draft_goes_to_standard_output_and_a_file_that_is_none_is_told(starter, tmp_path):
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps({"paths": {"/contacts": {"get": {}}}}), encoding="utf-8")
    ran = starter.run("tap-customcrm", "--draft-from", str(description))
    assert (ran.returncode, "path: /contacts" in ran.stdout) == (0, True), ran.stderr
    description.write_text("paths: {/contacts: {get: {}}}\n", encoding="utf-8")
    assert "path: /contacts" in starter.run("tap-customcrm", "--draft-from", str(description)).stdout
    for text in ("{", "[]", "paths: [", "\x00"):
        description.write_text(text, encoding="utf-8")
        ran = starter.run("tap-customcrm", "--draft-from", str(description))
        assert ran.returncode == 1
        assert "Traceback" not in ran.stderr
        assert "openapi.json" in ran.stderr
