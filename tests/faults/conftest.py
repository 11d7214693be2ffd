"""Relays as real processes on homes of their own, killed by pid; nothing that a test starts outlives it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

import relaykit
from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, letters, orders, permissions, reading
from relaykit.mailbox.door import open_door
from relaykit.model import CommandKind, Draft, MessageKind, new_id
from relaykit.relay.children.orphans import end_detached, end_orphans
from relaykit.relay.clock import SystemClock
from relaykit.relay.ownership import children_directory
from relaykit.testing.anthropic_stub import running_stub as running_messages_stub
from relaykit.testing.claude_home import claude_binary, claude_home
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub

SECONDS = 30.0
SOURCE = Path(relaykit.__file__).parents[1]
HOME, RUN = "FAULTS_HOME", "FAULTS_RUN"
"""What every process below a relay of these tests carries in its environment: whose it is."""
COUNTING = "test_a_run_of_the_whole_folder_kills_at_least_two_hundred_times"


@dataclass
class RelayProcess:
    """A ``relaykit run`` of its own."""

    popen: subprocess.Popen
    run: str
    errors: Path
    kills: Counter
    lines: list = field(default_factory=list)
    rest: bytes = b""

    def ready(self, agent=None, seconds=SECONDS):
        """Return the ready line of an agent, the next one where none is named."""
        end = time.monotonic() + seconds
        while True:
            for line in self.lines:
                if line["event"] == "ready" and agent in (None, line["agent"]):
                    self.lines.remove(line)
                    return line
            assert select.select([self.popen.stdout], [], [], max(0.0, end - time.monotonic()))[0], "it is not ready"
            data = os.read(self.popen.stdout.fileno(), 65536)
            assert data, f"it ended: {self.errors.read_text()}"
            *whole, self.rest = (self.rest + data).split(b"\n")
            self.lines += map(json.loads, whole)

    def lives_for(self, seconds):
        """Whether it is still there after that time."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def kill(self):
        """Kill it as the kernel does when it is out of memory."""
        self.popen.kill()
        self.fell()

    def fell(self, seconds=SECONDS):
        """Wait for its death by SIGKILL: by ``kill``, or at its fault point."""
        assert self.popen.wait(seconds) == -signal.SIGKILL, self.errors.read_text()
        self.kills["relay"] += 1

    def send_signal(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=SECONDS):
        """Ask it to stop and return its exit code."""
        if self.popen.poll() is None:
            self.send_signal(number)
        return self.popen.wait(seconds)


