"""Profiles: in the configuration, in a directory of their own, and all that can be wrong with them."""

from __future__ import annotations

import pytest

from relaykit import config
from relaykit.errors import ConfigError
from relaykit.model import (
    Approval,
    Base,
    CredentialName,
    Hook,
    McpServer,
    Profile,
    ProfileCommand,
    ProfileFile,
    Skill,
    Subagent,
)

SKILL = "---\nname: review\ndescription: >-\n  How we\n  review.\n---\nLook twice.\n"
AGENT = '[agents.a]\nprovider = "made-up"\n'


def problems(load, text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    return caught.value.problems


@pytest.mark.parity("SR-9")
def test_a_profile_is_written_in_the_configuration(load, write, tmp_path):
    write(SKILL, "skills/review/SKILL.md")
    write("Words.", "AGENTS.template.md")
    loaded = load(
        AGENT
        + """
        profile = "full"
        [profiles.full]
        base = "isolated"
        system_prompt = "You are."
        instructions = "Be brief."
        instructions_file = "AGENTS.template.md"
        skills = ["skills/review"]
        allowed_tools = ["shell"]
        denied_tools = ["web_search"]
        model = "big"
        effort = "high"
        approval = "open"
        [profiles.full.subagents.critic]
        description = "Finds fault."
        prompt = "You find fault."
        tools = ["Read"]
        [profiles.full.commands.ship]
        prompt = "Ship it."
        [profiles.full.mcp_servers.docs]
        url = "https://docs.example/mcp"
        credential = "docs"
        headers = { X-Team = "core", X-Key = { credential = "team" } }
        [profiles.full.mcp_servers.db]
        command = ["db-tools", "--read-only"]
        env = { DB_PASSWORD = { credential = "db" }, LEVEL = "debug" }
        [[profiles.full.hooks]]
        event = "PreToolUse"
        matcher = "Bash"
        command = "./check.sh"
        timeout = 5
        [profiles.full.env]
        STAGE = "test"
        [profiles.full.files]
        "docs/HOUSE.md" = "Rules."
        """
    )
    skill = ProfileFile(path="SKILL.md", content=SKILL.encode())
    assert loaded.profiles["full"] == Profile(
        name="full",
        base=Base.ISOLATED,
        system_prompt="You are.",
        instructions="Be brief.",
        instructions_file="Words.",
        skills=(Skill(name="review", description="How we review.", files=(skill,)),),
        subagents=(Subagent(name="critic", description="Finds fault.", prompt="You find fault.", tools=("Read",)),),
        commands=(ProfileCommand(name="ship", prompt="Ship it."),),
        allowed_tools=("shell",),
        denied_tools=("web_search",),
        mcp_servers=(
            McpServer(
                name="docs",
                url="https://docs.example/mcp",
                credential="docs",
                headers={"X-Team": "core", "X-Key": CredentialName("team")},
            ),
            McpServer(
                name="db",
                command=("db-tools", "--read-only"),
                env={"DB_PASSWORD": CredentialName("db"), "LEVEL": "debug"},
            ),
        ),
        hooks=(Hook(event="PreToolUse", command="./check.sh", matcher="Bash", timeout=5),),
        env={"STAGE": "test"},
        files=(ProfileFile(path="docs/HOUSE.md", content=b"Rules."),),
        model="big",
        effort="high",
        approval=Approval.AUTO,
    )
    assert loaded.profiles["full"].credentials == {"docs", "team", "db"}
    (agent,) = loaded.agents
    assert (agent.approval, agent.options["model"]) == (Approval.AUTO, "big")
    assert tmp_path.joinpath("skills").is_dir()


@pytest.mark.parity("SR-9")
def test_a_profile_is_a_directory_beside_the_configuration_and_the_configuration_comes_first(load, write, tmp_path):
    write('instructions = "Brief."\nmodel = "big"\nskills = ["../shared"]\n', "profiles/careful/profile.toml")
    write(SKILL, "profiles/shared/SKILL.md")
    write("The house.", "profiles/careful/instructions.md")
    write("---\ndescription: Greets.\n---\nSay moin.\n", "profiles/careful/skills/greet/SKILL.md")
    write(
        "---\ndescription: Finds fault.\ntools: Read, Grep\nmodel: small\n---\nYou find fault.\n",
        "profiles/careful/agents/critic.md",
    )
    write("Ship it.", "profiles/careful/commands/ship.md")
    run = write("#!/bin/sh\n", "profiles/careful/files/bin/run")
    run.chmod(0o755)
    loaded = load(
        AGENT + 'profile = "careful"\napproval = "deny"\n[profiles.careful]\nmodel = "small"\napproval = "auto"\n'
    )
    careful = loaded.profiles["careful"]
    assert (careful.instructions, careful.model, careful.instructions_file) == ("Brief.", "small", "The house.")
    assert [skill.name for skill in careful.skills] == ["review", "greet"]
    assert careful.subagents == (
        Subagent(
            name="critic", description="Finds fault.", prompt="You find fault.", model="small", tools=("Read", "Grep")
        ),
    )
    assert careful.commands == (ProfileCommand(name="ship", prompt="Ship it."),)
    assert careful.files == (ProfileFile(path="bin/run", content=b"#!/bin/sh\n", executable=True),)
    assert loaded.agents[0].approval is Approval.DENY
    assert set(loaded.profiles) == {"careful"}, "the other directory holds nothing of a profile"


def test_a_profile_may_say_where_its_directory_is(load, write):
    write('instructions = "From afar."', "elsewhere/profile.toml")
    assert load('[profiles.p]\npath = "elsewhere"').profiles["p"].instructions == "From afar."


def test_the_paths_of_a_profile_begin_beside_the_configuration_wherever_the_command_is_given(
    write, registry, tmp_path, monkeypatch
):
    write("The house.", "house.md")
    write("a", "workspace/a.md")
    write(SKILL, "review/SKILL.md")
    file = write("[profiles.p]\ninstructions_file = 'house.md'\nfiles_from = 'workspace'\nskills = ['review']")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = config.load(file, registry=registry).profiles["p"]
    assert (found.instructions_file, len(found.files), len(found.skills)) == ("The house.", 1, 1)
    file.write_text("[profiles.p]\ninstructions_file = 'house.md'")
    assert config.load(file, registry=registry).profiles["p"].instructions_file == "The house."


def test_every_problem_of_every_profile_is_told_at_once_each_with_the_file_that_says_it(load, write, tmp_path):
    write('modle = "big"\nskills = ["nowhere"]\n', "profiles/careful/profile.toml")
    write("no head", "profiles/careful/agents/critic.md")
    found = problems(load, AGENT + 'profile = "carfull"\n[profiles.other]\napproval = "maybe"\n')
    text = "\n".join(found)
    assert (
        f"{tmp_path}/profiles/careful/profile.toml: profiles.careful.modle: unknown key; did you mean 'model'?" in text
    )
    assert f"{tmp_path}/profiles/careful/profile.toml: profiles.careful.skills[0]: " in text
    assert "nowhere holds no SKILL.md" in text
    assert f"{tmp_path}/profiles/careful/agents/critic.md: profiles.careful.subagents.critic" in text
    assert f"{tmp_path}/relaykit.toml: profiles.other.approval: 'maybe' is not one of" in text
    assert "there is no profile 'carfull'; did you mean 'careful'?" in text
    assert len(found) == 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("skills = ['x']", "x holds no SKILL.md"),
        ("plugins = ['x']", "x holds no plugin"),
        ("needs = ['']", "needs[0]"),
        ("path = 'x'", "x is no directory; create it, or name another"),
        ("instructions_file = 'x.md'", "x.md cannot be read: No such file or directory"),
        ("files_from = 'x'", "x is no directory"),
        ("files.'../x' = ''", "'../x' leads out of the workspace; name a file below it"),
        ("files.'/x' = ''", "'/x' leads out of the workspace"),
        ("files.'x/' = ''", "'x/' is no path of a file"),
        ("env.RELAYKIT_HOME = 'x'", "variables that begin with RELAYKIT_ are the relay's own"),
        ("env.'a b' = 'x'", "'a b' is not the name of a variable"),
        ("env.API_KEY = 'sk-1'", "a secret does not belong in a configuration"),
        ("env.A = 3", "3 does not fit; a string or a table belongs here"),
        ("mcp_servers.x.headers = {}", "a server has either a command or a url"),
        ("mcp_servers.x = { url = 'http://h', command = ['x'] }", "a server has either a command or a url"),
        ("mcp_servers.x = { url = 'http://h', env = {} }", "it is for a server with a command; this one has a url"),
        ("mcp_servers.x = { command = ['x'], headers = {} }", "it is for a server with a url; this one has a command"),
        ("mcp_servers.x = { url = 'gopher://h' }", "'gopher://h' is not a URL"),
        ("mcp_servers.x = { url = 'http://h', headers = { Authorization = 'Bearer x' } }", "a secret does not belong"),
        ("hooks = [{ event = 'Stop' }]", "'command' is missing"),
        ("subagents.x.prompt = 'x'", "'description' is missing"),
        ("base = 'alone'", "'alone' is not one of host, isolated"),
    ],
)
def test_a_problem_of_a_profile_names_its_place_and_the_remedy(load, tmp_path, text, problem):
    (line,) = problems(load, f"[profiles.p]\n{text}")
    assert line.startswith(f"{tmp_path}/relaykit.toml: profiles.p")
    assert problem in line
    assert "sk-1" not in line


