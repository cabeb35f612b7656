"""Serving the page until it is told to end."""

from __future__ import annotations

import errno
import signal
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from dataflow_operator.errors import OperatorError

ENDS_WITHIN_S = 2
"""So long an answer that is being made is waited for."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes requests from now on; port 0 takes a free one.

    Raises:
        OperatorError: somebody else has the port, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise OperatorError(f"--host {host} is no address of this machine: {error.strerror}.") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise OperatorError(f"Port {port} is taken. Stop what listens there, or choose another: --port.") from None
        raise OperatorError(f"Nothing can listen at {host}, port {port}: {error.strerror}.") from None
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """Where a browser finds what listens."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}/"


def server_of(app: ASGIApp) -> uvicorn.Server:
    """What answers requests; it says nothing of itself, and believes no header about where they come from."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=ENDS_WITHIN_S,
        )
    )


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    # The server ends in good order for both, and then sends itself what it got: neither is to kill what called this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server_of(app).run(sockets=[listener])
