"""What is wrong is told in one line that says what to do; the exit code says it too, and nothing is half written."""

import re
import sqlite3
from contextlib import closing

import pytest
from sandbox.lines import TO_CUSTOMCRM, TO_TRIPLETEX

from sandbox import Fault

directions = pytest.mark.parametrize("direction", [TO_TRIPLETEX, TO_CUSTOMCRM], ids=lambda one: one.name)
taps = pytest.mark.parametrize("plugin", ["tap-customcrm", "tap-tripletex"])
everybody = pytest.mark.parametrize(
    "plugin", ["tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex", "dataflow-mapper"]
)
HTML = "<!doctype html><html><head><title>Logg inn</title></head><body>Logg inn</body></html>"


@pytest.fixture(autouse=True)
def filled(systems):
    systems.customcrm.create("customer", Name="Alfa AS", OrganizationNumber="910 000 004")
    systems.tripletex.create("customer", name="Beta AS", organizationNumber="910000012")


def kept(lines):
    """What a link store holds of records."""
    if not lines.links.exists():
        return 0
    with closing(sqlite3.connect(lines.links)) as connection:
        tables = ("link", "intent", "waiting", "acknowledged")
        return sum(connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables)


def ends(ran, plugin, *words):
    """The plug-in ended with one line that has these words, without a traceback; it left nothing half written."""
    assert ran.codes[plugin] not in (0, None), ran.logs[plugin]
    assert ran.codes[plugin] > 0
    (line,) = ran.errors(plugin)
    assert f"| ERROR    | {plugin} " in line
    for word in words:
        assert word in line
    assert len(line) < 1000
    assert "Traceback" not in ran.logs[plugin]


def nothing_written(lines):
    assert [seen for system in lines.systems.both for seen in system.requests if seen.is_write] == []
    for direction in (TO_TRIPLETEX, TO_CUSTOMCRM):
        path = lines.state_file(direction)
        # The state that a read starts from says that nothing was read yet.
        assert not path.exists() or "as_of" not in path.read_text(encoding="utf-8")


def run_alone(lines, plugin, *arguments, messages=b""):
    with lines.start_one(plugin, arguments, messages=messages) as line:
        return line.finish()


def wrong(lines, plugin, **settings):
    lines.settings[plugin] = {**lines.settings[plugin], **settings}


SECRET = {
    "tap-customcrm": "api_key",
    "target-customcrm": "api_key",
    "tap-tripletex": "employee_token",
    "target-tripletex": "employee_token",
}


# -- the systems


@taps
def test_a_tap_with_wrong_credentials(lines, plugin):
    wrong(lines, plugin, **{SECRET[plugin]: "not-the-right-one"})
    direction = TO_TRIPLETEX if plugin == TO_TRIPLETEX.tap else TO_CUSTOMCRM
    ran = lines.run(direction)
    ends(ran, plugin, "40", SECRET[plugin].split("_")[-1])
    nothing_written(lines)
    assert kept(lines) == 0


@directions
def test_a_target_with_wrong_credentials(lines, direction):
    messages = lines.messages(direction)
    wrong(lines, direction.target, **{SECRET[direction.target]: "not-the-right-one"})
    ends(lines.load(direction, messages), direction.target, "40", SECRET[direction.target].split("_")[-1])
    nothing_written(lines)
    assert kept(lines) == 0


@taps
def test_a_tap_that_is_given_a_page_of_html(lines, plugin):
    for system in lines.systems.both:
        system.before = lambda _: Fault.answer(200, HTML)
    direction = TO_TRIPLETEX if plugin == TO_TRIPLETEX.tap else TO_CUSTOMCRM
    ends(lines.run(direction), plugin, "not JSON", "api_url")
    nothing_written(lines)


@directions
def test_a_target_that_is_given_a_page_of_html(lines, direction):
    messages = lines.messages(direction)
    for system in lines.systems.both:
        system.before = lambda _: Fault.answer(200, HTML)
    ends(lines.load(direction, messages), direction.target, "not JSON", "api_url")
    nothing_written(lines)
    assert kept(lines) == 0


# An unreachable host is tried for a while: see test_pipeline_secrets.py, where all four wait at once.


# -- settings


@everybody
def test_an_unknown_setting(lines, plugin):
    setting, near = ("tabels", "tables") if plugin == "dataflow-mapper" else ("api_ulr", "api_url")
    wrong(lines, plugin, **{setting: "x"})
    ends(run_alone(lines, plugin), plugin, f"unknown setting '{setting}'", f"did you mean '{near}'")


@everybody
def test_a_missing_setting(lines, plugin):
    setting = "tables" if plugin == "dataflow-mapper" else SECRET[plugin]
    del lines.settings[plugin][setting]
    variable = f"{plugin.upper().replace('-', '_')}_{setting.upper()}"
    ends(run_alone(lines, plugin), plugin, f"missing setting '{setting}'", variable)


