"""uvicorn on loopback, in a thread of its own, with connections that can be broken on purpose."""

import asyncio
import socket
import threading
import time
from contextvars import ContextVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"
_connection: ContextVar[asyncio.Transport] = ContextVar("connection")


class BreakableConnection(H11Protocol):
    """uvicorn's HTTP connection, known to the request that it carries."""

    def data_received(self, data: bytes) -> None:
        """Tasks made here inherit the connection through their context."""
        _connection.set(self.transport)
        super().data_received(data)


def abort_connection() -> None:
    """Break the connection of the request being answered, as a crash of the server would."""
    _connection.get().abort()


class PortTaken(Exception):  # noqa: N818  named as what is told to the user
    """Somebody else listens on the port."""


def listen(port: int) -> socket.socket:
    """A socket bound to the loopback address; port 0 takes a free one. Raises PortTaken."""
    # With the protocol named, asyncio turns off Nagle's algorithm; without, each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # Listening at once: a request sent before the event loop turns waits instead of being refused.
        listener.listen(128)
    except OSError:
        listener.close()
        raise PortTaken(str(port)) from None
    return listener


class Serving:
    """One application being served until `stop`."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self.listener = listener
        self.address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=BreakableConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [listener]}, name=f"sandbox {self.address}", daemon=True
        )

    def start(self) -> None:
        """Serve; returns when requests are answered."""
        self.thread.start()
        while not self.server.started:
            if not self.thread.is_alive():
                raise RuntimeError(f"The server at {self.address} did not start.")
            time.sleep(0.001)

    def stop(self) -> None:
        """End serving; open connections are closed."""
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.listener.close()
