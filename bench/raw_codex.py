"""The yardstick: the least that drives a turn of codex. Of relaykit it takes the scripted model alone.

Run alone it prints the medians of a number of turns against the scripted model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from relaykit.testing.codex_home import codex_binary, codex_home, write_codex_home

SECONDS = 30


@dataclass
class Measured:
    """What a number of turns took."""

    open_seconds: float
    """From the start of the process to a thread that takes text."""
    turn_seconds: list[float] = field(default_factory=list)
    """Of each turn, from sending it to its end."""
    cpu_seconds: float = 0.0
    """Of this process, for all turns."""


class RawCodex:
    """One app-server and one thread; one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = count(1)
        self._thread = ""

    async def start_thread(self, cwd: str) -> None:
        client = {"clientInfo": {"name": "raw", "version": "0"}, "capabilities": {"experimentalApi": True}}
        await self._ask("initialize", client)
        self._send({"method": "initialized"})
        settings = {"cwd": cwd, "approvalPolicy": "on-request", "sandbox": "workspace-write"}
        self._thread = (await self._ask("thread/start", settings))["result"]["thread"]["id"]

    async def turn(self, text: str) -> str:
        params = {"threadId": self._thread, "input": [{"type": "text", "text": text}]}
        self._send({"id": next(self._ids), "method": "turn/start", "params": params})
        answer = ""
        while (message := await self._read()).get("method") != "turn/completed":
            if message.get("method") == "item/completed" and message["params"]["item"]["type"] == "agentMessage":
                answer = message["params"]["item"]["text"]
        return answer

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        request = next(self._ids)
        self._send({"id": request, "method": method, "params": params})
        while (message := await self._read()).get("id") != request or "method" in message:
            pass
        return message

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> dict[str, Any]:
        line = await asyncio.wait_for(self._process.stdout.readline(), SECONDS)
        if not line:
            raise EOFError("codex closed its output")
        return json.loads(line)


@asynccontextmanager
async def raw_codex(codex: str, codex_home: Path, cwd: str) -> AsyncIterator[RawCodex]:
    process = await asyncio.create_subprocess_exec(
        codex,
        "app-server",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        cwd=cwd,
        limit=64 * 2**20,
    )
    try:
        driver = RawCodex(process)
        await driver.start_thread(str(cwd))
        yield driver
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def measure(codex: str, base_url: str, codex_home: Path, turns: int, text: str = "say:hello") -> Measured:
    """Run turns one after the other.

    Args:
        codex: The program.
        base_url: Of the model, which answers at once.
        codex_home: A directory for codex; its configuration is written.
        turns: How many; the first, which is slower, is not among those returned.
        text: What each turn is told.
    """
    write_codex_home(codex_home, base_url)
    with tempfile.TemporaryDirectory() as cwd:
        begin = time.perf_counter()
        async with raw_codex(codex, codex_home, cwd) as driver:
            measured = Measured(time.perf_counter() - begin)
            await driver.turn(text)
            cpu = _cpu()
            for _ in range(turns):
                begin = time.perf_counter()
                await driver.turn(text)
                measured.turn_seconds.append(time.perf_counter() - begin)
            measured.cpu_seconds = _cpu() - cpu
    return measured


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def first_turn(codex: str, codex_home: str, cwd: str) -> None:
    """Run one turn and say so."""
    async with raw_codex(codex, Path(codex_home), cwd) as driver:
        print(await driver.turn("say:hello"), flush=True)


def alone(turns: int) -> None:
    """Measure, and print what it took."""
    from relaykit.testing.openai_stub import running_stub  # noqa: PLC0415 - costs more than all the rest of a start

    with running_stub(child=True) as stub, codex_home(stub.base_url) as home:
        measured = asyncio.run(measure(codex_binary(), stub.base_url, home, turns))
    print(f"open   {measured.open_seconds * 1000:7.1f} ms")
    print(f"turn   {statistics.median(measured.turn_seconds) * 1000:7.1f} ms, median of {turns}")
    print(f"cpu    {measured.cpu_seconds / turns * 1000:7.2f} ms a turn, of the driver")


def main() -> None:
    parser = argparse.ArgumentParser(description="Turns of codex, driven by next to nothing.")
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--first", nargs=3, metavar=("CODEX", "CODEX_HOME", "CWD"), help="run one turn and say so")
    options = parser.parse_args()
    if options.first:
        asyncio.run(first_turn(*options.first))
    else:
        alone(options.turns)


if __name__ == "__main__":
    main()
