"""The SDK's standard tap tests. None is left out."""

import atexit
from contextlib import ExitStack

from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_customcrm.tap import TapCustomcrm

import sandbox

# The SDK makes its test class from a tap that is configured when this file is read.
_open = ExitStack()
atexit.register(_open.close)
_crm = _open.enter_context(sandbox.running("empty")).customcrm
for _number in range(3):
    _customer = _crm.create("customers", Name=f"Firma {_number} AS", Country="NO")
    _crm.create("contacts", FirstName="Kari", CustomerId=_customer["Id"])
    _crm.create("products", Name=f"Spade {_number}", Price=12.5)

TestTapCustomcrm = get_tap_test_class(
    TapCustomcrm,
    config={"api_url": _crm.api_url, "api_key": _crm.api_key},
    suite_config=SuiteConfig(max_records_limit=None),
    parse_env_config=False,
)
