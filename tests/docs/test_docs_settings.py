"""The settings in the README, in meltano.yml and in .env.example are those that the plugins have.

`UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs/test_docs_settings.py` writes the README's tables anew.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from singer_sdk import InlineMapper, Tap, Target

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
README = ROOT / "README.md"
TABLES = re.compile(r"(<!-- settings: [^>]*-->\n).*(<!-- /settings -->)", re.DOTALL)
KINDS = {"tap": Tap, "target": Target, "dataflow": InlineMapper}
PLUGINS = ("tap-customcrm", "tap-tripletex", "target-customcrm", "target-tripletex", "dataflow-mapper")
MELTANO_KINDS = {"string": None, "integer": "integer", "number": "decimal", "boolean": "boolean", "object": "object"}


@pytest.fixture(scope="module")
def about():
    """What each plugin says of itself, by its command."""

    def ask(plugin):
        told = subprocess.run([BIN / plugin, "--about", "--format=json"], capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(PLUGINS, pool.map(ask, PLUGINS), strict=True))


@pytest.fixture(scope="module")
def meltano():
    """The plugins of meltano.yml by their names."""
    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    return {one["name"]: one for kind in ("extractors", "loaders") for one in project["plugins"][kind]}


def own_settings(plugin, about):
    """A plugin's settings, and the names of those that the SDK gives to every plugin of its kind."""
    settings = about[plugin]["settings"]
    builtin = {"properties": {}}
    KINDS[plugin.partition("-")[0]].append_builtin_config(builtin)
    properties = settings["properties"]
    own = {name: one for name, one in properties.items() if name not in builtin["properties"]}
    return own, [name for name in properties if name not in own], settings.get("required", [])


def kind_of(described):
    """The JSON type of a setting, null aside."""
    types = described["type"] if isinstance(described["type"], list) else [described["type"]]
    return next(one for one in types if one != "null")


def table(plugin, about):
    """A plugin's settings as the README shows them."""
    own, builtin, required = own_settings(plugin, about)
    lines = [
        f"### {plugin}",
        "",
        about[plugin]["description"],
        "",
        "| Setting | Type | Default | |",
        "| --- | --- | --- | --- |",
    ]
    for name, described in own.items():
        default = "**required**" if name in required else ""
        if "default" in described:
            default = f"`{json.dumps(described['default']).strip(chr(34))}`"
        said = described["description"] + (". **Secret**" if described.get("secret") else "")
        if "enum" in described:
            said += f": {' or '.join(f'`{one}`' for one in described['enum'])}"
        lines.append(f"| `{name}` | {kind_of(described)} | {default} | {said} |")
    if builtin:
        names = ", ".join(f"`{name}`" for name in builtin)
        lines += ["", f"From the Singer SDK besides, to be left alone in a two-way sync: {names}."]
    return "\n".join(lines)


def test_the_readme_tells_the_settings_that_the_plugins_have(about):
    text = README.read_text(encoding="utf-8")
    tables = "\n\n".join(table(plugin, about) for plugin in PLUGINS)
    current = TABLES.sub(lambda found: f"{found.group(1)}\n{tables}\n\n{found.group(2)}", text)
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(current, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == current, "run this test with UPDATE_DOCS=1 in the environment"


def test_every_setting_says_what_it_is(about):
    silent = [
        f"{plugin}.{name}"
        for plugin in PLUGINS
        for name, one in own_settings(plugin, about)[0].items()
        if not one.get("description") or not one.get("title")
    ]
    assert silent == []


@pytest.mark.parametrize("plugin", PLUGINS[:4])
def test_meltano_knows_each_setting_by_its_kind_and_whether_it_is_secret(plugin, about, meltano):
    own, _, _ = own_settings(plugin, about)
    known = {one["name"]: one for one in meltano[plugin]["settings"]}
    assert sorted(known) == sorted(own)
    for name, described in own.items():
        assert known[name].get("sensitive", False) == described.get("secret", False), name
        assert known[name].get("kind") == MELTANO_KINDS[kind_of(described)], name
        assert known[name]["description"], name


@pytest.mark.parametrize("plugin", PLUGINS[:4])
def test_meltano_gives_no_setting_that_a_plugin_does_not_have(plugin, about, meltano):
    own, _, required = own_settings(plugin, about)
    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    given = set(meltano[plugin]["config"])
    for environment in project["environments"]:
        kinds = environment.get("config", {}).get("plugins", {})
        given |= {name for kind in kinds.values() for one in kind if one["name"] == plugin for name in one["config"]}
    assert given <= set(own)
    assert set(required) <= given


def test_defaults_that_meltano_describes_are_the_plugins_own(about, meltano):
    """A description in meltano.yml ends in the default, in parentheses."""
    for plugin in PLUGINS[:4]:
        own, _, _ = own_settings(plugin, about)
        for one in meltano[plugin]["settings"]:
            told = re.search(r"\(([^() ]+)\)$", one["description"])
            if told:
                assert told.group(1) == str(own[one["name"]]["default"]), f"{plugin}.{one['name']}"


def test_the_two_targets_share_what_they_must(meltano):
    """Both work with one link store, under one name."""
    one, other = (meltano[name]["config"]["links_url"] for name in ("target-customcrm", "target-tripletex"))
    assert one == other
    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    stores = [one]
    for environment in project["environments"]:
        loaders = environment.get("config", {}).get("plugins", {}).get("loaders", [])
        urls = {loader["config"]["links_url"] for loader in loaders}
        assert len(urls) == (1 if loaders else 0), environment["name"]
        stores += urls
    assert len(set(stores)) == len(stores) == 3, "each environment has a store of its own"


def test_env_example_names_the_variables_that_meltano_uses():
    used = set(re.findall(r"\$\{?([A-Z_]+)", (ROOT / "meltano.yml").read_text(encoding="utf-8")))
    used -= {name for name in used if name.startswith("MELTANO_")}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
    assert len(named) == len(set(named))
    of_plugins = {name for name in named if name.startswith(("TAP_", "TARGET_"))}
    assert set(named) - of_plugins == used


def test_env_example_names_settings_that_exist(about):
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"^(?:# )?((?:TAP|TARGET)_[A-Z_]+)=", example, re.MULTILINE):
        plugin = next(one for one in PLUGINS if name.startswith(one.upper().replace("-", "_")))
        assert name.removeprefix(plugin.upper().replace("-", "_") + "_").lower() in own_settings(plugin, about)[0]


def test_make_asks_for_the_credentials_that_env_example_has():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    (asked,) = re.findall(r"^CREDENTIALS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert asked.split() == re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
