"""A profile on its way into a thread: files written, and the settings that name them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from relaykit_codex.hooks import trusted
from relaykit_codex.profiles import clear_commands, settings, subagents
from relaykit_codex.servers import servers
from relaykit_codex.toml import toml

if TYPE_CHECKING:
    from relaykit.model import Profile, ProfileCommand, ProfileFile, Subagent
    from relaykit.plugin import SessionRequest
    from relaykit.plugin.fields import Fields
    from relaykit_codex.client import Client


class Projected(Struct, frozen=True, kw_only=True):
    """What a thread begins with because of a profile."""

    base: str | None = None
    """In the place of Codex's own instructions."""
    instructions: str = ""
    """Added to the developer instructions."""
    config: Fields = field(default_factory=dict)


async def project_into(client: Client, request: SessionRequest, place: Path) -> Projected:
    """Write what Codex reads from files, tell it where, and return what goes into the thread.

    Args:
        client: Speaks to a codex that no thread runs in.
        request: Whose profile it is.
        place: A directory of the agent's own, which is written anew.

    Raises:
        ProviderError: Codex does not take it.
    """
    profile = request.profile
    shutil.rmtree(place, ignore_errors=True)
    if profile is None:
        return Projected()
    if skills := _write_skills(profile, place / "skills"):
        await client.ask("skills/extraRoots/set", {"extraRoots": [str(skills)]})
    roles = {one.name: str(_write_role(one, place / "agents")) for one in subagents(profile)}
    hooks = await trusted(client, profile, str(request.cwd.resolve()))
    return Projected(
        base=profile.system_prompt,
        instructions=profile.instructions_file,
        config={**servers(profile), **settings(profile, roles), **hooks},
    )


def _write_skills(profile: Profile, root: Path) -> Path | None:
    """Write skills, and commands as skills; return their directory, where there are any."""
    asked = clear_commands(profile)
    for skill in profile.skills:
        for file in skill.files:
            _write(root / skill.name, file.path, file)
    for command in profile.commands:
        if command.name in asked:
            folder = root / command.name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "SKILL.md").write_text(_as_skill(command), encoding="utf-8")
    return root if profile.skills or asked else None


def _write(folder: Path, path: str, file: ProfileFile) -> None:
    target = folder / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes(file.content)
    target.chmod(0o700 if file.executable else 0o600)


def _as_skill(command: ProfileCommand) -> str:
    about = json.dumps(command.description or f"What to do when {command.name} is asked for.", ensure_ascii=False)
    return f"---\nname: {command.name}\ndescription: {about}\n---\n\n{command.prompt}\n"


def _write_role(about: Subagent, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = {"name": about.name, "description": about.description, "developer_instructions": about.prompt}
    said |= {"model": about.model} if about.model else {}
    path = folder / f"{about.name}.toml"
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in said.items()), encoding="utf-8")
    return path
