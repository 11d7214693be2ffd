import io
import json
import os
import stat
from contextlib import suppress
from typing import ClassVar

import anyio
import anyio.to_thread
import pytest

from relaykit.builtin import console, jsonl
from relaykit.errors import ConfigError
from relaykit.model import BlockEnded, ErrorRaised, Fault, Whose
from relaykit.testing.occurrences import DURABLE, EVERY, NASTY_TEXT, numbered, text_block
from relaykit.testing.sink import GAP, StatusSinkSuite

ALL_EVENTS = [numbered(what, number) for number, what in enumerate(EVERY, 1)]


class TestConsole(StatusSinkSuite):
    component = console.COMPONENT
    module = "relaykit.builtin.console"
    bad_options: ClassVar = {"stream": "stdin"}

    async def lines(self, directory, items, **options):
        with anyio.fail_after(10):
            async with self.component.open(options, self.context(directory)) as sink:
                for item in items:
                    await sink.tell(item)

    async def test_it_says_on_stderr_what_a_person_wants_to_know(self, tmp_path, capsys):
        await self.lines(tmp_path, [*ALL_EVENTS, GAP])
        shown = capsys.readouterr()
        assert shown.out == ""
        assert [line.split(" a: ", 1)[1] for line in shown.err.splitlines()] == [
            "turn started",
            "asks for permission (command): rm -r build",
            "no longer asks for permission",
            "error (paused): Too many requests",
            "error: Too many requests (it tries again)",
            "turn failed by the watchdog: Too many requests",
            "5 events were not shown: relaykit events a --since 3",
        ]

    async def test_with_all_events_it_shows_what_was_said_and_on_the_stream_that_was_asked_for(self, tmp_path, capsys):
        await self.lines(tmp_path, ALL_EVENTS, stream="stdout", events="all")
        shown = capsys.readouterr()
        assert shown.err == ""
        assert len(shown.out.splitlines()) == len(DURABLE)
        assert "tool_use shell: ls" in shown.out

    async def test_a_text_cannot_command_the_terminal_or_fill_it(self, tmp_path, capsys):
        events = [numbered(BlockEnded(block=text_block("b", NASTY_TEXT + "x" * 10_000)), 1)]
        await self.lines(tmp_path, events, events="all")
        (line,) = capsys.readouterr().err.splitlines()
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert len(line) < 250

    @pytest.mark.parametrize(("colour", "painted"), [("auto", False), ("never", False), ("always", True)])
    async def test_colours_are_for_terminals_or_on_demand(self, tmp_path, capsys, colour, painted):
        await self.lines(tmp_path, ALL_EVENTS, colour=colour)
        assert ("\x1b[31m" in capsys.readouterr().err) is painted

    @pytest.mark.parametrize(("no_color", "painted"), [("", True), ("1", False)])
    async def test_a_terminal_gets_colours_unless_no_color_is_set(self, tmp_path, monkeypatch, no_color, painted):
        class Terminal(io.StringIO):
            encoding = "ascii"

            def isatty(self):
                return True

        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.setenv("TERM", "xterm")
        await self.lines(tmp_path, ALL_EVENTS)
        assert ("\x1b[31m" in terminal.getvalue()) is painted

    async def test_a_pipe_that_nobody_reads_stops_no_one_else(self, tmp_path, monkeypatch):
        async def tell_for_ever():
            async with self.component.open({}, self.context(tmp_path)) as sink:
                while True:
                    await sink.tell(
                        numbered(ErrorRaised(fault=Fault(whose=Whose.TURN, code="x", message="x" * 150)), 1)
                    )

        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as full, os.fdopen(reading, "rb", 0) as reader:
            fill(writing)
            monkeypatch.setattr("sys.stderr", full)
            with anyio.fail_after(10):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(tell_for_ever, name="teller")
                    await anyio.wait_all_tasks_blocked()
                    tasks.cancel_scope.cancel()
                # The thread that still writes must end before the pipe does: it is read until it is closed.
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(anyio.to_thread.run_sync, drain, reader, name="drain")
                    await anyio.to_thread.run_sync(full.close)


def fill(pipe):
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 4096)
    os.set_blocking(pipe, True)


