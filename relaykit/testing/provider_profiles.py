"""Whether a provider tells the truth about profiles, as far as that can be seen without it."""

from __future__ import annotations

from typing import Any

import pytest

from relaykit.model import (
    Base,
    CredentialName,
    Hook,
    McpServer,
    Profile,
    ProfileCommand,
    ProfileFile,
    ProjectionState,
    Skill,
    Subagent,
)
from relaykit.plugin import Component

FULL = Profile(
    name="conformance",
    base=Base.ISOLATED,
    system_prompt="You are.",
    instructions="Be brief.",
    instructions_file="Read this.",
    skills=(Skill(name="greet", description="Greets.", files=(ProfileFile(path="SKILL.md", content=b"x"),)),),
    subagents=(Subagent(name="critic", description="Finds fault.", prompt="Find fault.", tools=("Read",)),),
    commands=(ProfileCommand(name="ship", prompt="Ship it."),),
    allowed_tools=("Read",),
    denied_tools=("Write", "no-such-tool"),
    mcp_servers=(
        McpServer(name="db", command=("db", "--fast"), env={"DB_KEY": CredentialName("db")}),
        McpServer(name="docs", url="https://docs.example/mcp", credential="docs"),
    ),
    hooks=(Hook(event="SessionStart", command="true"), Hook(event="NoSuchEvent", command="true")),
    env={"LEVEL": "debug", "KEY": CredentialName("key")},
    model="some-model",
    effort="high",
)
"""A profile that says something of everything that a provider has to see to."""


class ProfileChecks:
    """Checks of ``projects``; a provider without it makes nothing of profiles, which needs no check."""

    def test_every_item_of_a_profile_is_told_of_once(self, offered: Component[Any]) -> None:
        """What is not told of would be dropped without a word, were the relay not to notice."""
        assert sorted(one.item for one in _told(offered)) == sorted(FULL.items())

    def test_each_item_says_in_one_line_how_or_why_not(self, offered: Component[Any]) -> None:
        """It is shown to people, and stored in events."""
        told = _told(offered)
        assert [one.item for one in told if not one.how.strip() or "\n" in one.how] == []
        assert [one.item for one in told if not isinstance(one.state, ProjectionState)] == []

    def test_what_no_provider_has_is_not_said_to_be_there(self, offered: Component[Any]) -> None:
        """An event and a tool that nobody knows cannot be projected."""
        states = {one.item: one.state for one in _told(offered)}
        assert states["hooks.NoSuchEvent"] is ProjectionState.CANNOT
        assert states["denied_tools"] is not ProjectionState.PROJECTED

    def test_an_empty_profile_falls_short_of_nothing(self, offered: Component[Any]) -> None:
        """An agent whose profile says nothing starts as one without a profile, and nobody is told anything."""
        if offered.projects is None:
            pytest.skip("it takes no profiles")
        assert [one for one in offered.projects(Profile(name="empty"), {}) if one.state != "projected"] == []


def _told(offered: Component[Any]) -> list[Any]:
    if offered.projects is None:
        pytest.skip("it takes no profiles")
    return [*offered.projects(FULL, {})]
