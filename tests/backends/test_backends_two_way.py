"""The whole two-way sync between a real CRM and the sandbox's Tripletex, by `meltano run`, with a shipped profile."""

import json
import time

import pytest
from sandbox.lines.meltano import Meltano

from tests.backends.recorder import Recorder
from tests.backends.scenario import come_together, delete_on_both_sides, edit_on_both_sides, fill

QUIET = ("unchanged", "unmatched", "belongs to another flow")
"""Outcomes of records that nothing was done with."""


class Sync:
    """The project's own pipeline between the two. All that it is told of the CRM: its address, a key, a profile."""

    def __init__(self, crm, recorder, systems, folder, project, summary):
        self.recorder, self.systems, self.summary = recorder, systems, summary
        said = {
            "API_URL": crm.api_url.replace(crm.address, recorder.address),
            "API_KEY": crm.api_key,
            "PROFILE": crm.profile or crm.name,
        }
        if crm.api_user:
            said["API_USER"] = crm.api_user
        settings = {f"{kind}_CUSTOMCRM_{name}": value for kind in ("TAP", "TARGET") for name, value in said.items()}
        # So that lists have several pages.
        settings["TAP_CUSTOMCRM_PAGE_SIZE"] = "3"
        self.meltano = Meltano(systems, folder, project, settings)
        summary.append("")
        summary.append(f"{crm.program}, profile {crm.name}")

    def run(self, what, *arguments):
        """A cycle; the writes that each side got."""
        self.recorder.take()
        self.systems.clear_requests()
        began = time.monotonic()
        ran = self.meltano.run(*arguments)
        took = time.monotonic() - began
        theirs = self.recorder.take()
        ours = self.systems.tripletex.requests
        assert ran.code == 0, ran.log
        assert "Traceback" not in ran.log
        writes = [seen for seen in theirs if seen.is_write]
        others = [seen for seen in ours if seen.is_write and "/token/session/" not in seen.path]
        self.summary.append(
            f"  {what:<32} CRM {len(theirs) - len(writes):>3} reads {len(writes):>3} writes | "
            f"Tripletex {len(ours) - len(others):>3} reads {len(others):>3} writes | {took:4.0f} s"
        )
        for outcomes in outcomes_of(ran.log):
            self.summary.append(f"      {outcomes}")
        return writes, others


def outcomes_of(log):
    """What became of the records, flow by flow."""
    for line in log.splitlines():
        if '{"sync_run"' in line:
            said = json.loads(line[line.index('{"sync_run"') :])
            flows = {
                flow: ", ".join(f"{count} {kind}" for kind, count in counts.items() if kind not in QUIET)
                for flow, counts in said["flows"].items()
            }
            told = "; ".join(f"{flow}: {counts}" for flow, counts in flows.items() if counts)
            if told:
                yield f"to {said['to']}: {told}"


@pytest.fixture
def sync(real_crm, systems, tmp_path, pytestconfig, summary):
    with Recorder(real_crm.address) as recorder:
        yield Sync(real_crm, recorder, systems, tmp_path, pytestconfig.rootpath, summary)


def test_create_edit_rest_and_delete_on_both_sides_with_nothing_but_the_shipped_profile(real_crm, systems, sync):
    fill(real_crm, systems.tripletex)
    come_together(real_crm, systems, sync)
    edit_on_both_sides(real_crm, systems, sync)
    delete_on_both_sides(real_crm, systems, sync)