def test_files_of_a_profile_that_are_no_toml_or_have_no_end_are_told_together(load, write, tmp_path):
    write("= 3", "profiles/one/profile.toml")
    write("---\nname: x\n", "profiles/two/agents/x.md")
    found = problems(load, "")
    assert [line.partition(": ")[0].split(":")[0] for line in found] == [
        f"{tmp_path}/profiles/one/profile.toml",
        f"{tmp_path}/profiles/two/agents/x.md",
    ]


def test_a_link_out_of_a_skill_is_refused(load, write, tmp_path):
    write(SKILL, "skills/review/SKILL.md")
    tmp_path.joinpath("skills/review/passwd").symlink_to("/etc/passwd")
    (line,) = problems(load, "[profiles.p]\nskills = ['skills/review']")
    assert "passwd is a link out of" in line


@pytest.mark.parametrize("place", ["skills/review", "profiles/p/files"])
def test_a_link_to_a_directory_is_refused_and_not_left_out_in_silence(load, write, tmp_path, place):
    write(SKILL, f"{place}/SKILL.md")
    write("", "shared/notes.md")
    tmp_path.joinpath(place, "linked").symlink_to(tmp_path / "shared")
    write("skills = ['../../skills/review']" if "skills" in place else "", "profiles/p/profile.toml")
    (line,) = problems(load, "")
    assert "linked is a link to a directory" in line


def test_what_a_directory_says_is_shown_with_its_file(load, write, registry, tmp_path):
    file = write('model = "big"', "profiles/careful/profile.toml")
    load("")
    found = {setting.path: setting for setting in config.settings(config.read(), registry)}
    assert found["profiles", "careful", "model"].origin == str(file)
