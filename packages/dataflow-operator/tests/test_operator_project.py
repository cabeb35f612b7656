"""Which tables a command works with, and what the CRM's records are made of."""

from __future__ import annotations

import json

import pytest
from dataflow.errors import TableError
from dataflow_operator.errors import OperatorError
from dataflow_operator.project import dataflow_of

MAPPINGS = """
plugins:
  mappers:
  - mappings:
    - config:
        tables: [person.yml]
"""
TABLE = """
flow: person
customcrm: person
tripletex: customer
match_on: [[name]]
properties:
- {customcrm: Name, tripletex: name}
"""
PROFILE = {"extends": "reference", "streams": {"person": {"path": "/people", "properties": {"Name": "full_name"}}}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms/dataflow.meltano.yml").write_text(MAPPINGS)
    (tmp_path / "person.yml").write_text(TABLE)
    (tmp_path / "crm.yml").write_text(json.dumps(PROFILE))
    return tmp_path


@pytest.mark.parametrize("name", ["CUSTOMCRM_PROFILE", "DATAFLOW_CUSTOMCRM_PROFILE", "TARGET_CUSTOMCRM_PROFILE"])
def test_a_stream_of_the_profile_that_the_plugins_have_can_stand_in_the_tables(project, name):
    assert [flow.name for flow in dataflow_of((), project, {name: "crm.yml"}).flows] == ["person"]


def test_what_meltano_hands_over_empty_is_not_taken_from_the_projects_env_file(project):
    """Its environment `sandbox` empties what stands there for the real systems."""
    with pytest.raises(TableError, match="Customcrm has no stream person"):
        dataflow_of((), project, {"CUSTOMCRM_PROFILE": "crm.yml", "DATAFLOW_CUSTOMCRM_PROFILE": ""})


def test_without_a_profile_the_streams_are_those_of_the_reference(project):
    with pytest.raises(TableError, match="Customcrm has no stream person"):
        dataflow_of((), project, {})


def test_a_profile_that_is_not_there_is_told_in_one_line(project):
    with pytest.raises(OperatorError, match=r"elsewhere\.yml") as told:
        dataflow_of((), project, {"CUSTOMCRM_PROFILE": "elsewhere.yml"})
    assert "\n" not in str(told.value)
