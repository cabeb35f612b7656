"""The CRM's half: whether its profile fits it, as `tap-customcrm --test=connection` tells, from reading alone."""

from __future__ import annotations

from collections.abc import Mapping

from customcrm_client.probing import Findings, probe
from customcrm_client.settings import client_of
from target_customcrm.target import TargetCustomcrm

from dataflow_operator.connections import target_of
from dataflow_operator.doctor.company import told


def diagnose_crm(environment: Mapping[str, str]) -> list[Findings]:
    """What the profile finds of each stream.

    Raises OperatorError for settings and the profile, and the errors of `api_transport.errors` where the CRM cannot be
    asked at all.
    """
    target = target_of(TargetCustomcrm, environment)
    with client_of(target.config, target.profile, target.name) as client:
        return [probe(client, stream, in_words=told) for stream in target.profile.streams]
