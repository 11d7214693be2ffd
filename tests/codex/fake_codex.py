"""In place of codex where the real one cannot be had to behave so: told by the environment what to do."""

from __future__ import annotations

import json
import os
import sys
from itertools import count

TOLD = json.loads(os.environ.get("FAKE_CODEX", "{}"))
SANDBOXES = {"read-only": "readOnly", "workspace-write": "workspaceWrite"}
turns = count(1)
held = []
"""Requests for the commands that run, answered with the next turn."""


def say(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def thread(asked):
    config = asked["config"]
    sandbox = {
        "type": SANDBOXES[asked["sandbox"]],
        "networkAccess": config["sandbox_workspace_write.network_access"],
        "writableRoots": config["sandbox_workspace_write.writable_roots"],
    }
    echo = {name: asked.get(name) for name in ("cwd", "model", "modelProvider", "approvalPolicy", "approvalsReviewer")}
    echo["reasoningEffort"] = config.get("model_reasoning_effort")
    return {
        "thread": {"id": "thread-1"},
        "sandbox": {**sandbox, **TOLD.get("sandbox", {})},
        **echo,
        **TOLD.get("echo", {}),
    }


def turn(request, asked):
    name = f"turn-{next(turns)}"
    begun = {"threadId": "thread-1", "turn": {"id": name, "status": "inProgress"}}
    if "late" not in TOLD:
        say(id=request, result={"turn": begun["turn"]})
    say(method="turn/started", params=begun)
    item = {"type": "userMessage", "id": "item-1", "clientId": asked["clientUserMessageId"], "content": asked["input"]}
    if TOLD.get("late") != "unseen":
        say(method="item/completed", params={"threadId": "thread-1", "turnId": name, "item": item})
    if "commands" in TOLD:
        command = {"type": "commandExecution", "id": f"of-{name}", "command": "sleep 600"}
        say(method="item/started", params={"threadId": "thread-1", "turnId": name, "item": command})
    for waiting in held:
        say(id=waiting, result={"data": [{"itemId": one, "processId": one} for one in TOLD["commands"]]})
    if "late" in TOLD:
        complete(name)
        say(id=request, result={"turn": begun["turn"]})
    for line in TOLD.get("during_turn", []):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if TOLD.get("die_in_turn"):
        sys.stderr.write("the last words, with sk-1234567890abcdef\n")
        sys.stderr.flush()
        os._exit(3)


def complete(name, status="completed"):
    say(method="turn/completed", params={"threadId": "thread-1", "turn": {"id": name, "status": status}})


def answer(request, method, asked):
    if method in TOLD.get("silent", []):
        return
    if method == "initialize":
        say(id=request, result={"userAgent": TOLD.get("agent", f"relaykit/{TOLD.get('version', '0.163.0')} (Linux)")})
        if "warning" in TOLD:
            say(method="configWarning", params=TOLD["warning"])
    elif method == "account/read":
        say(id=request, result=TOLD.get("account", {"account": None, "requiresOpenaiAuth": False}))
    elif method in ("thread/start", "thread/resume"):
        say(id=request, result=thread(asked))
    elif method == "turn/start":
        turn(request, asked)
    else:
        order(request, method, asked)


def order(request, method, asked):
    if method == "turn/steer":
        complete(asked["expectedTurnId"])
        say(id=request, result={"turnId": asked["expectedTurnId"]})
    elif method == "turn/interrupt":
        say(method="asked", params={"method": method})
        if "commands" in TOLD:
            complete(asked["turnId"], "interrupted")
        say(id=request, result={})
    elif method == "thread/backgroundTerminals/list" and "commands" in TOLD:
        held.append(request)
    elif method == "thread/backgroundTerminals/terminate":
        say(method="asked", params={"method": method, "process": asked["processId"]})
        say(id=request, result={})
    else:
        say(id=request, error={"code": -32600, "message": f"unknown variant {method}"})


def main():
    if TOLD.get("die"):
        sys.stderr.write(TOLD.get("last_words", "no room for a database\n"))
        sys.exit(7)
    for line in sys.stdin:
        message = json.loads(line)
        if "method" in message and "id" in message:
            answer(message["id"], message["method"], message["params"])
        elif "id" in message:
            say(method="answered", params={"message": message})


main()
