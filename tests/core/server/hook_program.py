"""An agent's program as it might come from anywhere: Python's standard library, and the relay's hooks."""

import json
import os
import urllib.error
import urllib.request


def hook(name, **data):
    """Send a hook; return what it is told."""
    asked = urllib.request.Request(
        f"{os.environ['HOOKS_URL']}/hooks/{name}",
        json.dumps(data).encode(),
        {"Authorization": f"Bearer {os.environ['HOOKS_TOKEN']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def work(text):
    """Do what is said: words after `use` are a tool for which leave is asked."""
    if text == "complain":
        try:
            hook("Unheard")
        except urllib.error.HTTPError as error:
            return f"{error.code} {json.load(error)['error']['message']}"
    if not text.startswith("use "):
        return f"heard {text}"
    hook("SubagentStart", agent_id="one", agent_type="asker")
    told = hook("Permission", tool=text.removeprefix("use "))
    hook("SubagentStop", agent_id="one")
    return "used" if told.get("allowed") else f"not used: {told.get('reason', 'nobody answered')}"


while True:
    hook("Done", text=work(hook("Next")["text"]))
