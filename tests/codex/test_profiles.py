"""A profile as Codex has it: the report, and what the real codex does with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

import relaykit_codex
from relaykit.model import (
    Base,
    CredentialName,
    Hook,
    McpServer,
    Profile,
    ProfileCommand,
    ProfileFile,
    ProjectionState,
    Secret,
    Skill,
    Subagent,
)
from relaykit.registry.projecting import projection
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub
from relaykit.testing.program import Program
from relaykit_codex.servers import servers, variables
from relaykit_codex.toml import flat
from relaykit_codex.tools import limits

TOOLS = Path(__file__).with_name("mcp_tools.py")
SKILL = Skill(
    name="greet",
    description="How people are greeted here.",
    files=(
        ProfileFile(path="SKILL.md", content=b"---\nname: greet\ndescription: How people are greeted here.\n---\n"),
    ),
)


def report(profile, **options):
    return {one.item: one for one in projection(profile, relaykit_codex.CODEX, options)}


def states(profile, **options):
    return {item: str(one.state) for item, one in report(profile, **options).items()}


def test_every_item_is_told_of_and_what_cannot_be_done_says_why():
    profile = Profile(
        name="p",
        base=Base.ISOLATED,
        system_prompt="You are.",
        instructions="Be.",
        instructions_file="Read.",
        skills=(SKILL,),
        subagents=(
            Subagent(name="critic", description="d", prompt="p"),
            Subagent(name="reader", description="d", prompt="p", tools=("Read",)),
            Subagent(name="odd.name", description="d", prompt="p"),
        ),
        commands=(ProfileCommand(name="review", prompt="Review."), ProfileCommand(name="greet", prompt="Greet.")),
        allowed_tools=("shell",),
        denied_tools=("WebSearch", "Read"),
        mcp_servers=(McpServer(name="tools", command=("x",)), McpServer(name="odd.name", url="http://127.0.0.1:1")),
        hooks=(Hook(event="PreToolUse", command="true"), Hook(event="Notification", command="true")),
        env={"LEVEL": "debug", "CODEX_HOME": "/x"},
        files=(ProfileFile(path="NOTES.md", content=b""),),
        model="m",
        effort="high",
        reachable_by=("user",),
    )
    found = report(profile, model="other", effort="high")
    assert list(found) == list(profile.items())
    assert {item: str(one.state) for item, one in found.items() if one.state is not ProjectionState.PROJECTED} == {
        "base": "partly",
        "subagents.reader": "partly",
        "subagents.odd.name": "cannot",
        "commands.greet": "cannot",
        "allowed_tools": "partly",
        "denied_tools": "partly",
        "mcp_servers.odd.name": "cannot",
        "hooks.Notification": "cannot",
        "env.CODEX_HOME": "cannot",
        "model": "cannot",
    }
    assert "cannot be without Read" in found["denied_tools"].how
    assert "PreToolUse" in found["hooks.Notification"].how
    assert "option says other" in found["model"].how


def test_all_tools_of_a_server_may_be_written_with_a_star_and_some_may_not():
    server = McpServer(name="tools", command=("x",))
    denied = Profile(name="p", denied_tools=("mcp__tools__*",), mcp_servers=(server,))
    assert (limits(server, denied), states(denied)["denied_tools"]) == ({"enabled": False}, "projected")
    assert limits(server, Profile(name="p", allowed_tools=("mcp__tools__*",))) == {}
    some = Profile(name="p", denied_tools=("mcp__tools__l*", "mcp__*"), allowed_tools=("mcp__tools__l*",))
    some = replace(some, mcp_servers=(server,))
    assert states(some)["denied_tools"] == "cannot"
    assert "mcp__tools__l* allows nothing" in report(some)["allowed_tools"].how


def test_isolation_is_refused_where_the_option_shares_the_users_home():
    isolated = Profile(name="p", base=Base.ISOLATED)
    assert states(isolated, codex_home="shared")["base"] == "cannot"
    assert states(isolated)["base"] == "partly"
    assert states(Profile(name="p"))["base"] == "projected"


def test_secrets_of_servers_are_variables_of_codex_that_its_commands_do_not_see():
    profile = Profile(
        name="p",
        mcp_servers=(
            McpServer(name="a", command=("run", "it"), env={"KEY": CredentialName("one"), "PLAIN": "x"}),
            McpServer(
                name="b", url="http://h/", headers={"X-Key": CredentialName("two"), "X-Plain": "y"}, credential="one"
            ),
            McpServer(name="c", command=("run",), env={"KEY": CredentialName("two")}),
        ),
    )
    said = servers(profile)
    held = variables(profile, {"one": Secret("1111"), "two": Secret("2222")})
    assert said["mcp_servers.a"] == {"command": "run", "args": ["it"], "env": {"PLAIN": "x"}, "env_vars": ["KEY"]}
    assert said["mcp_servers.b"]["http_headers"] == {"X-Plain": "y"}
    assert held[said["mcp_servers.b"]["env_http_headers"]["X-Key"]] == "2222"
    assert held[said["mcp_servers.b"]["bearer_token_env_var"]] == "1111"
    assert held["KEY"] == "1111"
    assert {f"shell_environment_policy.set.{name}" for name in held} <= set(said)
    assert "1111" not in json.dumps(said)
    assert (states(profile)["mcp_servers.c"], "mcp_servers.c" in said) == ("cannot", False)


def test_no_setting_stands_for_a_table_that_another_one_is_in():
    said = {"features.a": True, "features": {"b": {"c": 1}}, "projects": {"/x.y": {"z": 1}}, "empty": {}}
    assert flat(said) == {"features.a": True, "features.b.c": 1, "projects": {"/x.y": {"z": 1}}, "empty": {}}


PROFILE = """\
system_prompt = "BASE-PROMPT"
instructions = "APPENDED"
denied_tools = ["web_search", "mcp__tools__touch"]
effort = "high"

