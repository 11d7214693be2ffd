"""Profiles that are directories: nothing that one of their files says is lost without a word."""

from __future__ import annotations

import pytest

from relaykit import config
from relaykit.errors import ConfigError
from relaykit.model import Subagent

pytestmark = pytest.mark.parity("SR-9")
MINE = "[profiles.p.subagents.mine]\ndescription = 'd'\nprompt = 'p'\n"


def problems(load, text=""):
    with pytest.raises(ConfigError) as caught:
        load(text)
    return caught.value.problems


def test_of_a_table_the_configuration_and_the_directory_may_both_say_some(load, write, registry, tmp_path):
    toml = write(
        """
        [env]
        FIRST = "directory"
        SECOND = "directory"
        [files]
        "a.md" = "a"
        [subagents.theirs]
        description = "d"
        prompt = "p"
        [mcp_servers.one]
        url = "https://one.example"
        """,
        "profiles/p/profile.toml",
    )
    prompt = write("---\ndescription: d\n---\np\n", "profiles/p/agents/critic.md")
    write("Ship it.", "profiles/p/commands/ship.md")
    said = (
        MINE + "[profiles.p.env]\nSECOND = 'own'\nTHIRD = 'own'\n[profiles.p.files]\n'b.md' = 'b'\n"
        "[profiles.p.commands.go]\nprompt = 'Go.'\n[profiles.p.mcp_servers.two]\nurl = 'https://two.example'\n"
    )
    p = load(said).profiles["p"]
    assert p.env == {"FIRST": "directory", "SECOND": "own", "THIRD": "own"}
    assert {one.name for one in p.subagents} == {"theirs", "critic", "mine"}
    assert {one.name for one in p.commands} == {"ship", "go"}
    assert {one.name for one in p.mcp_servers} == {"one", "two"}
    assert {one.path for one in p.files} == {"a.md", "b.md"}
    found = {setting.path[2:]: setting.origin for setting in config.settings(config.read(), registry)}
    assert (found["env", "FIRST"], found["env", "SECOND"]) == (str(toml), str(tmp_path / "relaykit.toml"))
    assert found["subagents", "critic", "description"] == str(prompt)


def test_an_entry_of_the_configuration_comes_before_that_of_the_directory_as_a_whole(load, write, tmp_path):
    write("---\ndescription: d\nmodel: big\n---\np\n", "profiles/p/agents/mine.md")
    assert load(MINE).profiles["p"].subagents == (Subagent(name="mine", description="d", prompt="p"),)
    (line,) = problems(load, MINE + "colour = 'red'\n")
    assert line.startswith(f"{tmp_path}/relaykit.toml: profiles.p.subagents.mine.colour: unknown key")


@pytest.mark.parametrize(
    ("said", "other", "key"),
    [
        ("instructions_file = 'other.md'", "instructions.md", "instructions_file"),
        ("files_from = 'other'", "files/a.md", "files_from"),
        ("subagents.a = { description = 'd', prompt = 'p' }", "agents/a.md", "subagents.a"),
        ("commands.a.prompt = 'p'", "commands/a.md", "commands.a"),
    ],
)
def test_what_two_files_of_a_directory_say_is_a_problem_that_names_both(load, write, said, other, key):
    toml = write(said, "profiles/p/profile.toml")
    path = write("---\ndescription: d\n---\np\n", f"profiles/p/{other}")
    (line,) = problems(load)
    place = path.parent if key == "files_from" else path
    assert line == f"{place}: {key} stands in {toml}, too; leave one of them out"


@pytest.mark.parametrize(
    ("file", "head", "lost"),
    [
        ("agents/a.md", "disallowedTools: Write\npermissionMode: plan", "'disallowedTools', 'permissionMode'"),
        ("agents/a.md", "maxTurns: 3", "'maxTurns'"),
        ("commands/a.md", "allowed-tools: Bash\nmodel: big", "'allowed-tools', 'model'"),
    ],
)
def test_what_would_be_lost_of_a_head_is_a_problem_that_names_it(load, write, file, head, lost):
    path = write(f"---\ndescription: d\n{head}\n---\np\n", f"profiles/p/{file}")
    (line,) = problems(load)
    assert line.startswith(f"{path}: {lost} in its head would be lost, where name, description")


@pytest.mark.parametrize(
    ("tools", "meant"),
    [
        ("tools:\n  - Read\n  - Grep", ("Read", "Grep")),
        ("tools:\n- Bash(git log:*)", ("Bash(git log:*)",)),
        ("tools: Read, Grep", ("Read", "Grep")),
        ("tools: []", ()),
        ("tools:", None),
    ],
)
def test_the_tools_of_a_subagent_are_read_however_they_are_listed(load, write, tools, meant):
    write(f"---\ndescription: d\n{tools}\n---\np\n", "profiles/p/agents/a.md")
    (subagent,) = load().profiles["p"].subagents
    assert subagent.tools == meant


def test_a_table_or_a_list_that_is_none_is_told_by_the_check(load, write):
    write("subagents = 3\nskills = 'x'\n", "profiles/p/profile.toml")
    write("---\ndescription: d\n---\np\n", "profiles/p/agents/a.md")
    write("---\nname: s\ndescription: d\n---\np\n", "profiles/p/skills/s/SKILL.md")
    text = "\n".join(problems(load))
    assert "profiles.p.subagents: 3 does not fit" in text
    assert "profiles.p.skills: 'x' does not fit" in text


@pytest.mark.parametrize(("file", "head"), [("agents/a.md", "color: red"), ("commands/a.md", "argument-hint: x")])
def test_what_a_head_says_to_menus_alone_keeps_no_profile_out(load, write, file, head):
    write(f"---\ndescription: d\n{head}\n---\np\n", f"profiles/p/{file}")
    (profile,) = load("").profiles.values()
    assert [(one.name, one.description) for one in (*profile.subagents, *profile.commands)] == [("a", "d")]
