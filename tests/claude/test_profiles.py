"""A profile as Claude has it: the report, and what the real claude does with it."""

from __future__ import annotations

import json
import stat
import sys
import time
from pathlib import Path

import pytest

import relaykit_claude
from relaykit.model import (
    Base,
    CredentialName,
    Hook,
    McpServer,
    Profile,
    ProfileCommand,
    ProfileFile,
    ProjectionState,
    ProviderPlugin,
    Secret,
    Skill,
    Subagent,
)
from relaykit.plugin import SessionRequest
from relaykit.registry.projecting import projection
from relaykit.testing.claude_home import KEY
from relaykit_claude.equipment import equip
from relaykit_claude.projecting import hello, plugin_files, words
from relaykit_claude.toolnames import rules

TOOLS = Path(__file__).parents[1] / "codex" / "mcp_tools.py"
SKILL = Skill(
    name="greet",
    description="How people are greeted here.",
    files=(
        ProfileFile(path="SKILL.md", content=b"---\nname: greet\ndescription: How people are greeted here.\n---\n"),
        ProfileFile(path="bin/moin", content=b"\xff#!", executable=True),
    ),
)


def report(profile, **options):
    return {one.item: one for one in projection(profile, relaykit_claude.CLAUDE, options)}


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
        subagents=(Subagent(name="reader", description="d", prompt="p", tools=("Read",)),),
        commands=(ProfileCommand(name="review", prompt="Review."), ProfileCommand(name="greet", prompt="Greet.")),
        denied_tools=("web_search", "view_image", "Bash(rm *)"),
        mcp_servers=(
            McpServer(name="tools", command=("x",)),
            McpServer(name="relaykit", url="http://127.0.0.1:1"),
            McpServer(name="a.b", command=("x",)),
            McpServer(name="a_b", command=("x",)),
        ),
        hooks=(Hook(event="PreToolUse", command="true"), Hook(event="NoSuchEvent", command="true")),
        env={"LEVEL": "debug", "CLAUDE_CONFIG_DIR": "/x"},
        files=(ProfileFile(path="NOTES.md", content=b""),),
        plugins=(
            ProviderPlugin(name="ours", path="/p/ours", manifests=(".claude-plugin",)),
            ProviderPlugin(name="theirs", path="/p/theirs", manifests=(".other-plugin",)),
        ),
        needs=("sh", "no-such-program-anywhere"),
        model="m",
        effort="high",
        reachable_by=("user",),
    )
    found = report(profile, model="other", effort="high")
    assert list(found) == list(profile.items())
    assert {item: str(one.state) for item, one in found.items() if one.state is not ProjectionState.PROJECTED} == {
        "commands.greet": "cannot",
        "plugins.theirs": "cannot",
        "needs.no-such-program-anywhere": "cannot",
        "denied_tools": "partly",
        "mcp_servers.relaykit": "cannot",
        "mcp_servers.a_b": "cannot",
        "hooks.NoSuchEvent": "cannot",
        "env.CLAUDE_CONFIG_DIR": "cannot",
        "model": "cannot",
    }
    assert "no view_image" in found["denied_tools"].how
    assert "the server a.b" in found["mcp_servers.a_b"].how
    assert "option says other" in found["model"].how


def test_what_allowed_tools_takes_away_is_not_said_to_be_there():
    told = Profile(
        name="p",
        allowed_tools=("Read", "Bash(git *)", "mcp__users__x"),
        skills=(SKILL,),
        subagents=(Subagent(name="critic", description="d", prompt="p"),),
        mcp_servers=(McpServer(name="tools", command=("x",)),),
    )
    found = states(told)
    assert {item for item, state in found.items() if state == "cannot"} == {
        "skills.greet",
        "subagents.critic",
        "mcp_servers.tools",
    }
    assert found["allowed_tools"] == "partly"
    assert "user's own" in report(told)["allowed_tools"].how
    assert words(told) == ["--tools=Read,Bash"]
    whole = Profile(name="p", allowed_tools=("Read", "mcp__tools"), mcp_servers=(McpServer(name="tools", url="u"),))
    assert (states(whole)["allowed_tools"], states(whole)["mcp_servers.tools"]) == ("projected", "projected")
    some = Profile(name="p", allowed_tools=("mcp__tools__x",), mcp_servers=(McpServer(name="tools", url="u"),))
    assert "refuses other tools of its servers" in report(some)["allowed_tools"].how
    assert words(whole) == ["--tools=Read", "--strict-mcp-config"]
    assert words(Profile(name="p", allowed_tools=())) == ["--tools=", "--strict-mcp-config"]