[mcp_servers.tools]
command = {command}
env = {{ PLAIN = "plain", TOOLS_KEY = {{ credential = "tools" }} }}

[[hooks]]
event = "SessionStart"
command = "echo begun >> hook.log"

[[hooks]]
event = "PreToolUse"
matcher = ".*"
command = 'printf "%s" "used" >> hook.log'
timeout = 5

[env]
LEVEL = "debug"
DEPLOY = {{ credential = "deploy" }}
"""


@pytest.fixture
def site(tmp_path):
    """A relay over the real codex, and a directory with a profile of all kinds beside its configuration."""
    with running_stub() as stub, codex_home(stub.base_url, model="unknown-model") as home:
        workspace = home / "workspace"
        workspace.mkdir()
        folder = tmp_path / "profiles" / "full"
        for path, text in {
            "profile.toml": PROFILE.format(command=json.dumps([sys.executable, str(TOOLS), str(tmp_path / "started")])),
            "instructions.md": "INSTRUCTIONS-FILE",
            "skills/greet/SKILL.md": "---\nname: greet\ndescription: SKILL-DESCRIPTION\n---\nSay MOIN.\n",
            "skills/greet/more/words.txt": "moin",
            "agents/critic.md": "---\ndescription: SUBAGENT-DESCRIPTION\n---\nYou find fault.\n",
            "commands/review.md": "---\ndescription: COMMAND-DESCRIPTION\n---\nReview it.\n",
            "files/docs/HOUSE.md": "HOUSE-RULES",
        }.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        secrets = {"RELAYKIT_CREDENTIAL_TOOLS": "sk-tools-secret", "RELAYKIT_CREDENTIAL_DEPLOY": "deploy-secret"}
        program = Program(home=home / "relay", cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path / "none"), **secrets})
        yield Site(program, stub, home, workspace)


class Site:
    def __init__(self, program, stub, codex_home, workspace):
        self.program, self.stub, self.codex_home, self.workspace = program, stub, codex_home, workspace

    def configure(self, *more, options=()):
        options = {"command": codex_binary(), **dict(options)}
        lines = ["[agents.main]", 'provider = "codex"', f"cwd = {json.dumps(str(self.workspace))}", 'profile = "full"']
        lines += ["[agents.main.options]", *(f"{key} = {json.dumps(value)}" for key, value in options.items())]
        (self.program.cwd / "relaykit.toml").write_text("\n".join([*lines, *more]), encoding="utf-8")

    def bodies(self):
        return [entry["body"] for entry in self.stub.requests() if "body" in entry]


@pytest.mark.live
@pytest.mark.parity("AR-14", "SR-9")
def test_the_real_codex_has_all_that_a_profile_says(site):
    site.configure(options={"codex_home": str(site.codex_home)})
    with site.program.relay():
        asked = site.program("send", "main", "exec:env;;say:done", "--wait", "30")
        assert (asked.code, asked.out) == (0, "done\n")
        events = site.program("events", "main", "--json").lines
    first, last = site.bodies()[0], json.dumps(site.bodies()[-1]["input"])
    said = json.dumps([first.get("instructions"), first["input"]])
    texts = ["BASE-PROMPT", "APPENDED", "INSTRUCTIONS-FILE", "SKILL-DESCRIPTION", "COMMAND-DESCRIPTION"]
    assert [text for text in texts if text not in said] == []
    tools = {tool.get("name", tool["type"]): json.dumps(tool) for tool in first["tools"]}
    assert '"look"' in tools["mcp__tools"]
    assert '"touch"' not in tools["mcp__tools"]
    assert "web_search" not in tools
    assert any("SUBAGENT-DESCRIPTION" in tool for tool in tools.values())
    assert first["reasoning"]["effort"] == "high"
    started = json.loads((site.program.cwd / "started").read_text(encoding="utf-8"))
    assert (started["env"]["TOOLS_KEY"], started["env"]["PLAIN"]) == ("sk-tools-secret", "plain")
    assert (site.workspace / "hook.log").read_text(encoding="utf-8") == "begun\nused"
    assert (site.workspace / "docs" / "HOUSE.md").read_text(encoding="utf-8") == "HOUSE-RULES"
    assert "LEVEL=debug" in last
    assert "DEPLOY=deploy-secret" in last
    assert "sk-tools-secret" not in last
    (note,) = [event["data"] for event in events if event["kind"] == "note" and event["data"]["name"] == "profile"]
    assert {item["item"]: item["state"] for item in note["data"]["items"]}["mcp_servers.tools"] == "projected"
    assert not [secret for secret in ("sk-tools-secret", "deploy-secret") if secret in json.dumps(note)]


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_an_isolated_codex_has_a_home_of_its_own_and_nothing_of_the_users(site):
    (site.codex_home / "AGENTS.md").write_text("THE-USERS-OWN", encoding="utf-8")
    (site.workspace / "AGENTS.md").write_text("THE-WORKSPACES", encoding="utf-8")
    provider = {"name": "stub", "base_url": site.stub.base_url, "wire_api": "responses", "request_max_retries": 0}
    lines = [f"{key} = {json.dumps(value)}" for key, value in provider.items()]
    site.configure(
        "[agents.main.options.config.model_providers.stub]",
        *lines,
        "[profiles.full]",
        'base = "isolated"',
        options={"model": "unknown-model", "model_provider": "stub"},
    )
    program = Program(
        home=site.program.home, cwd=site.program.cwd, env={**site.program.env, "CODEX_HOME": str(site.codex_home)}
    )
    with program.relay():
        assert program("send", "main", "say:done", "--wait", "30").out == "done\n"
    said = json.dumps(site.bodies()[0]["input"])
    assert "INSTRUCTIONS-FILE" in said
    assert "THE-USERS-OWN" not in said
    assert "THE-WORKSPACES" not in said
    assert (site.program.home / "agents" / "main" / "codex").is_dir()


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_the_report_is_shown_without_starting_anything_and_run_says_what_cannot_be_done(site):
    site.configure(
        "[[profiles.full.hooks]]",
        'event = "Notification"',
        'command = "true"',
        options={"codex_home": str(site.codex_home)},
    )
    (row,) = site.program("profiles", "--json").json["profiles"]
    assert (row["name"], row["agents"]) == ("full", ["main"])
    (shown,) = site.program("profiles", "show", "full", "--provider", "codex", "--json").json["providers"]
    items = {item["item"]: item for item in shown["items"]}
    assert items["skills.greet"]["state"] == "projected"
    assert items["hooks.Notification"]["state"] == "cannot"
    text = site.program("profiles", "show", "full").out
    assert "hooks.Notification" in text
    assert not site.program.home.joinpath("agents").exists()
    with site.program.start("run", "--headless") as relay:
        assert relay.stdout.readline().startswith("ready main")
        site.program("stop", "main")
        _, complaint = relay.communicate(timeout=30)
    (line,) = [line for line in complaint.splitlines() if "profile full" in line]
    assert "hooks.Notification: Codex has no such event" in line


@pytest.mark.live
@pytest.mark.parity("N-6", "AR-8")
def test_a_profile_holds_after_a_restart_and_a_clear_which_forgets_what_was_said(site):
    site.configure(options={"codex_home": str(site.codex_home)})
    with site.program.relay():
        before = session(site)
        site.program("send", "main", "say:remember the word", "--wait", "30")
        assert site.program("restart", "main").code == 0
        site.program("send", "main", "say:still here", "--wait", "30")
        assert session(site) == before
        cleared = site.program("clear", "main", "--json").json
        assert (cleared["state"], cleared["kind"]) == ("succeeded", "clear")
        assert site.program("send", "main", "say:and now", "--wait", "30").out == "and now\n"
        assert session(site) not in (None, before)
    first, restarted, anew = site.bodies()
    for body in (restarted, anew):
        assert "BASE-PROMPT" in json.dumps([body.get("instructions"), body["input"]])
        assert [tool["name"] for tool in body["tools"] if "name" in tool] == [
            tool["name"] for tool in first["tools"] if "name" in tool
        ]
    assert "remember the word" in json.dumps(restarted["input"])
    assert "remember the word" not in json.dumps(anew["input"])


def session(site):
    (agent,) = site.program("agents", "--json").json["agents"]
    return agent["session"]


@pytest.mark.live
def test_only_the_allowed_tools_are_there_as_far_as_codex_can_be_without_others(site):
    allowed = 'allowed_tools = ["view_image", "mcp__tools__touch"]'
    site.configure("[profiles.full]", allowed, "denied_tools = []", options={"codex_home": str(site.codex_home)})
    with site.program.relay():
        site.program("send", "main", "say:done", "--wait", "30")
    tools = {tool.get("name", tool["type"]): json.dumps(tool) for tool in site.bodies()[0]["tools"]}
    assert '"touch"' in tools["mcp__tools"]
    assert '"look"' not in tools["mcp__tools"]
    assert "view_image" in tools
    assert not {"exec_command", "web_search", "multi_agent_v1"} & tools.keys()