def drain(reader):
    while reader.read(65536):
        pass


class TestJsonl(StatusSinkSuite):
    component = jsonl.COMPONENT
    module = "relaykit.builtin.jsonl"
    bad_options: ClassVar = {"path": ""}

    def options(self, directory):
        return {"path": str(directory / "events.jsonl")}

    async def written(self, directory, items, **options):
        with anyio.fail_after(10):
            async with self.component.open({**self.options(directory), **options}, self.context(directory)) as sink:
                for item in items:
                    await sink.tell(item)
        return read(directory / "events.jsonl")

    async def test_each_event_is_one_line_that_says_everything(self, tmp_path):
        lines = await self.written(tmp_path, [numbered(BlockEnded(block=text_block("b", NASTY_TEXT)), 7), GAP])
        assert lines == [
            {
                "cursor": 0,
                "agent": "a",
                "session": "s",
                "number": 7,
                "at": 1_750_000_000.0,
                "kind": "block_ended",
                "data": {"block": {"id": "b", "kind": "assistant_text", "text": NASTY_TEXT}},
            },
            {
                "agent": "a",
                "kind": "gap",
                "data": {"agent": "a", "after": 3, "before": 9, "missed": 5},
                "at": 1_750_000_000.0,
            },
        ]

    async def test_deltas_are_left_out_unless_asked_for(self, tmp_path):
        assert len(await self.written(tmp_path, ALL_EVENTS)) == len(DURABLE)
        assert len(await self.written(tmp_path, ALL_EVENTS, deltas=True)) == len(DURABLE) + len(EVERY)

    async def test_a_line_is_in_the_file_when_telling_has_returned(self, tmp_path):
        with anyio.fail_after(10):
            async with self.open(tmp_path) as sink:
                await sink.tell(ALL_EVENTS[0])
                assert len(read(tmp_path / "events.jsonl")) == 1

    async def test_the_file_is_its_owners_alone(self, tmp_path):
        await self.written(tmp_path, [])
        assert stat.S_IMODE((tmp_path / "events.jsonl").stat().st_mode) == 0o600

    async def test_a_broken_last_line_spoils_no_other(self, tmp_path):
        (tmp_path / "events.jsonl").write_text('{"half":')
        with pytest.raises(json.JSONDecodeError):
            await self.written(tmp_path, [ALL_EVENTS[0]])
        assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[1])["number"] == 1

    async def test_a_full_file_makes_room_and_only_so_many_are_kept(self, tmp_path):
        events = [numbered(BlockEnded(block=text_block("b", "x" * 1000)), number) for number in range(1, 30)]
        await self.written(tmp_path, events, max_bytes=4096, keep=2)
        files = [tmp_path / f"events.jsonl{end}" for end in (".2", ".1", "")]
        assert all(path.stat().st_size <= 4096 for path in files)
        numbers = [line["number"] for path in files for line in read(path)]
        assert numbers == list(range(30 - len(numbers), 30))
        assert len(numbers) >= 7
        assert not (tmp_path / "events.jsonl.3").exists()

    @pytest.mark.parametrize("path", ["missing/events.jsonl", ".", "~nobody-has-this-name/x"])
    async def test_a_path_that_cannot_be_written_is_a_configuration_error(self, tmp_path, monkeypatch, path):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigError, match=r"^sinks\.test\.path: "):
            async with self.component.open({"path": path}, self.context(tmp_path)):
                pass

    @pytest.mark.parametrize("path", ["missing/events.jsonl", ".", "~nobody-has-this-name/x"])
    def test_a_path_that_cannot_be_written_is_found_by_the_check(self, tmp_path, monkeypatch, path):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigError, match=r"^path: .*name another$"):
            self.component.check({"path": path})
        assert self.component.check({"path": "events.jsonl"}) == f"{tmp_path}/events.jsonl can be written"
        assert list(tmp_path.iterdir()) == []

    async def test_a_relative_path_begins_where_the_program_runs(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        await self.written(tmp_path, [ALL_EVENTS[0]], path="events.jsonl")
        assert len(read(tmp_path / "events.jsonl")) == 1


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
