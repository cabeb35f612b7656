"""HTTP for an API client: retries that know what they retry, one error tree, no secret in any text."""

from api_transport.address import segment
from api_transport.answer import Answer
from api_transport.error_text import ApiWords, Detail, read_error
from api_transport.errors import (
    AccessDenied,
    ApiError,
    Conflict,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerFailed,
    UnexpectedAnswer,
    Unreachable,
)
from api_transport.rate_limit import RateHeaders, RateLimit
from api_transport.redaction import RedactingFilter, clean, hide
from api_transport.transport import UNSET, Transport, user_agent
from api_transport.verdict import Hints

__all__ = [
    "UNSET",
    "AccessDenied",
    "Answer",
    "ApiError",
    "ApiWords",
    "Conflict",
    "Detail",
    "Hints",
    "NotFound",
    "OutcomeUnknown",
    "RateHeaders",
    "RateLimit",
    "RateLimited",
    "RedactingFilter",
    "Refused",
    "ServerFailed",
    "Transport",
    "UnexpectedAnswer",
    "Unreachable",
    "clean",
    "hide",
    "read_error",
    "segment",
    "user_agent",
]