def test_long_text_goes_with_the_hello_and_a_resumed_session_takes_it_anew():
    profile = Profile(
        name="p",
        system_prompt="BASE",
        instructions_file="FILE",
        subagents=(Subagent(name="critic", description="d", prompt="p", model="m", tools=("shell", "Read")),),
    )
    request = SessionRequest(agent="main", cwd=Path("/"), instructions="ADDED", profile=profile)
    assert hello(request) == {
        "systemPrompt": ["BASE"],
        "appendSystemPrompt": "ADDED\n\nFILE",
        "agents": {"critic": {"description": "d", "prompt": "p", "model": "m", "tools": ["Bash", "Read"]}},
        "systemPromptSnapshot": False,
    }
    assert hello(SessionRequest(agent="main", cwd=Path("/"))) == {"systemPromptSnapshot": False}


def test_secrets_of_servers_are_in_a_file_of_the_session_and_nowhere_else(tmp_path):
    servers = (
        McpServer(name="a", command=("run", "it"), cwd="/srv", env={"KEY": CredentialName("one"), "PLAIN": "x"}),
        McpServer(name="b", url="http://h/", headers={"X-Key": CredentialName("two")}, credential="one"),
    )
    profile = Profile(name="p", mcp_servers=servers, skills=(SKILL,))
    secrets = {"one": Secret("secret-1111"), "two": Secret("secret-2222")}
    request = SessionRequest(agent="main", cwd=tmp_path, profile=profile, secrets=secrets)
    with equip(request, tmp_path / "home") as equipment:
        files = {path.name: path for path in (tmp_path / "home").rglob("*") if path.is_file()}
        assert [name for name, path in files.items() if b"secret-" in path.read_bytes()] == ["mcp.json"]
        told = json.loads(files["mcp.json"].read_text())["mcpServers"]
        assert stat.S_IMODE(files["mcp.json"].stat().st_mode) == 0o600
        assert stat.S_IMODE(files["moin"].stat().st_mode) == 0o700
        assert files["moin"].read_bytes() == b"\xff#!"
        assert "secret-" not in str([equipment, request])
    assert told["a"]["args"][-3:] == ["/srv", "run", "it"]
    assert told["a"]["env"] == {"KEY": "secret-1111", "PLAIN": "x"}
    assert told["b"]["headers"] == {"X-Key": "secret-2222", "Authorization": "Bearer secret-1111"}


PROFILE = """\
system_prompt = "BASE-PROMPT"
instructions = "APPENDED"
denied_tools = ["web_search", "mcp__tools__touch"]
effort = "high"

[mcp_servers.tools]
command = {command}
cwd = {cwd}
env = {{ PLAIN = "plain", TOOLS_KEY = {{ credential = "tools" }} }}

[mcp_servers.docs]
url = "{url}/mcp"
credential = "docs"

[[hooks]]
event = "SessionStart"
command = "echo begun >> hook.log"

[[hooks]]
event = "PreToolUse"
matcher = "Bash"
command = 'printf "%s" "used" >> hook.log'
timeout = 5

[env]
LEVEL = "debug"
DEPLOY = {{ credential = "deploy" }}
"""


class Site:
    """A relay over the real claude, and a directory with a profile of all kinds beside its configuration."""

    def __init__(self, house):
        self.house, self.program, self.stub, self.workspace = house, house.program, house.stub, house.workspace
        self.folder = self.program.cwd / "profiles" / "full"

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def say(self, more):
        """Add to the profile: keys that it has not, before its tables."""
        self.write("profile.toml", more + (self.folder / "profile.toml").read_text())

    def run(self, **settings):
        return self.house.run(main={"profile": "full", **settings})

    def send(self, text):
        asked = self.program("send", "main", text, "--wait", "30")
        assert asked.code == 0, asked
        return asked.out

    def bodies(self):
        return [entry["body"] for entry in self.stub.requests() if "body" in entry]


