"""The yardstick: the least that drives a turn of claude. Of relaykit it takes the scripted model alone.

Run alone it prints the medians of a number of turns against the scripted model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from relaykit.testing.claude_home import claude_binary, claude_home

SECONDS = 30
WORDS = (
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
)


class RawClaude:
    """One claude and one conversation; one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process, tools: Mapping[str, Any]) -> None:
        self._process = process
        self._tools = tools
        """What is answered to what claude says to a server of tools on this side, by method."""

    async def begin(self) -> None:
        self._send({"type": "control_request", "request_id": "1", "request": {"subtype": "initialize"}})
        while (await self._read())["type"] != "control_response":
            pass

    async def turn(self, text: str) -> str:
        message = {"role": "user", "content": text}
        self._send({"type": "user", "message": message, "parent_tool_use_id": None, "session_id": "", "uuid": _id()})
        while (message := await self._read())["type"] != "result":
            pass
        return str(message["result"])

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), SECONDS)
        if not line:
            raise EOFError("claude closed its output")
        message: dict[str, Any] = json.loads(line)
        if message["type"] == "control_request":
            self._answer(message["request_id"], message["request"]["message"])
        return message

    def _answer(self, request: str, said: dict[str, Any]) -> None:
        answer = {"jsonrpc": "2.0", "id": said.get("id", 0), "result": self._tools.get(said["method"], {})}
        told = {"subtype": "success", "request_id": request, "response": {"mcp_response": answer}}
        self._send({"type": "control_response", "response": told})


def _id() -> str:
    return str(uuid4())


@asynccontextmanager
async def raw_claude(claude: str, home: Path, cwd: str) -> AsyncIterator[RawClaude]:
    own = {"CLAUDE_CONFIG_DIR": str(home), "CLAUDE_CODE_TMPDIR": str(home), "DISABLE_AUTOUPDATER": "1"}
    async with _driven([claude, *WORDS], {**os.environ, **own}, cwd) as driver:
        yield driver


@asynccontextmanager
async def equipped_claude(pid: int, cwd: str) -> AsyncIterator[RawClaude]:
    """Drive a claude that is started as a running one was: with its words, environment and tools, but its own session."""
    from relaykit.server.mcp import McpServer, initialized  # noqa: PLC0415 - for this driver alone
    from relaykit.server.tools import TOOLS  # noqa: PLC0415

    words = [word for word in _entries(pid, "cmdline") if not word.startswith("--session-id=")]
    tools = {"initialize": initialized({}), "tools/list": McpServer(TOOLS).listed()}
    async with _driven(words, dict(entry.split("=", 1) for entry in _entries(pid, "environ")), cwd, tools) as driver:
        yield driver


def _entries(pid: int, file: str) -> list[str]:
    return Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").rstrip("\0").split("\0")


@asynccontextmanager
async def _driven(
    argv: Sequence[str], env: Mapping[str, str], cwd: str, tools: Mapping[str, Any] = MappingProxyType({})
) -> AsyncIterator[RawClaude]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=env,
        cwd=cwd,
        limit=64 * 2**20,
    )
    try:
        driver = RawClaude(process, tools)
        await driver.begin()
        yield driver
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def first_turn(claude: str, home: str, cwd: str) -> None:
    """Run one turn and say so."""
    async with raw_claude(claude, Path(home), cwd) as driver:
        print(await driver.turn("say:hello"), flush=True)


async def alone(base: Path, turns: int) -> None:
    """Run turns one after the other, and print what they took."""
    with tempfile.TemporaryDirectory() as cwd:
        begun = time.perf_counter()
        async with raw_claude(claude_binary(), base, cwd) as driver:
            print(f"open   {(time.perf_counter() - begun) * 1000:7.1f} ms")
            took = []
            for _ in range(turns + 1):
                begun = time.perf_counter()
                await driver.turn("say:hello")
                took.append(time.perf_counter() - begun)
    print(f"turn   {statistics.median(took[1:]) * 1000:7.1f} ms, median of {turns}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Turns of claude, driven by next to nothing.")
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--first", nargs=3, metavar=("CLAUDE", "HOME", "CWD"), help="run one turn and say so")
    options = parser.parse_args()
    if options.first:
        asyncio.run(first_turn(*options.first))
        return
    from relaykit.testing.anthropic_stub import running_stub  # noqa: PLC0415 - costs more than all the rest of a start

    with running_stub(child=True) as stub, claude_home(stub.base_url) as home:
        asyncio.run(alone(home, options.turns))


if __name__ == "__main__":
    main()
