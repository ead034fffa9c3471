"""A server that holds responses back, or sends long ones, in little memory: for memory.py. It prints its port.

GET /hold        a head, and the one byte behind it only after
GET /release     which lets go of all that are held
GET /bytes/N     N bytes
"""

from __future__ import annotations

import asyncio
import re
import resource

PIECE = bytes(1 << 18)
held: list[asyncio.StreamWriter] = []


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        if head.startswith(b"GET /hold"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
            held.append(writer)
        elif head.startswith(b"GET /release"):
            while held:
                held.pop().write(b".")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        elif asked := re.match(rb"GET /bytes/(\d+)", head):
            await send(writer, int(asked[1]))


async def send(writer: asyncio.StreamWriter, size: int) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    while size > 0:
        writer.write(PIECE[:size])
        size -= len(PIECE)
        await writer.drain()


def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(converse(reader, writer))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # clients go away: nothing to tell
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


tasks: set[asyncio.Task[None]] = set()


async def main() -> None:
    server = await asyncio.start_server(quietly, "127.0.0.1", 0, backlog=4096, limit=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(main())
