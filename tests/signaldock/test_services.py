"""Who the transport is, that it is there, and that nothing of it is left."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import ConfigError, CredentialError, TransportError
from relaykit.model import Credential, Secret
from relaykit.testing.clock import settle
from relaykit.testing.contexts import make_context
from relaykit.testing.dock import error
from relaykit.testing.memory_credentials import MemoryCredentials
from relaykit_signaldock.account import find_account
from relaykit_signaldock.check import check
from relaykit_signaldock.options import OPTIONS_SCHEMA, Options

pytestmark = pytest.mark.anyio


@pytest.mark.parity("CR-5")
async def test_it_is_online_from_the_start_says_so_at_its_interval_and_goes_offline_last(bench):
    async with bench.open(mode="http"):
        await bench.dock.until(lambda: bench.dock.statuses == ["online"])
        await bench.clock.advance(29)
        assert bench.dock.statuses == ["online"]
        await bench.clock.advance(1)
        await bench.dock.until(lambda: bench.dock.statuses == ["online", "online"])
    assert bench.dock.statuses == ["online", "online", "offline"]
    assert str(bench.dock.requests[-1]) == "PUT /agents/bob/status"


@pytest.mark.parity("CR-5")
async def test_no_sign_of_life_is_sent_where_it_is_turned_off(bench):
    async with bench.open(mode="http", heartbeat_seconds=0):
        for _ in range(5):
            await bench.clock.advance(30)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) > 1)
    assert bench.dock.statuses == ["offline"]


async def test_signs_of_life_that_are_not_heard_are_told_of_once_and_a_failing_goodbye_hinders_nothing(bench):
    bench.dock.on("POST /agents/bob/heartbeat", error(500), error(500), error(500))
    bench.dock.on("PUT /agents/bob/status", error(500))
    async with bench.open(mode="http"):
        for count in range(1, 5):
            await bench.dock.until(lambda count=count: len(bench.dock.said("POST /agents/bob/heartbeat")) == count)
            await bench.clock.advance(30)
    assert len([line for line in bench.reports if "no sign of life is heard" in line]) == 1
    assert any("was not heard" in line for line in bench.reports)


@pytest.mark.parity("CR-8")
@pytest.mark.parametrize("mode", ["http", "auto"])
async def test_leaving_it_ends_every_task_and_every_connection(bench, mode):
    before = {task.id for task in anyio.get_running_tasks()}
    async with bench.open(mode=mode):
        await bench.dock.until(lambda: bool(bench.dock.said("GET /messages/peek")))
        names = {task.name for task in anyio.get_running_tasks() if task.id not in before}
        assert {"dock: heartbeat", "dock: key rotation", "dock: poller"} <= names
    await bench.dock.until(lambda: bench.dock.connections == 0)
    await settle()
    assert {task.id for task in anyio.get_running_tasks()} <= before


@pytest.mark.parity("CR-8")
async def test_an_error_of_whoever_uses_it_comes_out_as_it_was_and_it_goes_offline(bench):
    with pytest.raises(LookupError, match="mine"):
        async with bench.open(mode="http"):
            raise LookupError("mine")
    assert bench.dock.statuses[-1] == "offline"


def record(agent: str = "bob", **more: object) -> Credential:
    fields = {"agentId": agent, "apiBaseUrl": "http://127.0.0.1:1", **more}
    return Credential(secret=Secret("sk_live_x"), kind="signaldock", fields=fields)


async def found(tmp_path, credentials, **options):
    context = make_context(tmp_path, name="dock", credentials=MemoryCredentials(credentials))
    return (await find_account(Options.read(options), context))[0], context.credentials


@pytest.mark.parity("CR-1")
async def test_the_credential_that_was_used_last_is_the_default_and_using_it_counts(tmp_path):
    kept = {
        "one": record("a"),
        "two": record("b"),
        "three": record("c", isActive=False),
        "other": Credential(secret=Secret("x")),
    }
    credentials = MemoryCredentials(kept)
    context = make_context(tmp_path, name="dock", credentials=credentials)
    for name in ("two", "one", "three", "other"):
        await credentials.mark_used(name)
    assert (await find_account(Options.read({}), context))[0].agent == "a"
    assert credentials.uses[-1] == "one"
    assert (await find_account(Options.read({"agent": "b"}), context))[0].credential == "two"
    assert (await find_account(Options.read({"credential": "three"}), context))[0].agent == "c"


async def test_options_come_before_what_the_credential_says(tmp_path):
    fields = {"transportConfig": {"pollIntervalMs": 1500, "sseEndpoint": "http://127.0.0.1:1/sse"}}
    account, _ = await found(tmp_path, {"dock": record(**fields)})
    assert (account.agent, account.url, account.poll_seconds, account.stream_path) == (
        *("bob", "http://127.0.0.1:1", 1.5, "/sse"),
    )
    account, _ = await found(
        tmp_path,
        {"dock": record(transportConfig={})},
        url="http://localhost:2/v1/",
        agent="eve",
        credential="dock",
        poll_seconds=9,
    )
    assert (account.agent, account.url, account.poll_seconds) == ("eve", "http://localhost:2/v1", 9)


@pytest.mark.parametrize(
    ("kept", "options", "why"),
    [
        ({}, {}, "no active credential of kind signaldock"),
        ({"dock": record(isActive=False)}, {}, "no active credential"),
        ({"dock": record("eve")}, {"agent": "bob"}, "for bob"),
        ({"dock": replace(record(), kind="openai")}, {"credential": "dock"}, "of kind 'openai'"),
        ({"dock": record(privacyTier="loud")}, {}, "privacyTier"),
        ({"dock": record(skills="a")}, {}, "skills"),
        ({"dock": record(apiBaseUrl="ftp://x")}, {}, "apiBaseUrl"),
        ({"dock": record(transportConfig={"sseEndpoint": "http://elsewhere/x"})}, {}, "another server"),
        ({"dock": replace(record(), secret=Secret("sk_live x\r\nHost: y"))}, {}, "the key holds what no key does"),
    ],
)
async def test_a_credential_that_does_not_fit_is_refused_and_its_key_not_shown(tmp_path, kept, options, why):
    with pytest.raises(CredentialError, match=why) as caught:
        await found(tmp_path, kept, **options)
    assert "sk_live" not in str(caught.value)


async def test_a_plain_secret_needs_the_options_to_say_the_rest(tmp_path):
    plain = {"dock": Credential(secret=Secret("sk_live_x"))}
    with pytest.raises(ConfigError, match=r"dock\.agent"):
        await found(tmp_path, plain, credential="dock")
    with pytest.raises(ConfigError, match=r"dock\.url"):
        await found(tmp_path, plain, credential="dock", agent="bob")
    account, _ = await found(tmp_path, plain, credential="dock", agent="bob", url="https://dock.example")
    assert account.url == "https://dock.example"


async def test_a_key_does_not_leave_the_machine_unencrypted_unless_that_is_wanted(tmp_path):
    with pytest.raises(ConfigError, match="allow_http"):
        await found(tmp_path, {"dock": record()}, url="http://dock.example")
    account, _ = await found(tmp_path, {"dock": record()}, url="http://dock.example", allow_http=True)
    assert not account.is_local


@pytest.mark.parity("CR-2", "CR-3", "CR-5", "CR-6")
def test_the_defaults_are_those_that_everybody_knows():
    options = Options.read({})
    assert (options.group_limit, options.heartbeat_seconds, options.key_days) == (15, 30, 30)
    said = {name: about.get("default") for name, about in OPTIONS_SCHEMA["properties"].items()}
    assert (said["poll_seconds"], said["group_limit"], said["heartbeat_seconds"], said["key_days"]) == (5, 15, 30, 30)
    fitting = {name: value for name, value in said.items() if value is not None and name != "poll_seconds"}
    assert Options.read(fitting) == options


async def test_the_doctor_is_told_whether_the_server_answers(dock):
    answers = await anyio.to_thread.run_sync(check, {"url": dock.url})
    assert answers.startswith(f"{dock.url} answers")
    assert (await anyio.to_thread.run_sync(check, {})).startswith("not asked, since its address is in its credential")
    with pytest.raises(TransportError, match="does not answer"):
        await anyio.to_thread.run_sync(check, {"url": "http://127.0.0.1:1"})
