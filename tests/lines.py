"""Connections held open by hand, and what comes on them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

PATIENCE = 20.0
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def lines(port: int, count: int, shown: ssl.SSLContext | None = None) -> AsyncIterator[list[Line]]:
    """So many connections to a port, cut off when the block ends."""
    opened = [await asyncio.open_connection("127.0.0.1", port, ssl=shown) for _ in range(count)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.transport.abort()
        await asyncio.sleep(0)


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that still comes, once the other side has closed."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), PATIENCE)
    return b""
