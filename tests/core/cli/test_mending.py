"""What the doctor says of a configuration that cannot be read, and of a store that cannot be opened."""

from __future__ import annotations

import sqlite3

import pytest


@pytest.mark.parametrize("text", [b"x = [", b"\xff"])
def test_the_doctor_looks_at_everything_where_the_configuration_is_broken(program, text):
    program("send", "user", "hello")
    names = {check["check"] for check in program("doctor", "--json").json["checks"]} - {"credentials"}
    (program.cwd / "relaykit.toml").write_bytes(text)
    ended = program("doctor", "--json")
    assert (ended.code, ended.json["ok"], ended.json["home"]) == (1, False, str(program.home))
    checks = ended.json["checks"]
    assert {check["check"] for check in checks} == names
    assert {check["check"] for check in checks if check["level"] == "fail"} == {"config"}
    assert str(program.cwd / "relaykit.toml") in next(one["text"] for one in checks if one["check"] == "config")


def newer(file):
    with sqlite3.connect(file) as store:
        store.execute("PRAGMA user_version = 999")
    store.close()


def damaged(file):
    for path in file.parent.glob(f"{file.name}*"):
        if path.is_file():
            path.write_bytes(b"not a database, " * 1000)


@pytest.mark.parametrize(("spoil", "remedy"), [(newer, ""), (damaged, "put a backup of the file back")])
def test_the_doctor_has_a_store_replaced_only_where_it_is_damaged(program, spoil, remedy):
    program("send", "user", "hello")
    spoil(program.home / "mailbox.db")
    (check,) = [one for one in program("doctor", "--json").json["checks"] if one["check"] == "mailbox"]
    assert check["level"] == "fail"
    assert remedy in check["remedy"]
    assert bool(remedy) is bool(check["remedy"])
    assert bool(remedy) is not ("upgrade relaykit" in check["text"])
