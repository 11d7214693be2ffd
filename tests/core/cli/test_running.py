"""``run``, ``events``, ``sessions``, ``demo``: real relays, on the embedded default."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from relaykit.mailbox import directory
from relaykit.mailbox.door import open_door
from relaykit.mailbox.inboxes import enroll
from relaykit.model import Agent


def ready(process):
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line


@pytest.mark.parity("AR-2", "N-8")
def test_an_ad_hoc_agent_is_named_after_its_provider_and_answers(program):
    with program.start("run", "--provider", "echo") as relay:
        assert re.fullmatch(r"ready echo echo \(pid (-|\d+), session \S+\)\n", ready(relay))
        sent = program("send", "echo", "hello", "--wait", "20")
        assert (sent.code, sent.out) == (0, "echo: hello\n")
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0
    assert program("status", "--json").json["agents"][0]["status"]["kind"] == "offline"


def test_ready_in_json_names_agent_provider_pid_and_session(program):
    words = ["--provider", "echo", "--agent", "anna", "--tag", "a", "--tag", "b", "--label", "l", "--json"]
    with program.start("run", *words) as relay:
        line = json.loads(ready(relay))
        assert set(line) == {"event", "agent", "provider", "pid", "session"}
        assert (line["event"], line["agent"], line["provider"]) == ("ready", "anna", "echo")
        (agent,) = program("agents", "--json").json["agents"]
        assert (agent["tags"], agent["label"]) == (["a", "b"], "l")
        relay.send_signal(signal.SIGINT)
        assert relay.wait(30) == 130
        assert "Traceback" not in relay.stderr.read()


def test_stop_ends_an_agent_and_with_its_last_one_the_relay(program):
    with program.start("run", "--provider", "echo") as relay:
        ready(relay)
        assert program("stop", "echo").code == 0
        assert relay.wait(30) == 0
    assert program("stop", "echo").code == 0


def test_the_second_relay_of_an_agent_ends_with_2_names_the_first_and_leaves_nothing(program, door):
    with program.start("run", "--provider", "echo") as relay:
        ready(relay)
        second = program("run", "--provider", "echo")
        assert second.code == 2
        assert f"process {relay.pid}" in second.err
        assert "--agent" in second.err
        assert [one.pid for one in door.run(directory.relays)] == [relay.pid]


@pytest.mark.parity("AR-2")
def test_configured_agents_run_and_options_of_the_provider_are_read(program):
    (program.cwd / "relaykit.toml").write_text(
        '[agents.one]\nprovider = "echo"\n[agents.two]\nprovider = "echo"\n', encoding="utf-8"
    )
    with program.start("run") as relay:
        assert {ready(relay).split()[1] for _ in range(2)} == {"one", "two"}
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0
    with program.start("run", "--agent", "two", "--option", 'prefix="two: "') as relay:
        assert ready(relay).split()[1] == "two"
        assert program("send", "two", "hello", "--wait", "20").out == "two: hello\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no agent to run"),
        (["--provider", "ecko"], "did you mean 'echo'?"),
        (["--provider", "echo", "--approval", "never"], "approval"),
        (["--provider", "echo", "--option", "x"], "--option"),
        (["--provider", "echo", "--listen", "here"], "'here' is not an address; write 'auto'"),
        (["--provider", "echo", "--cwd", "/no/such/place"], "/no/such/place"),
        (["--tag", "x"], "--agent"),
        (["--config", "missing.toml"], "no such file"),
    ],
)
def test_what_cannot_be_run_ends_with_2_and_says_why(program, words, said):
    ended = program("run", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


@pytest.mark.parity("AR-2")
def test_words_behind_the_dashes_are_the_providers_alone(program):
    ended = program("run", "--provider", "echo", "--approval", "never", "--", "--hepl", "--json")
    assert ended.code == 2
    assert "--hepl" not in ended.err
    assert ended.out == "", "--json behind the dashes is not ours"


def test_an_agent_that_cannot_start_ends_an_ad_hoc_relay_with_the_remedy(program):
    ended = program("run", "--provider", "exec", "--option", 'command=["/no/such/program"]')
    assert ended.code == 1
    assert "/no/such/program" in ended.err
    assert "Traceback" not in ended.err


def test_an_agent_that_cannot_start_is_an_error_in_json_too(program):
    ended = program("run", "--provider", "exec", "--option", 'command=["/no/such/program"]', "--json")
    assert ended.code == ended.json["exit_code"] == 1
    assert "/no/such/program" in ended.json["error"]


def test_a_prompt_that_is_refused_ends_nobody_elses_work(program):
    (program.cwd / "relaykit.toml").write_text(
        '[agents.a]\nprovider = "echo"\n[agents.b]\nprovider = "echo"\nprompt = "begin"\nprofile = "guarded"\n'
        '[profiles.guarded]\nreachable_by = ["tag:lead"]\n'
    )
    with program.start("run") as relay:
        for _ in range(2):
            relay.stdout.readline()
        assert "relaykit: b: its prompt was not put: user may not send to b" in relay.stderr.readline()
        assert program("send", "a", "still here", "--wait", "20").out == "echo: still here\n"


@pytest.mark.parity("AR-2")
def test_a_prompt_is_put_once_the_agent_is_ready(program):
    with program.start("run", "--provider", "echo", "--prompt", "begin") as relay:
        ready(relay)
        assert program("inbox", "--wait", "20").out.endswith("    echo: begin\n")


@pytest.mark.parity("N-9")
def test_events_are_followed_from_a_cursor_and_each_line_carries_one(program):
    with program.start("run", "--provider", "echo") as relay:
        ready(relay)
        program("send", "echo", "first", "--wait", "20")
        kept = program("events", "echo", "--json").lines
        assert [event["cursor"] for event in kept] == sorted({event["cursor"] for event in kept})
        assert {"turn_started", "block_ended", "turn_ended"} <= {event["kind"] for event in kept}
        with program.start("events", "--follow", "--since", str(kept[-1]["cursor"]), "--json") as following:
            program("send", "echo", "second", "--wait", "20")
            while (event := json.loads(following.stdout.readline()))["kind"] != "turn_ended":
                assert event["cursor"] > kept[-1]["cursor"]
            assert event["data"]["text"] == "echo: second"
            following.send_signal(signal.SIGINT)
            assert following.wait(30) == 130
            assert following.stderr.read() == ""
        assert "turn_ended" in program("events").out
        (session,) = program("sessions", "echo", "--json").json["sessions"]
        assert (session["agent"], session["provider"]) == ("echo", "echo")


def test_the_last_events_are_shown_to_people_without_what_says_nothing(program):
    with program.start("run", "--provider", "echo") as relay:
        ready(relay)
        program("send", "echo", "first", "--wait", "20")
        program.status("echo", kind="idle")
        kept = program("events", "--json").lines
        assert program("events", "echo", "--last", "3", "--json").lines == kept[-3:]
        assert program("events", "--last", "3", "--since", str(kept[-3]["cursor"]), "--json").lines == kept[-2:]
        assert program("events", "--last", "1", "--since", "0", "--json").lines == kept[-1:]
        assert program("events", "--last", "0").out == ""
        with program.start("events", "--follow", "--last", "1", "--json") as following:
            assert json.loads(following.stdout.readline()) == kept[-1]
        told = [line.split()[3:] for line in program("events").out.splitlines()]
    assert ["block_started"] not in told
    assert told.count(["status", "busy", "turn"]) == 1
    assert {"block_started", "status"} <= {event["kind"] for event in kept}
    assert ["block_ended", "assistant_text", "echo:", "first"] in told


@pytest.mark.parity("N-11")
def test_what_runs_is_idle_and_has_no_remarks_from_the_doctor(program):
    with program.start("run", "--provider", "echo") as relay:
        ready(relay)
        document = program("doctor", "--json").json
        assert document["ok"]
        found = {check["check"]: check["text"] for check in document["checks"]}
        assert str(relay.pid) in found["relays"]


def test_the_doctor_warns_of_an_agent_that_works_within_the_home(program):
    program.home.mkdir(mode=0o700)
    with program.start("run", "--provider", "echo", "--cwd", str(program.home)) as relay:
        ready(relay)
        remark = next(check for check in program("doctor", "--json").json["checks"] if check["check"] == "agents")
    assert remark["level"] == "warn"
    assert remark["text"].startswith(f"echo works in {program.home}, within the home")
    assert "--cwd" in remark["remedy"]


def test_the_doctor_takes_nobody_who_works_elsewhere_or_not_at_all_for_one_within_the_home(program):
    within = replace(program, cwd=program.home)
    program.home.mkdir(mode=0o700)
    with within.start("run", "--provider", "echo") as relay:
        ready(relay)
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0
    with open_door(program.home, routers=[]) as door:
        door.run(enroll, Agent(id="remote", provider="dock", cwd="", reads_inbox=True))
    found = within("doctor", "--json").json["checks"]
    assert [check["text"] for check in found if check["check"] == "agents"] == []


@pytest.mark.parity("N-1", "N-8")
def test_the_demo_shows_both_traces_and_leaves_nothing_behind(program, tmp_path):
    (tmp_path / "tmp").mkdir()
    ended = program("demo", env={"TMPDIR": str(tmp_path / "tmp")})
    assert (ended.code, ended.err) == (0, "")
    assert "asker answers: echo: Hello, is anybody there?" in ended.out
    assert ended.out.count(" answered ") >= 2
    assert re.search(r"message from asker to echo", ended.out)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parity("N-7")
def test_a_real_command_is_an_agent(program):
    shout = json.dumps([sys.executable, "-c", "import sys; print(sys.stdin.read().upper())"])
    with program.start("run", "--provider", "exec", "--agent", "shout", "--option", f"command={shout}") as relay:
        ready(relay)
        assert program("send", "shout", "quiet", "--wait", "20").out.strip() == "QUIET"


def test_a_second_ctrl_c_does_not_wait_for_the_turn(program):
    endless = json.dumps(["sleep", "60"])
    with program.start("run", "--provider", "exec", "--option", f"command={endless}") as relay:
        ready(relay)
        with program.start("events", "--follow", "--since", "0", "--json") as following:
            program("send", "exec", "go")
            while json.loads(following.stdout.readline())["kind"] != "turn_started":
                pass
            following.kill()
        relay.send_signal(signal.SIGINT)
        assert "Ctrl-C once more" in relay.stderr.readline()
        relay.send_signal(signal.SIGINT)
        assert relay.wait(8) == 130, "well before the ten seconds that a stop waits"


def test_a_relay_that_is_ready_collects_its_garbage_but_not_what_its_start_made(program):
    code = (
        "import gc, relaykit.cli.serving as serving; from relaykit.cli.entry import main; "
        "serving.say = lambda *_, **__: print(gc.isenabled(), gc.get_freeze_count() > 10_000, flush=True); "
        "main(['run', '--provider', 'echo'])"
    )
    argv, env = [sys.executable, "-c", code], program.environment({})
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as relay:
        assert relay.stdout.readline() == "True True\n"
        relay.terminate()
        assert relay.wait(30) == 0
