"""What the doctor found: every question with its answer, in words of our own; and what the CRM's probe found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from dataflow_operator.doctor.questions import READING, WRITING, Question

if TYPE_CHECKING:
    from customcrm_client.probing import Findings

FINE, MISBEHAVES, NOT_KNOWN = "fine", "misbehaves", "not known"
"""Verdicts: the sync works with it, it would not, nobody can tell yet; the last also in place of an answer."""

Answers = Mapping[str, "Found"]


class Found(msgspec.Struct, frozen=True):
    """The answer to a question, and what of it is worth telling: names of properties, statuses, codes."""

    value: str
    detail: str = ""


class Finding(msgspec.Struct, frozen=True):
    """A line of the table."""

    name: str
    assumption: str
    value: str
    here: str
    means: str
    verdict: str


class Diagnosis(msgspec.Struct):
    """All of it: of Tripletex, and of the CRM. There are no ids, names, values and addresses in it."""

    asked: str
    """The production system, the test environment, this machine, another address."""
    version: str
    wrote: bool
    findings: list[Finding]
    crm: list[Findings] | None = None
    """By stream; None where the CRM could not be asked."""

    @property
    def misbehaviours(self) -> int:
        """How many findings the sync could not live with."""
        wrong = sum(one.verdict == MISBEHAVES for one in self.findings)
        return wrong + sum(len(one.problems) for one in self.crm or ())


def findings(found: Answers, *, wrote: bool) -> list[Finding]:
    """The table's lines, in the order of the questions: what only writing tells where it was written."""
    questions = (*READING, *WRITING) if wrote else READING
    return [_finding(one, found.get(one.name, Found(NOT_KNOWN, one.unasked))) for one in questions]


def _finding(question: Question, found: Found) -> Finding:
    said = question.answers.get(found.value)
    if said is None:
        return Finding(question.name, question.assumption, NOT_KNOWN, found.detail or "no answer", "", NOT_KNOWN)
    here = f"{said.here}: {found.detail}" if found.detail else said.here
    return Finding(
        question.name, question.assumption, found.value, here, said.means, FINE if said.is_fine else MISBEHAVES
    )
