"""A Customcrm and a Tripletex on this machine.

with sandbox.running(data="norwegian", customers=300, seed=1) as systems:
    systems.customcrm.api_url, systems.customcrm.api_key
    systems.tripletex.api_url, systems.tripletex.consumer_token, systems.tripletex.employee_token
    systems.tripletex.edit("customer", 10000042, phoneNumber="22334455")
    systems.tripletex.before = lambda request: Fault.drop() if request.method == "POST" else None
    systems.tripletex.requests
"""

from sandbox.customcrm import Customcrm
from sandbox.faults import Fault, Hook
from sandbox.refusal import Refusal
from sandbox.serving import PortTaken
from sandbox.systems import Systems, running
from sandbox.traffic import SeenRequest
from sandbox.tripletex import Tripletex, Variant

__all__ = [
    "Customcrm",
    "Fault",
    "Hook",
    "PortTaken",
    "Refusal",
    "SeenRequest",
    "Systems",
    "Tripletex",
    "Variant",
    "running",
]
