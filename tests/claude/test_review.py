"""The real Claude Code and the real Codex ask each other for a review, with no person in between."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from relaykit.testing import openai_stub
from relaykit.testing.claude_home import claude_binary, write_claude_home
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.stub_server import Stub

pytestmark = [pytest.mark.live, pytest.mark.parity("N-5")]
MCP = "mcp__relaykit__"
"""What Claude puts before the names of the relay's tools; Codex puts nothing."""


@dataclass
class Pair:
    """A Claude and a Codex in one relay, each with a scripted model of its own."""

    house: object
    codex: dict
    codex_stub: Stub

    def run(self, author):
        reviewer = "codex" if author == "claude" else "claude"
        agents = {"author": self._settings(author), "reviewer": {"tags": ["review"], **self._settings(reviewer)}}
        return self.house.run(**agents)

    def _settings(self, provider):
        return {"provider": provider, **({"options": self.codex} if provider == "codex" else {})}

    def asked(self, author):
        """Return every request that the author's model got."""
        stub = self.house.stub if author == "claude" else self.codex_stub
        return [entry["body"] for entry in stub.requests() if "body" in entry]

    def question(self):
        """Return the one message from the author to the reviewer."""
        (item,) = self.house.program("inbox", "reviewer", "--all", "--json").json["items"]
        return item["id"]


@pytest.fixture
def pair(house):
    # to models that it knows, codex offers the relay's tools through a search of its own
    with openai_stub.running_stub() as stub, codex_home(stub.base_url, model="stub-model") as home:
        options = {"command": codex_binary(), "codex_home": str(home), "model": "stub-model"}
        yield Pair(house, options, stub)


def tool(author, name, **arguments):
    return f"tool:{MCP if author == 'claude' else ''}{name}|{json.dumps(arguments)}"


@pytest.mark.parametrize("author", ["claude", "codex"])
def test_one_asks_the_other_for_a_review_waits_and_goes_on_with_the_answer(pair, author):
    review = "say:the lock is held too long"
    script = [
        tool(author, "find_agents", tag="review"),
        tool(author, "send", to="reviewer", body=review, wait=40, task="review the change"),
        "recall:the reviewer says",
    ]
    with pair.run(author):
        sent = pair.house.send("author", ";;".join(script))
        asked = pair.house.ended(sent)
        (answer,) = pair.house.program("inbox", "--json").json["items"]
        question = pair.house.program("trace", pair.question(), "--json").json
        permissions = pair.house.program("permissions", "--all", "--json").json["permissions"]
    assert [step["state"] for step in asked["steps"]] == ["queued", "leased", "delivered", "seen", "answered"]
    assert answer["body"].startswith("the reviewer says ")
    assert "the lock is held too long" in answer["body"]
    assert (question["from"], question["to"], question["root"]) == ("author", "reviewer", sent)
    (delivery,) = question["deliveries"]
    assert [step["state"] for step in delivery["steps"]] == ["queued", "leased", "delivered", "seen", "answered"]
    assert (question["tasks"][0]["state"], question["tasks"][0]["agent"]) == ("done", "reviewer")
    assert permissions == []
    assert len(pair.asked(author)) == 3


@pytest.mark.parametrize("author", ["claude", "codex"])
def test_one_that_does_not_wait_gets_the_answer_in_a_turn_and_the_person_a_follow_up(pair, author):
    ask = tool(author, "send", to="reviewer", body="say:say:the review is good")
    with pair.run(author):
        pair.house.ended(pair.house.send("author", f"{ask};;say:I have asked"))
        bodies = pair.house.program.until(lambda: two_bodies(pair.house))
    assert bodies == ["I have asked", "the review is good"]


def two_bodies(house):
    items = house.program("inbox", "--keep", "--json").json["items"]
    return [item["body"] for item in items] if len(items) == 2 else None


def test_the_demo_with_real_agents_shows_claude_and_codex_with_both_traces(pair, tmp_path):
    bin_, home = tmp_path / "bin", write_claude_home(tmp_path / "claude", pair.house.stub.base_url)
    for folder in (bin_, tmp_path / "tmp"):
        folder.mkdir()
    (bin_ / "codex").symlink_to(codex_binary())
    (bin_ / "claude").symlink_to(claude_binary())
    places = {
        "PATH": f"{bin_}:/usr/bin:/bin",
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home),
        "CODEX_HOME": pair.codex["codex_home"],
    }
    ask = f"{tool('claude', 'send', to='reviewer', body='say:mailbox', wait=40)};;recall:it said"
    ended = pair.house.program("demo", "--real", "--ask", ask, env=places)
    assert (ended.code, ended.err) == (0, "")
    assert "author is claude, reviewer is codex" in ended.out
    assert "author answers: it said" in ended.out
    assert "message from author to reviewer" in ended.out
    assert ended.out.count(" answered ") >= 2
    assert [path.name for path in (tmp_path / "tmp").rglob("*")] == []
