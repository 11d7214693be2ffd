"""A peer: turns of claude through ``claude-agent-sdk``. A program of its own that knows nothing of relaykit.

Started with the path of claude, its configuration directory and a working directory. It runs a turn at once and one
more for each line of its input, and says after each how many milliseconds it took.
"""

from __future__ import annotations

import sys
import time

import anyio
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ResultMessage


async def main(claude: str, home: str, cwd: str) -> None:
    options = ClaudeAgentOptions(cli_path=claude, cwd=cwd, env={"CLAUDE_CONFIG_DIR": home, "CLAUDE_CODE_TMPDIR": home})
    async with ClaudeSDKClient(options) as client:
        while True:
            begun = time.perf_counter()
            await client.query("say:hello")
            async for message in client.receive_response():
                if isinstance(message, ResultMessage):
                    assert message.result == "hello", message
            print((time.perf_counter() - begun) * 1000, flush=True)
            if not sys.stdin.readline():
                return


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
