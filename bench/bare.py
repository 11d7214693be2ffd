"""The least that could be called a dock: a Starlette application that takes messages, keeps none, and passes them on."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

QUEUES: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)


async def send(request: Request) -> JSONResponse:
    message = await request.json()
    for queue in QUEUES[message["toAgentId"]]:
        queue.put_nowait(f"event: message\ndata: {json.dumps(message)}\n\n")
    return JSONResponse({"success": True, "data": {"message": message}}, status_code=201)


async def peek(_request: Request) -> JSONResponse:
    return JSONResponse({"success": True, "data": {"messages": []}})


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(_frames(request.headers["x-agent-id"]), media_type="text/event-stream")


async def _frames(agent: str) -> AsyncIterator[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    QUEUES[agent].add(queue)
    yield "event: connected\ndata: {}\n\n"
    while True:
        yield await queue.get()


async def main() -> None:
    routes = [
        Route("/messages", send, methods=["POST"]),
        Route("/messages/peek", peek),
        Route("/messages/stream", stream),
    ]
    config = uvicorn.Config(Starlette(routes=routes), http="h11", loop="asyncio", access_log=False, log_level="error")
    # asyncio gives TCP_NODELAY to the connections of a socket of this kind alone.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(2048)
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{bound.getsockname()[1]}"}) + "\n")
        sys.stdout.flush()
        await uvicorn.Server(config).serve(sockets=[bound])


if __name__ == "__main__":
    asyncio.run(main())
