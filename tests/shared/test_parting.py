"""Nobody who came before a listener closed is hung up on."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest
import uvloop

from ostiary_shared import parting


class Echo(asyncio.Protocol):
    """Says what it hears."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)
        self.transport.close()


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_whoever_waits_to_be_let_in_is_still_answered(factory: object) -> None:
    async def last_moment() -> tuple[bytes, bool]:
        loop = asyncio.get_running_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        server = await loop.create_server(Echo, sock=listener)
        await asyncio.sleep(0.05)
        client = socket.create_connection(address)  # the loop does not turn here: nobody has let it in yet
        client.sendall(b"hello")
        await parting.close(server, Echo)
        client.settimeout(5)
        with client:
            said = await asyncio.to_thread(client.recv, 10)
        refused = False
        with contextlib.suppress(OSError):
            socket.create_connection(address, timeout=1).close()
            refused = True
        return said, refused

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        assert runner.run(last_moment()) == (b"hello", False)