@pytest.fixture
def site(house, relay):
    site = Site(house)
    command = json.dumps([sys.executable, str(TOOLS), str(site.program.cwd / "started")])
    cwd = json.dumps(str(site.program.cwd))
    for path, text in {
        "profile.toml": PROFILE.format(command=command, cwd=cwd, url=relay.endpoint.url),
        "instructions.md": "INSTRUCTIONS-FILE",
        "skills/greet/SKILL.md": "---\nname: greet\ndescription: SKILL-DESCRIPTION\n---\nSay MOIN.\n",
        "skills/greet/more/words.txt": "moin",
        "agents/critic.md": "---\ndescription: SUBAGENT-DESCRIPTION\ntools: Read\n---\nYou FIND-FAULT.\n",
        "commands/review.md": "---\ndescription: COMMAND-DESCRIPTION\n---\nsay:reviewed $ARGUMENTS\n",
        "files/docs/HOUSE.md": "HOUSE-RULES",
    }.items():
        site.write(path, text)
    site.program.env |= {
        "RELAYKIT_CREDENTIAL_TOOLS": "sk-tools-secret",
        "RELAYKIT_CREDENTIAL_DEPLOY": "deploy-secret",
        "RELAYKIT_CREDENTIAL_DOCS": relay.endpoint.token.reveal(),
    }
    return site


def names(body):
    return {tool["name"] for tool in body["tools"]}


@pytest.mark.live
@pytest.mark.parity("AR-14", "SR-9")
def test_the_real_claude_has_all_that_a_profile_says(site):
    with site.run(approval="auto"):
        assert site.send("exec:env;;say:done") == "done\n"
        events = site.program("events", "main", "--json").lines
    first, last = site.bodies()[0], json.dumps(site.bodies()[-1]["messages"])
    prompt, said = json.dumps(first["system"]), json.dumps(first)
    assert [text for text in ("BASE-PROMPT", "APPENDED", "INSTRUCTIONS-FILE") if text not in prompt] == []
    assert [text for text in ("SKILL-DESCRIPTION", "COMMAND-DESCRIPTION") if text not in said] == []
    assert [text for text in ("profile:greet", "SUBAGENT-DESCRIPTION", "mcp__tools__look") if text not in said] == []
    assert [text for text in ("mcp__docs__reply", "mcp__relaykit__send") if text not in said] == []
    assert [text for text in ("mcp__tools__touch", "WebSearch", "Claude Code is a") if text in said] == []
    assert first["output_config"]["effort"] == "high"
    started = json.loads((site.program.cwd / "started").read_text(encoding="utf-8"))
    assert (started["env"]["TOOLS_KEY"], started["env"]["PLAIN"]) == ("sk-tools-secret", "plain")
    assert (started["cwd"], started["env"]["LEVEL"]) == (str(site.program.cwd), "debug")
    assert (site.workspace / "hook.log").read_text(encoding="utf-8") == "begun\nused"
    assert (site.workspace / "docs" / "HOUSE.md").read_text(encoding="utf-8") == "HOUSE-RULES"
    assert "LEVEL=debug" in last
    assert "DEPLOY=deploy-secret" in last
    assert "sk-tools-secret" not in last
    (note,) = [event["data"] for event in events if event["kind"] == "note" and event["data"]["name"] == "profile"]
    assert {item["state"] for item in note["data"]["items"]} == {"projected"}
    assert not [secret for secret in ("sk-tools-secret", "deploy-secret") if secret in json.dumps(note)]
    assert list((site.program.home / "agents" / "main").glob("session/*")) == []


