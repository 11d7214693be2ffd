"""What the real codex cannot be had to do: be old, take other settings, say nonsense, stay silent."""

from __future__ import annotations

import json

import anyio
import pytest

from relaykit.errors import ConfigError, CredentialError, ProviderError
from relaykit.model import Approval, Mode, Outcome, ProviderNote, TurnEnded, TurnStarted, Whose
from relaykit_codex.handshake import check_version
from relaykit_codex.launch import find_codex

TERMINATE = "thread/backgroundTerminals/terminate"


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def refused(fake, *, options=None, approval=Approval.ASK, **behaviour):
    with anyio.fail_after(10), pytest.raises(ProviderError) as caught:
        async with fake.open(env=fake.told(**behaviour), options=options, approval=approval):
            pass
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.anyio
async def test_the_oldest_supported_version_is_taken(fake):
    async with fake.open(env=fake.told(version="0.163.0")) as talk:
        assert talk.session.id == "thread-1"
        assert talk.provider.capabilities.join


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["0.162.9", "0.99.100", "0.0.0"])
async def test_an_older_version_is_refused_with_the_remedy(fake, version):
    error = await refused(fake, version=version)
    assert error.fault.whose is Whose.AGENT
    assert str(error) == f"codex {version} is too old; install 0.163.0 or newer, or set the option command"


@pytest.mark.parametrize("agent", ["relaykit/0.163.0 (Debian)", "x/0.169.0-alpha.3 (mac)", "relaykit/1.0.0"])
def test_a_version_is_read_from_the_user_agent(agent):
    check_version(agent)


@pytest.mark.anyio
async def test_a_program_that_tells_no_version_is_refused(fake):
    assert "does not tell its version" in str(await refused(fake, agent="something else"))


@pytest.mark.anyio
async def test_without_a_sign_in_it_is_refused_with_the_remedy(fake):
    error = await refused(fake, account={"account": None, "requiresOpenaiAuth": True})
    assert f"run `CODEX_HOME={fake.home} codex login`" in str(error)
    assert error.fault.code == "unauthorized"


@pytest.mark.anyio
async def test_a_chosen_model_provider_needs_no_openai_sign_in(fake):
    behaviour = fake.told(account={"account": None, "requiresOpenaiAuth": True})
    async with fake.open(env=behaviour, options={"model_provider": "local"}) as talk:
        assert talk.session.id


@pytest.mark.anyio
async def test_a_warning_of_the_configuration_is_refused(fake):
    error = await refused(fake, warning={"summary": "Invalid configuration; using defaults.", "details": "line\n1"})
    assert "Invalid configuration; using defaults. line 1" in str(error)
    assert error.fault.code == "config"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "summary",
    [
        "Codex could not find bubblewrap on PATH. Codex will use the bundled bubblewrap in the meantime.",
        "Project-local config, hooks, and exec policies are disabled in the following folders until …",
    ],
)
async def test_a_warning_that_widens_nothing_is_a_note(fake, summary):
    async with fake.open(env=fake.told(warning={"summary": summary})) as talk:
        note = await talk.until(ProviderNote)
    assert note.data["summary"] == summary


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"echo": {"cwd": "/elsewhere"}}, "cwd is '/elsewhere'"),
        ({"echo": {"approvalPolicy": "never"}}, "approvalPolicy is 'never', not 'on-request'"),
        ({"echo": {"approvalPolicy": {"granular": {}}}}, "approvalPolicy is {'granular': {}}"),
        ({"echo": {"approvalsReviewer": "auto_review"}}, "approvalsReviewer is 'auto_review', not 'user'"),
        ({"echo": {"model": "another"}}, "model is 'another', not 'mine'"),
        ({"echo": {"modelProvider": "another"}}, "modelProvider is 'another', not 'local'"),
        ({"echo": {"reasoningEffort": "ultra"}}, "reasoningEffort is 'ultra', not 'low'"),
        ({"sandbox": {"type": "dangerFullAccess"}}, "sandbox is 'dangerFullAccess', not 'workspaceWrite'"),
        ({"sandbox": {"networkAccess": True}}, "network is True, not False"),
        ({"sandbox": {"writableRoots": ["/"]}}, "writable is ['/'], not []"),
    ],
)
async def test_settings_that_codex_did_not_take_are_refused(fake, behaviour, said):
    options = {"model": "mine", "model_provider": "local", "effort": "low"}
    error = await refused(fake, options=options, **behaviour)
    assert said in str(error)
    assert error.fault.code == "settings"


@pytest.mark.anyio
async def test_read_only_is_compared_too(fake):
    error = await refused(fake, approval=Approval.READ_ONLY, sandbox={"type": "workspaceWrite"})
    assert "sandbox is 'workspaceWrite', not 'readOnly'" in str(error)


@pytest.mark.anyio
async def test_a_program_that_does_not_answer_is_given_up(fake):
    error = await refused(fake, options={"request_timeout": 0.2}, silent=["initialize"])
    assert str(error) == "codex did not answer initialize within 0.2 seconds"


@pytest.mark.anyio
async def test_a_program_that_ends_at_once_is_told_with_its_last_words(fake):
    error = await refused(fake, die=True)
    assert str(error) == "codex ended with exit code 7: no room for a database"
    assert error.fault.whose is Whose.PROCESS


@pytest.mark.anyio
async def test_the_addresses_of_a_crash_are_no_last_words(fake):
    words = "Error: the database is locked\n\nStack backtrace:\n   0: <unknown>\n   1: <unknown>\n"
    with pytest.raises(ProviderError, match="exit code 7: Error: the database is locked"):
        async with fake.open(env=fake.told(die=True, last_words=words)):
            pass


