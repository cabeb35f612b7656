"""``dataflow serve``: the operator's page."""

from __future__ import annotations

import click

from dataflow_operator.errors import OperatorError
from dataflow_operator.options import Asked, shared
from dataflow_operator.terminal import say, show_json

PORT = 8703


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; beyond this machine a token is needed.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option(
    "--token",
    envvar="DATAFLOW_TOKEN",
    help="What a browser has to be given once; as DATAFLOW_TOKEN it stays out of the process list.",
)
@shared
@click.pass_obj
def serve(asked: Asked, host: str, port: int, token: str | None) -> None:
    """Show all this as a page in the browser, and decide there, until Ctrl-C."""
    # The other commands start without what serves a page.
    from dataflow_operator.page.app import application  # noqa: PLC0415
    from dataflow_operator.page.browser_sessions import SHORTEST_TOKEN, Visits  # noqa: PLC0415
    from dataflow_operator.page.guard import is_loopback  # noqa: PLC0415
    from dataflow_operator.page.serving import address_of, listen  # noqa: PLC0415
    from dataflow_operator.page.serving import serve as answer  # noqa: PLC0415
    from dataflow_operator.page.site import Site  # noqa: PLC0415

    token = token or None
    if token is None and not is_loopback(host):
        raise OperatorError(
            f"At {host} others than this machine reach the page, so it needs a token: set DATAFLOW_TOKEN, for example "
            "to the output of: openssl rand -hex 24"
        )
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise OperatorError(f"The token is too short to be safe: {SHORTEST_TOKEN} characters at the least.")
    place = asked.place
    with listen(host, port) as listener:
        address = address_of(listener, host)
        site = Site(*place, Visits(token), cookie=f"dataflow-{listener.getsockname()[1]}")
        if asked.as_json:
            show_json({"address": address})
        else:
            say(f"The page is at {address} (end with Ctrl-C)")
        if not is_loopback(host):
            say("What goes there and back is not encrypted: put a proxy that speaks TLS before it.", aside=True)
        try:
            answer(application(site), listener)
        finally:
            site.auditing.close()
