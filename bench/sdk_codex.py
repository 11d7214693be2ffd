"""A peer: turns of codex through the ``openai-codex`` SDK. A program of its own that knows nothing of relaykit.

Started with the path of codex, a CODEX_HOME and a working directory. It runs a turn at once and one more for each line
of its input, and says after each how many milliseconds it took.
"""

from __future__ import annotations

import sys
import time

from openai_codex import Codex, CodexConfig, Sandbox


def main(codex_bin: str, codex_home: str, cwd: str) -> None:
    config = CodexConfig(codex_bin=codex_bin, env={"CODEX_HOME": codex_home}, cwd=cwd)
    with Codex(config) as codex:
        thread = codex.thread_start(sandbox=Sandbox.workspace_write, cwd=cwd)
        while True:
            begun = time.perf_counter()
            text = thread.run("say:hello").final_response
            assert text == "hello", text
            print((time.perf_counter() - begun) * 1000, flush=True)
            if not sys.stdin.readline():
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
