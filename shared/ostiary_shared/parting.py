"""How a listener ends so that nobody loses a question: the last connections are taken in, and only then is it closed.

A connection that the kernel has accepted for us and that we never take is reset, with whatever was said on it already.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any


async def close(server: asyncio.Server, protocol: Callable[[], asyncio.Protocol], **limits: Any) -> None:
    """Stop listening. Who came until this moment is served by `protocol`; `limits` are those of the listener (TLS)."""
    loop = asyncio.get_running_loop()
    kept = [listener.dup() for listener in server.sockets]
    server.close()
    for listener in kept:
        taken = _taken(listener)
        listener.close()
        for connection in taken:
            with contextlib.suppress(OSError, ssl.SSLError):
                await loop.connect_accepted_socket(protocol, connection, **limits)


def _taken(listener: socket.socket) -> list[socket.socket]:
    """Who waits to be let in."""
    listener.settimeout(0)
    found = []
    with contextlib.suppress(OSError):
        while True:
            found.append(listener.accept()[0])
    return found