@dataclass
class Home:
    """A home directory, its configuration, its open door, and the relays that were started on it."""

    path: Path
    door: object
    kills: Counter
    relays: list = field(default_factory=list)

    def configure(self, *, drain=1, **agents):
        """Write the configuration: agents by name, each with provider, options and what else it has."""
        lines = ["[relay]", f"drain_seconds = {drain}"]
        for name, agent in agents.items():
            own = {key: value for key, value in agent.items() if key != "options"}
            lines += [f"[agents.{name}]", *_settings({"cwd": str(self.path.parent), **own})]
            lines += [f"[agents.{name}.options]", *_settings(agent.get("options", {}))]
        self.path.with_suffix(".toml").write_text("\n".join(lines))
        return self

    def start(self, *words, fault="", ready=True):
        """Start a relay on it; ``fault`` is the step at which it kills itself."""
        run = new_id()
        errors = self.path.with_name(f"errors-{len(self.relays)}")
        with errors.open("wb") as stderr:
            popen = subprocess.Popen(
                [*self._argv("run", "--config", str(self.path.with_suffix(".toml"))), "--headless", "--json", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self.path.parent,
                env=self.environment(**{RUN: run, "RELAYKIT_FAULT": fault}),
                bufsize=0,
            )
        relay = RelayProcess(popen, run, errors, self.kills)
        self.relays.append(relay)
        if ready:
            relay.ready()
        return relay

    def command(self, *words):
        """Run another command of relaykit to its end."""
        return subprocess.run(
            self._argv(*words), capture_output=True, text=True, timeout=SECONDS, check=False, env=self.environment()
        )

    def send(self, to, body, **more):
        draft = Draft(**{"sender": "user", "to": to, "body": body, **more})
        return self.door.run(letters.put, draft).message.id

    def order(self, agent, kind):
        return self.door.run(orders.order, agent, CommandKind(kind), sender="user").id

    def until(self, look, seconds=SECONDS, every=0.5):
        """Wait, woken by the doorbell, until ``look`` returns something true, and return that.

        Whatever rings no bell is looked at once ``every`` so many seconds.
        """
        end = time.monotonic() + seconds
        with self.door.listen() as bell:
            while not (found := look()):
                left = end - time.monotonic()
                assert left > 0, self.told()
                bell.wait_for(min(left, every))
        return found

    def trace(self, message):
        return self.door.run(reading.trace, message)

    def delivery(self, message):
        (delivery,) = self.trace(message).deliveries
        return delivery

    def reaches(self, message, *states):
        """Wait until the message's delivery is in one of the states, or has ended."""
        return self.until(lambda: (one := self.delivery(message)) and (one.state in states or one.state.ended) and one)

    def ended(self, message, seconds=SECONDS):
        """Wait for the end of a message; hold what every end keeps, and return its trace."""
        self.until(lambda: all(one.state.ended for one in self.trace(message).deliveries), seconds)
        trace = self.trace(message)
        for delivery in trace.deliveries:
            said = [one for one in trace.replies if one.sender == delivery.recipient]
            assert delivery.reason, trace
            assert sum(one.kind is not MessageKind.NOTICE for one in said) == (delivery.state == "answered"), trace
            assert sum(one.kind is MessageKind.NOTICE for one in said) == delivery.state.noticed, trace
        return trace

    def inbox(self, recipient, *, ended=False, limit=10_000):
        return self.door.run(reading.inbox, recipient, ended=ended, limit=limit)

    def agent(self, name):
        entries = self.door.run(directory.agents)
        return next((entry for entry in entries if entry.agent.id == name), None)

    def status(self, name, kind, reason=""):
        return self.until(lambda: (one := self.agent(name).status) and (one.kind, one.reason) == (kind, reason) and one)

    def kill_child(self, agent, pid=None, provider="codex"):
        """Kill the agent's provider; return its pid."""
        pid = pid or self.agent(agent).pid
        descriptor = os.pidfd_open(pid)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        assert select.select([descriptor], [], [], SECONDS)[0]
        os.close(descriptor)
        self.kills[provider] += 1
        return pid

    def requests(self):
        return self.door.run(permissions.permissions, all=True)

    def written_down(self, agent):
        """Return the pids of the agent's processes, as they are written down."""
        return [int(path.stem) for path in children_directory(self.path, agent).glob("*.json")]

    def left(self):
        """Return what of the relays that are dead is still alive, as pid and command line."""
        living = {relay.run for relay in self.relays if relay.popen.poll() is None}
        return [found for found in self.processes() if found[2] not in living]

    def processes(self):
        """Return every process of the home but the relays themselves: pid, command line, run."""
        mine, relays = f"{HOME}={self.path}".encode(), {relay.popen.pid for relay in self.relays}
        found = []
        for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*")):
            environment = _read(pid, "environ").split(b"\0")
            if mine in environment and pid not in relays:
                run = next(one for one in environment if one.startswith(RUN.encode()))
                found.append((pid, _read(pid, "cmdline").replace(b"\0", b" "), run.decode().partition("=")[2]))
        return found

    def told(self):
        """Return what the relays complained of, for a failure's message."""
        said = [relay.errors.read_text() for relay in self.relays[-4:]]
        return "\n".join(said + [str(entry) for entry in self.door.run(directory.agents)])

    def close(self):
        """End all relays, and see that nothing of them is left."""
        for relay in self.relays:
            if relay.popen.poll() is None:
                relay.popen.kill()
                relay.popen.wait(SECONDS)
            relay.popen.stdout.close()
        # What a killed relay's children had put in sessions of their own, its successor ends; there is none here.
        for children in (self.path / "run").glob("*"):
            anyio.run(end_orphans, children, SystemClock().boot_id())
            anyio.run(end_detached, children, SystemClock().boot_id())
        left = self.processes()
        for pid, _, _ in left:
            os.kill(pid, signal.SIGKILL)
        assert left == []

    def _argv(self, command, *words):
        return [sys.executable, "-m", "relaykit", command, *words, "--home", str(self.path)]

    def environment(self, **more):
        # Written byte code halves the time that each start takes.
        dropped = ("RELAYKIT", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        # Codex runs the login shell of the user, whose start-up files are not for tests to interrupt.
        own = {"HOME": str(self.path.parent)}
        return {**inherited, "PYTHONPATH": str(SOURCE), HOME: str(self.path), **own, **more}


def _settings(values):
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="session")
def kills():
    """How often something was killed, by what it was."""
    return Counter()


@pytest.fixture
def homes(tmp_path, kills):
    """Makes homes; when the test is over nothing of them runs any more."""
    with ExitStack() as stack:

        def make(**settings):
            path = tmp_path / new_id()[:8] / "home"
            path.parent.mkdir()
            door = stack.enter_context(open_door(path, routers=(AddressRouter(),)))
            home = Home(path, door, kills).configure(**settings)
            stack.callback(home.close)
            return home

        yield make


@pytest.fixture(scope="session")
def stub():
    with running_stub() as stub:
        yield stub


@pytest.fixture
def codex(stub):
    """Returns what an agent of the real Codex with the scripted model is configured with."""
    with codex_home(stub.base_url) as home:
        yield lambda **more: {
            "provider": "codex",
            "options": {"command": codex_binary(), "codex_home": str(home), "request_timeout": SECONDS},
            **more,
        }


@pytest.fixture(scope="session")
def messages_stub():
    with running_messages_stub() as stub:
        yield stub


@pytest.fixture
def claude(messages_stub):
    """Returns what an agent of the real Claude Code with the scripted model is configured with."""
    with claude_home(messages_stub.base_url) as home:
        options = {"command": claude_binary(), "config_dir": str(home), "pass_env": [HOME, RUN]}
        yield lambda **more: {"provider": "claude", "options": options, **more}


@pytest.fixture
def told(stub):
    """Returns what the model was told as a user, in all the conversation that its last request with a text carried."""

    return lambda part: _conversation(stub, part)


def _conversation(stub, part):
    asked = [entry["body"]["input"] for entry in stub.requests() if part in json.dumps(entry.get("body", {}))]
    said = [item for item in (asked[-1] if asked else []) if item.get("role") == "user"]
    return ["".join(piece.get("text", "") for piece in item["content"]) for item in said]


def pytest_collection_modifyitems(items):
    """Count the kills when all others are done."""
    items.sort(key=lambda item: item.name == COUNTING)
