from __future__ import annotations

import os
import shutil
import signal

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import (
    BlockDelta,
    Mode,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    TurnEnded,
    TurnJoined,
    Whose,
)
from relaykit.testing.codex_home import write_codex_home

pytestmark = [pytest.mark.anyio, pytest.mark.live]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parity("AR-18", "N-6")
async def test_a_session_goes_on_where_it_was_left(codex, stub):
    async with codex.open() as talk:
        await talk.turn("say:the word is rhubarb")
    async with codex.open(resume=talk.session.id) as again:
        assert again.session.id == talk.session.id
        assert (await again.turn("say:and on")).text == "and on"
    asked = [entry["body"] for entry in stub.requests() if entry.get("step") == "say:and on"][-1]
    assert "the word is rhubarb" in str(asked["input"])


async def test_what_was_spent_before_is_not_told_again(codex):
    async with codex.open() as talk:
        await talk.turn("burn:5000|first")
    async with codex.open(resume=talk.session.id) as again:
        await again.turn("say:second")
    assert [what.input_tokens for what in again.heard if what.kind == "usage"] == [100]


@pytest.mark.parity("AR-18")
async def test_history_tells_every_turn_of_another_session(codex):
    async with codex.open() as talk:
        turns = [
            await talk.turn("say:one"),
            await talk.turn("failed:context_length_exceeded"),
            await talk.turn("say:3"),
        ]
    async with codex.open() as other:
        past = await other.session.history(talk.session.id)
    assert [(turn.id, turn.submissions, turn.outcome, turn.text) for turn in past] == [
        (turn.turn, turn.submissions, turn.outcome, turn.text) for turn in turns
    ]
    assert [turn.worked for turn in past] == [True, False, True]
    assert [turn.fault and turn.fault.whose for turn in past] == [None, Whose.TURN, None]


async def test_history_of_many_turns_is_whole_and_in_order(codex):
    async with codex.open() as talk:
        turns = [(await talk.turn(f"say:{number}")).turn for number in range(25)]
        past = await talk.session.history(talk.session.id)
    assert [turn.id for turn in past] == turns


@pytest.mark.parametrize("session", ["01a1f84d-4177-7c01-92dc-47d946ad0368", "no such thread"])
async def test_a_session_that_is_not_known_has_no_history_and_cannot_go_on(codex, session):
    async with codex.open() as talk:
        assert await talk.session.history(session) is None
    with pytest.raises(ProviderError) as caught:
        async with codex.open(resume=session):
            pass
    assert (caught.value.fault.whose, caught.value.fault.code) == (Whose.AGENT, "session_not_found")


async def test_the_death_of_the_process_ends_its_turn_and_the_stream(codex):
    async with codex.open() as talk:
        submission = await talk.send("gate:never-opened:text that breaks off")
        await talk.until(BlockDelta)
        os.kill(talk.session.pid, signal.SIGKILL)
        ended = await talk.until(TurnEnded)
        assert (ended.outcome, ended.by, ended.submissions) == (Outcome.INTERRUPTED, "process", (submission,))
        assert ended.fault.whose is Whose.PROCESS
        assert "exit code -9" in ended.fault.message
        with pytest.raises(anyio.EndOfStream):
            await talk.session.events.receive()
        with pytest.raises(ProviderError, match="exit code -9"):
            await talk.session.submit("say:too late", "late", Mode.OWN)


async def test_a_turn_that_died_is_in_the_history_with_our_submission(codex):
    async with codex.open() as talk:
        submission = await talk.send("gate:never-opened:text that breaks off")
        await talk.until(BlockDelta)
        os.kill(talk.session.pid, signal.SIGKILL)
        await talk.until(TurnEnded)
    async with codex.open(resume=talk.session.id) as again:
        (past,) = await again.session.history(talk.session.id)
        assert (past.submissions, past.outcome, past.worked) == ((submission,), Outcome.INTERRUPTED, False)
        assert (await again.turn("say:go on")).text == "go on"


async def test_a_question_that_was_open_when_the_process_died_is_withdrawn(codex):
    async with codex.open() as talk:
        await talk.send("esc:true;;say:x")
        question = (await talk.until(PermissionAsked)).question
        os.kill(talk.session.pid, signal.SIGKILL)
        await talk.until(TurnEnded)
    assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key, withdrawn=True)]