@pytest.mark.live
@pytest.mark.parity("AR-14", "SR-9")
def test_a_plugin_of_claudes_own_form_is_used_where_it_lies_and_what_it_needs_is_looked_for(site):
    site.say('plugins = ["../../own"]\nneeds = ["sh", "no-such-program-anywhere"]\n')
    own = site.program.cwd / "own"
    for path, text in {
        ".claude-plugin/plugin.json": '{"name": "own", "version": "1.0.0", "description": "d"}',
        "commands/own.md": "---\ndescription: OWN-COMMAND\n---\nsay:of our own\n",
    }.items():
        (own / path).parent.mkdir(parents=True)
        (own / path).write_text(text, encoding="utf-8")
    (told,) = site.program("profiles", "show", "full", "--provider", "claude", "--json").json["providers"]
    states = {item["item"]: (item["state"], item["how"]) for item in told["items"]}
    assert states["plugins.own"] == ("projected", f"a plugin of the session, used where it lies: {own.resolve()}")
    assert states["needs.sh"][0] == "projected"
    assert states["needs.no-such-program-anywhere"][0] == "cannot"
    (told,) = site.program("profiles", "show", "full", "--provider", "codex", "--json").json["providers"]
    assert {item["item"]: item["state"] for item in told["items"]}["plugins.own"] == "cannot"
    with site.run():
        assert site.send("/own:own") == "of our own\n"


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_commands_subagents_and_servers_of_a_profile_are_used(site, relay):
    call = {"description": "d", "prompt": "say:its report", "subagent_type": "critic", "run_in_background": False}
    with site.run(approval="auto"):
        assert site.send("/profile:review it all") == "reviewed it all\n"
        site.send(f"tool:Agent|{json.dumps(call)};;say:done")
        site.send('tool:mcp__docs__reply|{"message": "m1"};;say:done')
    (asked,) = [body for body in site.bodies() if "FIND-FAULT" in json.dumps(body["system"])]
    assert names(asked) == {"Read"}
    assert relay.calls[0]["arguments"] == {"message": "m1"}


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_only_the_allowed_tools_are_there(site):
    site.say('allowed_tools = ["Read", "shell", "mcp__tools"]\n')
    give_the_user_a_server(site)
    with site.run():
        site.send("say:done")
    offered = {name for name in names(site.bodies()[0]) if not name.startswith("mcp__relaykit__")}
    assert offered - {"DeferredToolPlaceholder"} == {"Read", "Bash", "mcp__tools__look"}


