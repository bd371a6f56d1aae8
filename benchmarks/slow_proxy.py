"""A TCP proxy with a round-trip time: `slow_proxy.py PORT TARGET_PORT SECONDS`."""

import asyncio
import contextlib
import sys


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Pass bytes on, each *delay_s* after it came, in order, however many are on their way."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                with contextlib.suppress(OSError):
                    writer.close()
                return
            writer.write(data)
            await writer.drain()

    task = asyncio.ensure_future(deliver())
    with contextlib.suppress(OSError):
        while data := await reader.read(2**18):
            on_the_way.put_nowait((loop.time() + delay_s, data))
    on_the_way.put_nowait((loop.time() + delay_s, b""))
    with contextlib.suppress(OSError):
        await task


async def _serve(port: int, target: int, round_trip_s: float) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        half = round_trip_s / 2
        await asyncio.gather(_carry(reader, back, half), _carry(there, writer, half))

    server = await asyncio.start_server(connect, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