@pytest.mark.parametrize("attempt", range(3))
async def test_a_turn_that_died_at_once_never_claims_what_was_not_written(codex, attempt):
    async with codex.open() as talk:
        submission = await talk.send("gate:never-opened:text")
        os.kill(talk.session.pid, signal.SIGKILL)
        with anyio.fail_after(10):
            heard = [what async for what in talk.session.events]
    async with codex.open() as another:
        past = await another.session.history(talk.session.id)
    assert past is not None
    assert [name for turn in past for name in turn.submissions] in ([], [submission])
    assert all(turn.outcome is Outcome.INTERRUPTED and not turn.worked for turn in past)
    if any(isinstance(what, TurnJoined) for what in heard):
        assert [what.by for what in heard if isinstance(what, TurnEnded)] == ["process"]


async def test_a_session_that_took_nothing_has_an_empty_history_and_cannot_go_on(codex):
    async with codex.open() as talk:
        pass
    async with codex.open() as another:
        assert await another.session.history(talk.session.id) == ()
    with pytest.raises(ProviderError, match="no rollout found") as caught:
        async with codex.open(resume=talk.session.id):
            pass
    assert caught.value.fault.code == "session_not_found"


async def test_a_session_that_took_something_and_is_gone_has_no_history(codex):
    async with codex.open() as talk:
        await talk.turn("say:hello")
    shutil.rmtree(codex.home / "sessions")
    async with codex.open() as another:
        assert await another.session.history(talk.session.id) is None


async def test_a_thread_has_one_writer(codex):
    async with codex.open() as talk:
        await talk.turn("say:mine")
        with pytest.raises(ProviderError, match="active writer"):
            async with codex.open(resume=talk.session.id):
                pass


async def test_a_broken_configuration_is_said_in_one_line(codex, stub):
    (codex.home / "config.toml").write_text("this is = no [toml", encoding="utf-8")
    with pytest.raises(ProviderError, match=r"config\.toml:1:6") as caught:
        async with codex.open():
            pass
    assert caught.value.fault.code == "config"
    assert "\n" not in str(caught.value)


async def test_a_setting_that_codex_does_not_know_is_said_too(codex, stub):
    write_codex_home(codex.home, stub.base_url)
    with (codex.home / "config.toml").open("a", encoding="utf-8") as config:
        config.write("\n[sandbox_workspace_wriet]\nnetwork_access = false\n")
    with pytest.raises(ProviderError, match="sandbox_workspace_wriet"):
        async with codex.open():
            pass


async def test_what_the_configuration_allows_beyond_is_taken_back(codex, stub):
    beyond = codex.home / "beyond"
    beyond.mkdir()
    with (codex.home / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f'\n[sandbox_workspace_write]\nnetwork_access = true\nwritable_roots = ["{beyond}"]\n')
    async with codex.open() as talk:
        await talk.turn(f"exec:touch {beyond}/file;;say:tried")
        assert not list(beyond.iterdir())
    async with codex.open(options={"writable": [str(beyond)]}) as talk:
        await talk.turn(f"exec:touch {beyond}/file;;say:tried")
        assert list(beyond.iterdir())


async def test_without_a_sign_in_it_says_how_to_get_one(codex):
    (codex.home / "config.toml").write_text("check_for_update_on_startup = false\n", encoding="utf-8")
    with pytest.raises(ProviderError, match="codex login") as caught:
        async with codex.open():
            pass
    assert (caught.value.fault.whose, caught.value.fault.code) == (Whose.AGENT, "unauthorized")


async def test_a_credential_signs_in_without_leaving_a_trace(codex, stub, monkeypatch):
    monkeypatch.setenv("CODEX_ACCESS_TOKEN", "which codex would take before any key")
    config = f'model = "gpt-5.5"\nopenai_base_url = "{stub.base_url}"\ncheck_for_update_on_startup = false\n'
    (codex.home / "config.toml").write_text(config, encoding="utf-8")
    async with codex.open(options={"credential": "key"}) as talk:
        ended = await talk.turn("say:signed in")
        assert ended.text == "signed in"
        command = f"/proc/{talk.session.pid}/cmdline"
        assert b"nobody-may-see" not in await anyio.Path(command).read_bytes()
    asked = [entry for entry in stub.requests() if entry.get("step") == "say:signed in"][-1]
    assert asked["headers"]["authorization"] == "Bearer sk-a-key-that-nobody-may-see"
    assert "nobody-may-see" not in str(talk.heard)
    assert (codex.home / "auth.json").stat().st_mode & 0o777 == 0o600
