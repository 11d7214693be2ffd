"""A profile on its way to a session: files, secrets, and what is said of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from relaykit.model import (
    CredentialName,
    McpServer,
    Profile,
    ProfileFile,
    Projection,
    ProviderNote,
    Secret,
    StatusKind,
    partly,
    projected,
)
from relaykit.relay.workspace import write_files
from relaykit.testing.harness import World

pytestmark = pytest.mark.anyio
PROFILE = Profile(
    name="careful",
    instructions="Never push.",
    system_prompt="You are.",
    files=(ProfileFile(path="docs/HOUSE.md", content=b"Rules."),),
    env={"LEVEL": "debug", "RELAYKIT_HOME": "nowhere"},
)


def file(path: str, content: bytes = b"new", *, executable: bool = False) -> ProfileFile:
    return ProfileFile(path=path, content=content, executable=executable)


def projects(profile: Profile, options: Mapping[str, Any]) -> list[Projection]:
    return [projected("instructions", "told"), partly("system_prompt", "half of it")]


async def test_a_session_gets_its_profile_with_its_environment_and_the_workspace_its_files(world: World) -> None:
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": PROFILE}):
        session = await world.provider.opened()
    request = session.request
    assert (request.profile, request.instructions) == (PROFILE, "Never push.")
    assert (request.env["LEVEL"], request.env["RELAYKIT_HOME"]) == ("debug", str(world.home))
    assert (world.home / "docs" / "HOUSE.md").read_bytes() == b"Rules."


@pytest.mark.parity("AR-14")
async def test_what_cannot_be_done_is_said_once_and_recorded_in_each_sessions_events(world: World) -> None:
    world.provider.projects = projects
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": PROFILE}) as relay:
        first = await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
        first.die()
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(1)
        await world.provider.opened(2)
        await world.status("a", StatusKind.IDLE)
        await relay.stop()
    (line,) = [line for line in world.reports if "profile careful" in line]
    assert "system_prompt: half of it" in line
    assert "env.LEVEL: scripted says nothing of it" in line
    events = await world.sessions.events(session=first.id)
    notes = [event.what for event in events if isinstance(event.what, ProviderNote) and event.what.name == "profile"]
    items = {item["item"]: item["state"] for item in notes[0].data["items"]}  # type: ignore[attr-defined]
    assert items["system_prompt"] == "partly"
    assert (items["files.docs/HOUSE.md"], items["instructions"], items["env.LEVEL"]) == (
        "projected",
        "projected",
        "cannot",
    )


async def test_a_provider_that_takes_no_profiles_is_said_to(world: World) -> None:
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": PROFILE}):
        await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
    (line,) = [line for line in world.reports if "profile careful" in line]
    assert "instructions: scripted takes no profiles" in line
    assert "base" not in line


async def test_a_credential_that_is_not_there_pauses_the_agent_and_names_it(world: World) -> None:
    profile = replace(PROFILE, mcp_servers=(McpServer(name="x", url="http://h", credential="docs"),))
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": profile}):
        entry = await world.status("a", StatusKind.ERROR, "paused")
    assert "docs" in entry.status.detail
    assert world.provider.sessions == []


async def test_a_secret_reaches_the_session_and_no_repr(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile(name="careful", env={"TOKEN": CredentialName("deploy")})

    async def get(self: object, name: str) -> Secret:
        return Secret(f"{name}-value")

    monkeypatch.setattr("relaykit.testing.harness.NoCredentials.get", get)
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": profile}):
        request = (await world.provider.opened()).request
    assert request.env["TOKEN"] == request.secrets["deploy"].reveal() == "deploy-value"
    assert "deploy-value" not in repr(request)


def test_a_file_is_written_where_it_is_absent_and_only_there(tmp_path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    assert write_files(tmp_path, [file("there"), file("deep/er/new", executable=True), file("empty", b"")]) == []
    assert (tmp_path / "there").read_bytes() == b"old"
    assert (tmp_path / "deep/er/new").read_bytes() == b"new"
    assert os.access(tmp_path / "deep/er/new", os.X_OK)
    assert not os.access(tmp_path / "empty", os.X_OK)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["empty", "new", "there"]


def test_no_link_leads_a_file_out_of_the_workspace(tmp_path) -> None:
    outside, workspace = tmp_path / "outside", tmp_path / "workspace"
    outside.mkdir()
    workspace.mkdir()
    (workspace / "folder").symlink_to(outside)
    (workspace / "dangling").symlink_to(outside / "made")
    (workspace / "plain").write_bytes(b"")
    troubles = write_files(workspace, [file("folder/x"), file("dangling"), file("plain/x"), file("good")])
    assert troubles == [
        "files.folder/x: not written: a link or a file is on its way",
        "files.plain/x: not written: a link or a file is on its way",
    ]
    assert list(outside.iterdir()) == []
    assert (workspace / "dangling").is_symlink()
    assert (workspace / "good").read_bytes() == b"new"


async def test_a_workspace_that_cannot_be_written_is_said_and_the_agent_runs(world: World) -> None:
    (world.home / "docs").write_text("a file")
    async with world.relay(world.agent("a", profile="careful"), profiles={"careful": PROFILE}):
        await world.provider.opened()
        await world.status("a", StatusKind.IDLE)
    assert any("files.docs/HOUSE.md: not written" in line for line in world.reports)
