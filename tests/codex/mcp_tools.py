"""A server of two tools over its standard input and output, which writes down how it was started."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

TOOLS = [{"name": name, "description": name, "inputSchema": {"type": "object"}} for name in ("look", "touch")]


def answer(message):
    match message["method"]:
        case "initialize":
            about = {"capabilities": {"tools": {}}, "serverInfo": {"name": "tools", "version": "1"}}
            return {"protocolVersion": message["params"]["protocolVersion"], **about}
        case "tools/list":
            return {"tools": TOOLS}
        case _:
            return {}


Path(sys.argv[1]).write_text(json.dumps({"env": dict(os.environ), "argv": sys.argv, "cwd": str(Path.cwd())}))
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}) + "\n")
        sys.stdout.flush()