@pytest.mark.anyio
async def test_a_death_in_a_turn_ends_it_and_shows_no_key(fake):
    async with fake.open(env=fake.told(die_in_turn=True)) as talk:
        submission = await talk.send("hello")
        ended = await talk.until(TurnEnded)
        with pytest.raises(anyio.EndOfStream):
            await talk.session.events.receive()
    assert (ended.outcome, ended.by, ended.submissions) == (Outcome.INTERRUPTED, "process", (submission,))
    assert ended.fault.message == "codex ended with exit code 3: the last words, with sk-***"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "method",
    [
        "item/permissions/requestApproval",
        "item/tool/requestUserInput",
        "item/tool/call",
        "execCommandApproval",
        "applyPatchApproval",
        "mcpServer/elicitation/request",
        "account/chatgptAuthTokens/refresh",
        "something/nobody/knows",
    ],
)
async def test_a_request_that_is_not_known_is_refused_and_told(fake, method):
    line = json.dumps({"id": 0, "method": method, "params": {"threadId": "thread-1", "turnId": "turn-1"}})
    async with fake.open(env=fake.told(during_turn=[line])) as talk:
        await talk.send("hello")
        note = await talk.until(ProviderNote, name="refused")
        answered = await talk.until(ProviderNote, name="answered")
    assert note.data["method"] == method
    assert answered.data["message"] == {
        "id": 0,
        "error": {"code": -32600, "message": f"relaykit does not answer {method}"},
    }


@pytest.mark.anyio
async def test_lines_that_are_no_messages_are_told_and_passed_over(fake):
    ended = {"threadId": "thread-1", "turn": {"id": "turn-1", "status": "completed"}}
    lines = ["not JSON", "[1]", '{"id": 99, "result": {}}', json.dumps({"method": "turn/completed", "params": ended})]
    async with fake.open(env=fake.told(during_turn=lines)) as talk:
        await talk.turn("hello")
    reasons = [note.data["reason"] for note in talk.all(ProviderNote) if note.name == "unreadable"]
    assert reasons == [
        "a line that is no JSON",
        "a line that is no JSON object",
        "an answer to nothing that was asked",
    ]


@pytest.mark.anyio
async def test_a_turn_that_codex_never_ends_is_not_started_twice(fake):
    async with fake.open(options={"request_timeout": 0.3}) as talk:
        await talk.send("hello")
        with pytest.raises(ProviderError, match="busy with another turn") as caught:
            await talk.session.submit("and again", "second", Mode.OWN)
    assert caught.value.fault.whose is Whose.AGENT


@pytest.mark.anyio
async def test_the_commands_of_the_next_turn_are_not_ended_with_those_of_one_that_was_cut_off(fake):
    async with fake.open(env=fake.told(commands=["of-turn-2", "of-turn-1"])) as talk:
        await talk.send("hello")
        await talk.until(TurnStarted)
        await talk.session.interrupt()
        await talk.until(TurnEnded)
        await talk.send("go on")
        await talk.until(ProviderNote, data={"method": TERMINATE, "process": "of-turn-1"})
    assert {"method": TERMINATE, "process": "of-turn-2"} not in [note.data for note in talk.all(ProviderNote)]


@pytest.mark.anyio
async def test_a_turn_is_asked_to_end_once_however_often_one_interrupts(fake):
    async with fake.open() as talk:
        await talk.send("hello")
        for _ in range(3):
            await talk.session.interrupt()
        assert await talk.session.history("thread-1") is None  # answered after all that was asked before it
        with anyio.fail_after(10):
            while len(talk.session.events):
                talk.heard.append(await talk.session.events.receive())
    assert [note.data for note in talk.all(ProviderNote)] == [{"method": "turn/interrupt"}]


@pytest.mark.anyio
async def test_nothing_is_taken_once_the_session_was_left(fake):
    async with fake.open() as talk:
        session = talk.session
    with pytest.raises(ProviderError, match="closed"):
        await session.submit("too late", "late", Mode.OWN)


@pytest.mark.anyio
async def test_what_goes_wrong_in_a_session_comes_out_as_itself(fake):
    with pytest.raises(ZeroDivisionError):
        async with fake.open():
            _ = 1 / 0


@pytest.mark.anyio
async def test_a_private_home_is_the_agents_own(fake):
    async with fake.open(options={"codex_home": "private"}) as talk:
        environment = await anyio.Path(f"/proc/{talk.session.pid}/environ").read_bytes()
    home = fake.context.home / "codex"
    assert f"CODEX_HOME={home}".encode() in environment.split(b"\0")
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.anyio
async def test_a_credential_never_replaces_the_users_own_sign_in(fake):
    with pytest.raises(ConfigError, match="credential"):
        async with fake.open(options={"credential": "key", "codex_home": "shared"}):
            pass


@pytest.mark.anyio
async def test_a_credential_that_nobody_has_is_an_error_of_its_own(fake):
    with pytest.raises(CredentialError):
        async with fake.open(options={"credential": "no such"}):
            pass


def test_a_codex_that_is_not_there_is_refused_with_the_remedy():
    with pytest.raises(ProviderError, match="set the option command") as caught:
        find_codex("/no/such/codex")
    assert caught.value.fault.whose is Whose.AGENT


def test_without_codex_on_the_path_the_bundled_one_is_taken(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_codex(None).endswith("codex")


def test_without_any_codex_it_says_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("relaykit_codex.launch.BUNDLED", "no_such_package")
    with pytest.raises(ProviderError, match="install it"):
        find_codex(None)


def test_codex_on_the_path_comes_before_the_bundled_one(monkeypatch, tmp_path):
    program = tmp_path / "codex"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_codex(None) == str(program)