@everybody
def test_a_configuration_file_that_is_none(lines, plugin, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"api_url": ', encoding="utf-8")
    ends(run_alone(lines, plugin, "--config", str(path)), plugin, "--config", "broken.json", "not JSON")
    ends(run_alone(lines, plugin, "--config", str(tmp_path / "none.json")), plugin, "none.json", "No such file")


@directions
def test_a_target_without_a_link_store(lines, direction):
    messages = lines.messages(direction)
    del lines.settings[direction.target]["links_url"]
    ends(lines.load(direction, messages), direction.target, "missing setting 'links_url'", "sqlite:////")
    nothing_written(lines)


@pytest.mark.parametrize(
    ("links_url", "words"),
    [
        ("links.db", "not a database URL"),
        ("oracle://somewhere/links", "which is not supported"),
        ("sqlite:////proc/links.db", "cannot be opened"),
        ("sqlite:///{folder}/text.db", "not a database"),
    ],
)
def test_a_link_store_that_cannot_be_one(lines, links_url, words):
    messages = lines.messages(TO_TRIPLETEX)
    (lines.folder / "text.db").write_text(
        "no database at all, but long enough to be looked at\n" * 100, encoding="utf-8"
    )
    lines.settings["target-tripletex"]["links_url"] = links_url.format(folder=lines.folder)
    ends(lines.load(TO_TRIPLETEX, messages), "target-tripletex", words)
    nothing_written(lines)


# -- the mapping


def tables(lines, name, old, new):
    """The tables, one of them changed."""
    folder = lines.folder / "transforms"
    folder.mkdir()
    for path in (lines.project / "transforms").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        if path.stem == name:
            assert old in text
            text = text.replace(old, new)
        (folder / path.name).write_text(text, encoding="utf-8")
    lines.settings["dataflow-mapper"]["tables"] = [
        str(folder / f"{name}.yml") for name in ("contact", "customer", "product")
    ]


@directions
@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("customer", "tripletex: website", "tripletex: webside", ("webside", "website")),
        ("contact", "customcrm: LastName", "customcrm: LastNam", ("LastNam", "LastName")),
        ("customer", "convert: organisation-number", "convert: organisation-nr", ("organisation-nr",)),
        ("product", "flow: product", "flow: [product", ("product.yml",)),
        ("contact", "link: customer", "link: custommer", ("custommer", "customer")),
        ("customer", "conflict: latest", "conflict: newest", ("newest", "latest")),
    ],
)
def test_a_mapping_file_with_a_typo(lines, direction, name, old, new, words):
    tables(lines, name, old, new)
    ran = lines.run(direction)
    ends(ran, "dataflow-mapper", f"{name}.yml", *words)
    assert re.search(r"line \d+|:\d+", ran.errors("dataflow-mapper")[0])
    nothing_written(lines)
    assert kept(lines) == 0


def test_a_mapping_file_that_is_not_there(lines):
    lines.settings["dataflow-mapper"]["tables"] = ["transforms/kunde.yml"]
    ends(lines.run(TO_TRIPLETEX), "dataflow-mapper", "kunde.yml")
    nothing_written(lines)


def test_a_mapper_for_the_other_direction(lines):
    ran = lines.load(TO_TRIPLETEX, lines.messages(TO_CUSTOMCRM))
    ends(ran, "target-tripletex", "writes to customcrm", "Use the mapping made for this direction")
    nothing_written(lines)


# -- the messages

RECORD = b'{"type":"RECORD","stream":"customer","record":{"name":"Alfa AS"}}\n'
readers = pytest.mark.parametrize("plugin", ["dataflow-mapper", "target-customcrm", "target-tripletex"])


@readers
@pytest.mark.parametrize(
    "garbage",
    [
        b"Traceback (most recent call last):\n",
        b'{"type": "RECORD", \n',
        b"[1, 2]\n",
        b'{"stream": "x"}\n',
        b"\xff\xfe\n",
    ],
    ids=["text", "half a message", "a list", "no type", "no UTF-8"],
)
def test_garbage_on_standard_input(lines, plugin, garbage):
    ran = run_alone(lines, plugin, messages=garbage)
    ends(ran, plugin, "1")
    assert ran.output == ""
    nothing_written(lines)


@readers
def test_a_record_before_its_schema(lines, plugin):
    ran = run_alone(lines, plugin, messages=RECORD)
    ends(ran, plugin, "customer", "before")
    nothing_written(lines)


DEEP = b'{"a":' * 2000 + b"1" + b"}" * 2000
STRANGE = {
    "an unknown type": (b'{"type":"HELLO","stream":"customer"}', "its type is none of SCHEMA, RECORD, STATE"),
    "a type in small letters": (b'{"type":"state","value":{}}', "its type is none of SCHEMA, RECORD, STATE"),
    "a state without a value": (b'{"type":"STATE"}', "a STATE whose value is missing"),
    "a version that is missing": (b'{"type":"ACTIVATE_VERSION","stream":"customer"}', "whose version is missing"),
    "a schema that is missing": (b'{"type":"SCHEMA","stream":"customer"}', "a SCHEMA whose schema is missing"),
    "a record that is no object": (b'{"type":"RECORD","stream":"customer","record":7}', "RECORD"),
    "a batch file that is missing": (
        b'{"type":"BATCH","stream":"customer","encoding":{"format":"jsonl"},"manifest":["file:///none.jsonl"]}',
        "BATCH files",
    ),
    "a state that is nested deeply": (b'{"type":"STATE","value":' + DEEP + b"}", "nested too deeply"),
    "a record that is nested deeply": (
        b'{"type":"RECORD","stream":"customer","record":' + DEEP + b"}",
        "nested too deeply",
    ),
}


