"""A directory of agents and people that a test made up."""

from __future__ import annotations

from collections.abc import Sequence

from relaykit.model import USER, Agent


class MadeUpDirectory:
    """Agents by id; the people are ``user`` and those named."""

    def __init__(self, *agents: Agent, people: Sequence[str] = ()) -> None:
        self._agents = {agent.id: agent for agent in sorted(agents, key=lambda agent: agent.id)}
        self._people = {USER, *people}

    def agent(self, name: str) -> Agent | None:
        """Return the agent of that id."""
        return self._agents.get(name)

    def agents(self) -> Sequence[Agent]:
        """Return all agents, by id."""
        return tuple(self._agents.values())

    def is_person(self, name: str) -> bool:
        """Whether somebody is called that."""
        return name in self._people


def make_agent(id: str, *, label: str | None = None, tags: Sequence[str] = (), caps: Sequence[str] = ()) -> Agent:
    """Return an agent of which only its addresses matter."""
    return Agent(id=id, provider="echo", cwd="/", label=label, tags=tuple(tags), capabilities=tuple(caps))
