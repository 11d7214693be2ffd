"""``relaykit dock``: serve a dock, and look after its agents and their keys."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.errors import UsageError
from relaykit.plugin import Tls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from relaykit.plugin import Lent

LISTEN = "127.0.0.1:4880"
_EXAMPLES = """examples:
  relaykit dock agents add alice
  relaykit dock serve
  relaykit dock serve --listen 0.0.0.0:4880 --name dock.example --tls-cert cert.pem --tls-key key.pem
  relaykit dock keys reset alice
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def main(words: Sequence[str], lent: Lent) -> int:
    """Run the command."""
    try:
        said = _parser().parse_args(list(words))
    except SystemExit as leave:  # the help was shown
        return int(leave.code or 0)
    if said.action == "serve":
        return _serve(said, lent)
    from relaykit_signaldock.dock import administering  # noqa: PLC0415 - only what is asked for

    return administering.run(said, lent)


def _serve(said: argparse.Namespace, lent: Lent) -> int:
    from relaykit_signaldock.dock.dock import Settings  # noqa: PLC0415 - a web server, which only serving needs
    from relaykit_signaldock.dock.endpoints import Reach  # noqa: PLC0415 - as above
    from relaykit_signaldock.dock.serving import Plan, serve  # noqa: PLC0415 - as above

    if (said.tls_cert is None) != (said.tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together")
    settings = Settings(
        base_url=said.base_url.rstrip("/"),
        overlap_seconds=said.key_overlap,
        open_registration=said.open_registration,
        webhooks=Reach(said.webhooks),
    )
    plan = Plan(
        listen=said.listen,
        settings=settings,
        per_minute=said.rate,
        names=tuple(said.name),
        tls=Tls(certificate=said.tls_cert, key=said.tls_key) if said.tls_cert else None,
    )
    return serve(plan, lent, json_lines=said.json)


def _parser() -> _Parser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="relaykit dock",
        description="Serve SignalDock clients, and look after their agents and keys.",
        epilog=_EXAMPLES,
        formatter_class=layout,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="serve|agents|keys")
    _serving(actions.add_parser("serve", help="Serve SignalDock clients until stopped."))
    _agents(actions.add_parser("agents", help="List the dock's agents, add one, remove one."))
    _keys(actions.add_parser("keys", help="Give an agent another key, or a claim code."))
    return parser


def _serving(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--listen", metavar="HOST:PORT", default=LISTEN, help=f"Where; {LISTEN} if not said.")
    add(
        "--base-url",
        type=_text,
        metavar="URL",
        default="",
        help="By which clients reach it, for what it tells them of itself.",
    )
    add(
        "--name",
        type=_text,
        action="append",
        default=[],
        metavar="HOST",
        help="Another name by which it may be called.",
    )
    add("--rate", type=_natural, default=100, metavar="N", help="Requests of an agent per minute; 0 is no limit.")
    add("--key-overlap", type=_seconds, default=60.0, metavar="SECONDS", help="An old key stays good after a rotation.")
    add(
        "--webhooks",
        choices=["public", "local", "off"],
        default="public",
        help="Whether agents' endpoints are called: public addresses by https (the default), any address, none.",
    )
    add("--open-registration", action="store_true", help="Let anyone who reaches it register agents.")
    add("--tls-cert", type=Path, metavar="FILE", help="Certificate, PEM.")
    add("--tls-key", type=Path, metavar="FILE", help="Its key, PEM.")
    add("--json", action="store_true", help="Print the ready line as JSON.")


def _agents(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="verb", metavar="list|add|remove")
    parser.set_defaults(json=False, verb="list")
    listed = actions.add_parser("list", help="List them; what is done without a word.")
    listed.add_argument("--json", action="store_true", help="Print one JSON document.")
    add = actions.add_parser("add", help="Register one; prints its key, this once.")
    add.add_argument("agent", type=_text, metavar="NAME")
    add.add_argument("--description", type=_text, default="")
    add.add_argument("--cap", type=_text, action="append", default=[], metavar="C", help="A capability.")
    add.add_argument("--skill", type=_text, action="append", default=[], metavar="S", help="A skill.")
    add.add_argument("--privacy", default="public", choices=["public", "discoverable", "private"])
    add.add_argument("--json", action="store_true", help="Print one JSON document.")
    remove = actions.add_parser("remove", help="Take one out: its keys are void, what waits for it is refused.")
    remove.add_argument("agent", type=_text, metavar="NAME")


def _keys(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="verb", required=True, metavar="reset|code")
    reset = actions.add_parser("reset", help="Give an agent another key, printed this once; the old are void at once.")
    code = actions.add_parser("code", help="Make a claim code, for which an agent gets a key once, within 15 minutes.")
    for action in (reset, code):
        action.add_argument("agent", type=_text, metavar="NAME")
        action.add_argument("--json", action="store_true", help="Print one JSON document.")


def _text(word: str) -> str:
    try:
        word.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{word!r} is not UTF-8 text") from None
    return word


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"a number belongs here, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:  # noqa: PLR2004 - a day
        raise argparse.ArgumentTypeError(f"seconds belong here, 0 to 86400, not {text!r}")
    return seconds
