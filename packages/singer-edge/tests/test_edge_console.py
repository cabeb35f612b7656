"""A plug-in's command line: what can go wrong is told in one line, with exit code 1."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from singer_edge import settings

PLUGIN = textwrap.dedent(
    """
    import datetime as dt, os, sys, time, logging
    from api_transport.errors import AccessDenied
    from singer_edge import settings
    from singer_edge.read import Page
    from singer_edge.reading import BookmarkedStream
    from singer_edge.tap import EdgeTap
    from singer_sdk import typing as th

    class Things(BookmarkedStream):
        name = "thing"
        primary_keys = ("Id",)

        def __init__(self, tap):
            properties = {"Id": {"type": "string"}, "Text": {"type": ["string", "null"]}}
            super().__init__(tap, schema={"type": "object", "properties": properties})

        def pages(self, read):
            what = self.config.get("what")
            if what == "refuse":
                raise AccessDenied("access denied", status=401)
            if what == "bug":
                raise ZeroDivisionError("a bug")
            if what == "leak":
                logging.getLogger("anybody").debug("using %s", self.config["api_key"])
                raise ZeroDivisionError(self.config["api_key"])
            now = dt.datetime.now(dt.timezone.utc)
            number = 0
            while number < 3 or what == "endless":
                yield Page([{"Id": str(number), "Text": "x" * (100_000 if what == "endless" else 1)}], now)
                number += 1
                if what == "wait":
                    yield Page([], now)
                    print("waiting", file=sys.stderr, flush=True)
                    time.sleep(60)

    class TapThing(EdgeTap):
        name = "tap-thing"
        config_jsonschema = th.PropertiesList(
            settings.api_url(example="https://crm.example.com"),
            th.Property("api_key", th.StringType(nullable=False), required=True, secret=True, title="API key"),
            th.Property("count", th.IntegerType(minimum=1)),
            th.Property("what", th.StringType()),
            settings.start_date("by time"),
            settings.full_read_every(),
        ).to_dict()

        def discover_streams(self):
            return [Things(self)]

    TapThing.cli()
    """
)
KEY = "nobody-may-read-this"
GOOD = {"api_url": "https://crm.example.com/api", "api_key": KEY}


@pytest.fixture
def tap(tmp_path):
    """Run the tap in a process of its own: (exit code, standard output, lines that tell of errors)."""

    def tap(*args, config=None, env=None, **files):
        command = [sys.executable, "-c", PLUGIN, *args]
        for option, content in {"config": config, **files}.items():
            if content is not None:
                path = tmp_path / f"{option}.json"
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
                command += [f"--{option}", str(path)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
        )
        told = [line for line in done.stderr.splitlines() if "| INFO " not in line]
        return done.returncode, done.stdout, told

    return tap


def only(told):
    assert len(told) == 1, told
    assert KEY not in told[0]
    return told[0].split(" | ")[-1]


@pytest.mark.parametrize("mode", [[], ["--test"], ["--discover"]])
def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(tap, mode):
    code, out, told = tap(*mode, config={**GOOD, "api_ulr": "x"})
    assert (code, out) == (1, "")
    assert only(told).endswith("unknown setting 'api_ulr' – did you mean 'api_url'?")  # noqa: RUF001 - a dash for people


@pytest.mark.parametrize("mode", [[], ["--test"], ["--discover"]])
def test_all_wrong_settings_are_told_in_one_line_without_secrets(tap, mode):
    wrong = {
        "api_url": "crm.example.com",
        "api_key": f"{KEY}\n",
        "count": 0,
        "start_date": "soon",
        "full_read_every": "x",
    }
    code, _, told = tap(*mode, config=wrong)
    assert code == 1
    line = only(told)
    for part in (
        "'api_url': must begin with https://",
        "'api_key': holds blanks, line breaks",
        "'count' must be at least 1, not 0",
        "'start_date' 'soon': is not a time",
        "'full_read_every' must be of type number, not 'x'",
    ):
        assert part in line


def test_missing_settings_are_named_with_what_to_do(tap):
    code, _, told = tap(config={"api_key": ""})
    assert code == 1
    assert "missing setting 'api_url' (API URL): set it in the configuration file, or as TAP_THING_API_URL" in only(
        told
    )
    assert "missing setting 'api_key'" in only(told)


def test_discovery_needs_no_settings(tap):
    code, out, told = tap("--discover")
    assert (code, told) == (0, [])
    assert [stream["tap_stream_id"] for stream in json.loads(out)["streams"]] == ["thing"]


def test_settings_of_the_sdk_and_extras_of_meltano_are_known(tap):
    config = {
        **GOOD,
        "stream_maps": {},
        "stream_map_config": {},
        "faker_config": {},
        "flattening_enabled": False,
        "_x": 1,
    }
    code, out, told = tap(config=config)
    assert (code, told) == (0, [])
    assert out.count('"RECORD"') == 3


def test_settings_come_from_the_environment_too(tap):
    env = {"TAP_THING_API_URL": "https://crm.example.com", "TAP_THING_API_KEY": KEY, "TAP_THING_FULL_READ_EVERY": "1.5"}
    assert tap("--config", "ENV", env={**env, "TAP_THING_COUNT": ""})[0] == 0
    code, _, told = tap("--config", "ENV", env={**env, "TAP_THING_COUNT": "many"})
    assert code == 1
    assert only(told) == "setting 'count' must be of type integer, not 'many'"


def test_an_env_file_as_windows_writes_it_says_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_THING_API_URL", "")  # so that what the file sets is gone afterwards
    monkeypatch.delenv("TAP_THING_API_URL")
    path = tmp_path / ".env"
    path.write_text("TAP_THING_API_URL=https://crm.example.com\n", encoding="utf-8-sig", newline="\r\n")
    monkeypatch.setattr(settings, "find_dotenv", lambda: str(path))
    schema = {"properties": {"api_url": {"type": ["string"]}}}
    assert settings.from_environment(schema, "TAP_THING_") == {"api_url": "https://crm.example.com"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config": "{"}, "not JSON"),
        ({"config": "[]"}, "a JSON object is needed, this is a list"),
        ({"state": "{,}"}, "--state"),
        ({"state": {"bookmarks": []}}, "not a Singer state"),
        ({"state": {"bookmarks": {"thing": {"as_of": "soon"}}}}, "bookmark of stream 'thing' is damaged"),
        ({"catalog": "nothing"}, "not JSON"),
        ({"catalog": {"streams": [{"schema": {}}]}}, "not a Singer catalog"),
        ({"catalog": {}}, "not a Singer catalog"),
    ],
)
def test_a_file_that_makes_no_sense_is_named(tap, files, words):
    code, out, told = tap(**{"config": GOOD, **files})
    assert (code, out) == (1, "")
    line = only(told)
    assert words in line
    assert f"--{next(iter(files))}" in line


@pytest.mark.parametrize("state", [None, ""], ids=["missing", "emptied"])
def test_without_a_state_everything_is_read_and_that_is_told(tap, tmp_path, state):
    if state is not None:
        (tmp_path / "state.json").write_text(state)
    code, out, told = tap("--state", "state.json", config=GOOD)
    assert code == 0
    assert [json.loads(line)["type"] for line in out.splitlines()].count("RECORD") == 3
    assert only(told) == "--state state.json: there is no state in it yet, so everything is read"


@pytest.mark.parametrize("option", ["--config", "--catalog"])
def test_a_file_that_is_not_there_is_named(tap, option):
    code, _, told = tap(option, "nowhere.json", **({} if option == "--config" else {"config": GOOD}))
    assert code == 1
    assert only(told) == f"{option} nowhere.json: No such file or directory"


def test_a_command_line_that_is_none_is_told_in_one_line(tap):
    code, _, told = tap("--tset")
    assert code == 2
    assert "No such option" in only(told)


@pytest.mark.parametrize("mode", [[], ["--test"]])
def test_what_the_api_denies_is_one_line_without_traceback(tap, mode):
    code, _, told = tap(*mode, config={**GOOD, "what": "refuse"})
    assert code == 1
    assert only(told).startswith("access denied 401")


def test_a_wrong_stream_map_is_one_line(tap):
    code, _, told = tap(config={**GOOD, "stream_maps": {"thing": {"Text": "1 +"}}})
    assert code == 1
    assert "1 +" in only(told)


def test_a_log_level_that_is_none_is_one_line(tap):
    code, _, told = tap("--discover", env={"LOGLEVEL": "LOUD"})
    assert code == 1
    assert "check LOGLEVEL" in only(told)


def test_a_bug_keeps_its_traceback(tap):
    code, _, told = tap(config={**GOOD, "what": "bug"})
    assert code == 1
    assert "ZeroDivisionError: a bug" in "\n".join(told)


@pytest.mark.parametrize("config", ["{}", '{"encoding": 1}'])
def test_nothing_secret_is_logged_at_any_level(tap, config, tmp_path):
    structured = tmp_path / "logging.json"
    structured.write_text(
        json.dumps(
            {
                "version": 1,
                "formatters": {"singer": {"()": "singer_sdk.logging.StructuredFormatter"}},
                "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "singer"}},
                "root": {"handlers": ["console"], "level": "DEBUG"},
            }
        )
    )
    for env in ({"LOGLEVEL": "DEBUG"}, {"LOGLEVEL": "DEBUG", "SINGER_SDK_LOG_CONFIG": str(structured)}):
        code, out, told = tap(config={**GOOD, "what": "leak"}, env=env)
        assert code == 1
        assert "using ***" in "\n".join(told)
        assert KEY not in "\n".join([out, *told])


def start(tmp_path, what, **options):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**GOOD, "what": what}))
    command = [sys.executable, "-c", PLUGIN, "--config", str(config)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **{"text": True, **options})


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_reading_is_no_drama(tmp_path, unbuffered):
    with start(tmp_path, "endless", env={**os.environ, "PYTHONUNBUFFERED": unbuffered}) as process:
        process.stdout.readline()
        process.stdout.close()
        told = [line for line in process.stderr.read().splitlines() if "| INFO " not in line]
    assert process.returncode == 1
    assert told == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_tap_at_once_and_tells_its_exit_code(tmp_path, signum, code):
    with start(tmp_path, "wait") as process:
        while "waiting" not in process.stderr.readline():
            pass
        process.send_signal(signum)
        out, told = process.communicate(timeout=20)
    assert process.returncode == code
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["SCHEMA", "STATE", "RECORD"]
    assert "Traceback" not in told
