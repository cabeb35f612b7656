"""The SDK's standard tap tests. None is left out."""

import atexit
from contextlib import ExitStack

from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_tripletex.tap import TapTripletex

import sandbox

# The SDK makes its test class from a tap that is configured when this file is read.
_open = ExitStack()
atexit.register(_open.close)
_tripletex = _open.enter_context(sandbox.running("norwegian", 30)).tripletex

TestTapTripletex = get_tap_test_class(
    TapTripletex,
    config={
        "api_url": _tripletex.api_url,
        "consumer_token": _tripletex.consumer_token,
        "employee_token": _tripletex.employee_token,
    },
    suite_config=SuiteConfig(max_records_limit=None),
    parse_env_config=False,
)
