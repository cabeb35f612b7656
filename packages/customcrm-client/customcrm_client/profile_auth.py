"""The part of a profile that says how the CRM knows who asks."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from customcrm_client.described import Described, described


class NoAuth(Described, frozen=True, tag_field="kind", tag="none"):
    """No credentials are sent."""


class Bearer(Described, frozen=True, tag_field="kind", tag="bearer"):
    """`Authorization: Bearer <api_key>`."""


class HeaderKey(Described, frozen=True, tag_field="kind", tag="header"):
    """The key in a header."""

    name: Annotated[str, described("The header, for example `X-Api-Key`")]
    prefix: Annotated[str, described("What stands before the key, blanks too, for example `Token `")] = ""


class QueryKey(Described, frozen=True, tag_field="kind", tag="query"):
    """The key in a query parameter."""

    name: Annotated[str, described("The parameter, for example `api_token`")]


class Basic(Described, frozen=True, tag_field="kind", tag="basic"):
    """HTTP Basic: the setting `api_user` with `api_key` as its password."""


class OAuth2(Described, frozen=True, tag_field="kind", tag="oauth2"):
    """OAuth2: `api_user` is the client's id, `api_key` its secret, if it has one. The token is kept and renewed."""

    token_path: Annotated[
        str, described("Where tokens are given: a path below the host of `api_url`, or a whole https URL")
    ]
    grant: Annotated[
        Literal["client_credentials", "refresh_token"],
        described(
            "What a token is given for: the client's own credentials, or the setting `refresh_token`, got when "
            "somebody authorised the integration. Those that the CRM gives in its place are kept in `token_store`"
        ),
    ] = "client_credentials"
    prefix: Annotated[
        str, described("What stands before the token in `Authorization`, blanks too, for example `Zoho-oauthtoken `")
    ] = "Bearer "
    scope: Annotated[str | None, described("The scope asked for")] = None
    client_in: Annotated[
        Literal["body", "header"], described("Where the client's id and secret are sent: in the form, or as HTTP Basic")
    ] = "body"
    params: Annotated[dict[str, str], described("Further fields of the form, for example `audience`")] = msgspec.field(
        default_factory=dict
    )


Auth: TypeAlias = NoAuth | Bearer | HeaderKey | QueryKey | Basic | OAuth2