@pytest.mark.live
@pytest.mark.parity("AR-14")
@pytest.mark.parametrize("sign_in", ["credential", "account"])
def test_an_isolated_claude_has_nothing_of_the_users_but_the_sign_in(site, sign_in):
    home, workspace = site.house.claude_home, site.workspace
    for path, text in {
        home / "CLAUDE.md": "THE-USERS-OWN",
        home / "skills/own/SKILL.md": "---\nname: own\ndescription: THE-USERS-SKILL\n---\n",
        workspace / "CLAUDE.md": "THE-WORKSPACES",
        workspace / ".claude/agents/own.md": "---\nname: own\ndescription: THE-WORKSPACES-AGENT\n---\n",
        workspace / ".claude/settings.json": json.dumps({"hooks": {"SessionStart": [HOOK]}}),
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    give_the_user_a_server(site)
    env = {**json.loads((home / "settings.json").read_text())["env"], "HOME": str(home)}
    del env["ANTHROPIC_API_KEY"]
    options = {"env": env, **({"credential": "key"} if sign_in == "credential" else {})}
    site.program.env["RELAYKIT_CREDENTIAL_KEY"] = KEY
    if sign_in == "account":
        (home / ".credentials.json").write_text(json.dumps(ACCOUNT), encoding="utf-8")
    site.say('base = "isolated"\n')
    with site.run(options=options):
        assert site.send("say:done") == "done\n"
    said = json.dumps(site.bodies()[0])
    assert [text for text in ("INSTRUCTIONS-FILE", "SKILL-DESCRIPTION", "mcp__tools__look") if text not in said] == []
    assert [text for text in ("THE-USERS", "mcp__users__look") if text in said] == []
    assert "THE-WORKSPACES" not in said
    assert (workspace / "hook.log").read_text(encoding="utf-8") == "begun\n"
    headers = site.stub.requests()[-1]["headers"]
    assert headers.get("authorization") == ("Bearer access-0123" if sign_in == "account" else None)


def test_all_tools_of_a_server_may_be_written_with_a_star_and_some_may_not():
    server = McpServer(name="tools", url="u")
    denied = Profile(name="p", denied_tools=("mcp__tools__*",), mcp_servers=(server,))
    assert rules(denied.denied_tools) == ["mcp__tools"]
    assert states(denied) == {"base": "projected", "denied_tools": "projected", "mcp_servers.tools": "cannot"}
    allowed = Profile(name="p", allowed_tools=("mcp__tools__*",), mcp_servers=(server,))
    assert (states(allowed)["allowed_tools"], states(allowed)["mcp_servers.tools"]) == ("projected", "projected")
    assert plugin_files(allowed) == {}
    some = Profile(name="p", denied_tools=("mcp__tools__l*", "mcp__*"), allowed_tools=("mcp__tools__l*",))
    assert (states(some)["denied_tools"], states(some)["allowed_tools"]) == ("cannot", "partly")


def give_the_user_a_server(site):
    server = {"command": sys.executable, "args": [str(TOOLS), str(site.program.cwd / "users")]}
    (site.house.claude_home / ".claude.json").write_text(json.dumps({"mcpServers": {"users": server}}))


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_of_a_server_only_the_allowed_tools_can_be_used(site, relay):
    site.say('allowed_tools = ["mcp__docs__rep", "mcp__tools__look"]\n')
    with site.run(approval="auto"):
        site.send('tool:mcp__docs__reply|{"message": "m1"};;say:done')
        refused = json.dumps(site.bodies()[-1]["messages"])
        site.send("tool:mcp__tools__look|{};;say:done")
        used = json.dumps(site.bodies()[-1]["messages"][-1])
    assert relay.calls == []
    assert "does not allow this tool" in refused
    assert "does not allow this tool" not in used


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_without_isolation_what_is_the_users_own_stays(site):
    give_the_user_a_server(site)
    (site.workspace / "CLAUDE.md").write_text("THE-WORKSPACES", encoding="utf-8")
    with site.run():
        site.send("say:done")
    said = json.dumps(site.bodies()[0])
    wanted = ("THE-WORKSPACES", "mcp__users__look", "mcp__tools__look")
    assert [text for text in wanted if text not in said] == []


HOOK = {"hooks": [{"type": "command", "command": "echo THE-WORKSPACES-HOOK >> hook.log"}]}
ACCOUNT = {
    "claudeAiOauth": {
        "accessToken": "access-0123",
        "refreshToken": "refresh-0123",
        "expiresAt": int((time.time() + 86400) * 1000),
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
}


@pytest.mark.live
@pytest.mark.parity("AR-14")
def test_the_report_is_shown_without_starting_anything_and_run_says_what_cannot_be_done(site):
    site.write("profile.toml", 'denied_tools = ["no_such_tool"]\n')
    with site.run() as relay:
        (shown,) = site.program("profiles", "show", "full", "--provider", "claude", "--json").json["providers"]
        site.program("stop", "main")
        _, complaint = relay.communicate(timeout=30)
    items = {item["item"]: item for item in shown["items"]}
    assert (items["skills.greet"]["state"], items["denied_tools"]["state"]) == ("projected", "cannot")
    (line,) = [line for line in complaint.splitlines() if "profile full" in line]
    assert "denied_tools: relaykit knows no no_such_tool" in line


@pytest.mark.live
@pytest.mark.parity("N-6", "AR-8")
def test_a_changed_profile_holds_after_a_restart_and_a_clear_which_forgets_what_was_said(site):
    with site.run():
        site.send("say:remember the word")
        before = session(site)
    site.write("profile.toml", 'system_prompt = "ANOTHER-PROMPT"\n')
    with site.run():
        site.send("say:still here")
        assert session(site) == before
        cleared = site.program("clear", "main", "--json").json
        assert (cleared["state"], cleared["kind"]) == ("succeeded", "clear")
        assert site.send("say:and now") == "and now\n"
        assert session(site) not in (None, before)
    _, restarted, anew = site.bodies()
    for body in (restarted, anew):
        prompt = json.dumps(body["system"])
        assert ("ANOTHER-PROMPT" in prompt, "BASE-PROMPT" in prompt) == (True, False)
    assert "remember the word" in json.dumps(restarted["messages"])
    assert "remember the word" not in json.dumps(anew["messages"])


def session(site):
    (agent,) = site.program("agents", "--json").json["agents"]
    return agent["session"]
