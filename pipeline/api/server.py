"""Listening: one port for everything, or a second one for `/metrics`."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

from pipeline.events.errors import ConfigError

#: Requests that wait to be accepted, and seconds that those in work have left when the server is told to end.
_BACKLOG = 2_048
_GRACE_SECONDS = 20
#: New objects after which the garbage collector looks for cycles among them.
_YOUNG = 20_000


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0: any free one. Raises `ConfigError` if it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(f"http: cannot listen on {host}:{port}: {error.strerror or error}; choose another") from error
    # Accepted connections inherit it. Without, the body of an answer waits for 40 ms until its head is acknowledged:
    # asyncio sets it only on sockets that were made with the number of the protocol, which `create_server` omits.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address of a listening socket for people."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def settled() -> Iterator[None]:
    """Tell the garbage collector, for the duration of the block and when all is built, what a server is like.

    What exists by now stays: to look through it again takes a tenth of a second, in which nobody is answered. And the
    objects of requests that wait for the disk together are more than the 700 after which it would start to look.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def make_server(app: ASGIApp, *, access_log: bool = False) -> uvicorn.Server:
    """Return a server for an app; run it with `run(sockets=[...])`. It does not say what it is.

    The access log is a switch of the process: give all its servers the same.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=access_log,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ws="none",
        )
    )


@contextmanager
def in_background(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    """Run a server in a thread of its own for the duration of the block."""
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="metrics-port", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