@readers
@pytest.mark.parametrize("line", STRANGE)
def test_a_strange_message(lines, plugin, line):
    message, words = STRANGE[line]
    schema = b'{"type":"SCHEMA","stream":"customer","schema":{"properties":{}},"key_properties":[]}\n'
    if plugin == "dataflow-mapper":
        schema = b""
    ran = run_alone(lines, plugin, messages=schema + message + b"\n")
    ends(ran, plugin, words)
    assert ran.output == ""
    nothing_written(lines)


@pytest.mark.parametrize("bookmarks", [b'["x"]', b'"x"', b'{"customer":17}'], ids=["a list", "a text", "a number"])
def test_a_state_that_is_none(lines, bookmarks):
    messages = lines.messages(TO_TRIPLETEX).read_bytes().splitlines(keepends=True)
    first = next(number for number, line in enumerate(messages) if b'"SCHEMA"' in line)
    state = b'{"type":"STATE","value":{"bookmarks":%s}}\n' % bookmarks
    ran = lines.load(TO_TRIPLETEX, b"".join([*messages[: first + 1], state, *messages[first + 1 :]]))
    ends(ran, "target-tripletex", "STATE", "--full-refresh")
    nothing_written(lines)
    assert kept(lines) == 0


@directions
def test_garbage_in_the_middle_leaves_nothing_half_written(lines, direction):
    lines.systems.customcrm.create("contact", FirstName="Kari", Email="kari@example.no")
    lines.systems.tripletex.create("contact", firstName="Ola", email="ola@example.no")
    messages = lines.messages(direction).read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(messages) if b'"RECORD"' in line)
    ran = lines.load(direction, b"".join([*messages[:last], b"Killed\n", *messages[last:]]))
    ends(ran, direction.target, f"Line {last + 1} of the input is cut off or not JSON")
    assert ran.states == []
    # What came before it stands, and is not done twice.
    lines.well(direction)
    lines.cycle()
    assert {len(system.all("customer")) for system in lines.systems.both} == {2}
    assert {len(system.all("contact")) for system in lines.systems.both} == {2}


def test_an_odd_version_leaves_the_store_in_order(lines):
    lines.systems.customcrm.create("customer", Name="Gamma AS", OrganizationNumber="910 000 020")
    messages = lines.messages(TO_TRIPLETEX).read_text(encoding="utf-8")
    odd = re.sub(
        r'"version":"[^"]*","modified_at":"[^"]*"(?=[^\n]*Gamma)', '"version":17.25,"modified_at":17.25', messages
    )
    assert odd != messages
    assert lines.load(TO_TRIPLETEX, odd.encode()).counts["customer"] == {"created": 1, "parked": 1}
    assert lines.well(TO_TRIPLETEX, full_refresh=True).counts["customer"] == {"created": 1, "unchanged": 1}


def test_a_store_in_which_a_version_was_kept_as_it_came_opens(lines):
    lines.systems.customcrm.create("customer", Name="Gamma AS", Email="ring meg")
    assert lines.well(TO_TRIPLETEX).counts["customer"] == {"created": 1, "parked": 1}
    with closing(sqlite3.connect(lines.links)) as store, store:
        ((record,),) = store.execute("select record from waiting").fetchall()
        odd, count = re.subn(rb'"version":"[^"]*"', b'"version":1700000000.25', record)
        assert count == 1
        store.execute("update waiting set record = ?", (odd,))
    lines.systems.customcrm.edit(
        "customer", lines.systems.customcrm.all("customer")[1]["Id"], Email="post@gamma.example.no"
    )
    assert lines.well(TO_TRIPLETEX).counts["customer"]["created"] == 1


def test_a_record_that_is_no_valid_one_waits_and_the_others_get_through(lines):
    lines.systems.customcrm.create("customer", Name="Gamma AS", OrganizationNumber="910 000 020")
    messages = lines.messages(TO_TRIPLETEX).read_text(encoding="utf-8")
    broken = messages.replace('"name":"Gamma AS"', '"name":17')
    assert broken != messages
    ran = lines.load(TO_TRIPLETEX, broken.encode())
    assert ran.ok
    assert ran.counts["customer"] == {"created": 1, "parked": 1}
    assert "not a valid record" in ran.log
    broken = re.sub(r'"modified_at":"[^"]*"(?=[^\n]*Gamma)', '"modified_at":"i går"', messages)
    assert broken != messages
    ran = lines.load(TO_TRIPLETEX, broken.encode())
    assert ran.ok
    assert {one["name"] for one in lines.systems.tripletex.all("customer")} == {"Alfa AS", "Beta AS"}
    lines.well(TO_TRIPLETEX, full_refresh=True)
    assert {one["name"] for one in lines.systems.tripletex.all("customer")} == {"Alfa AS", "Beta AS", "Gamma AS"}
