"""From an agent's configuration to what the directory and its sessions are told."""

from __future__ import annotations

from relaykit.config.records import AgentConfig, Config
from relaykit.model import Agent, Profile
from relaykit.plugin import SessionRequest
from relaykit.storage.attachments import cached_for


def agent_record(config: Config, agent: AgentConfig) -> Agent:
    """Return the agent as the directory is to know it."""
    profile = _profile(config, agent)
    return Agent(
        id=agent.id,
        provider=agent.provider,
        cwd=str(agent.cwd),
        label=agent.label,
        tags=agent.tags,
        capabilities=agent.capabilities,
        priority=agent.priority,
        reachable_by=profile.reachable_by,
        in_groups=profile.in_groups,
        may_send_now=profile.may_send_now,
    )


def session_request(config: Config, agent: AgentConfig) -> SessionRequest:
    """Return what every session of the agent is opened for."""
    texts = [_profile(config, agent).instructions, agent.instructions]
    return SessionRequest(
        agent=agent.id,
        cwd=agent.cwd,
        approval=agent.approval,
        instructions="\n\n".join(text for text in texts if text),
        profile=config.profiles.get(agent.profile or ""),
        env={"RELAYKIT_HOME": str(config.home), "RELAYKIT_AGENT": agent.id},
        arguments=agent.arguments,
        attachments=cached_for(config.home, agent.id),
    )


def _profile(config: Config, agent: AgentConfig) -> Profile:
    name = agent.profile or ""
    return config.profiles.get(name) or Profile(name=name)
