"""Files: uploaded under their SHA-256 by whoever sends them, downloaded by whoever has the message that names them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from relaykit.model import ATTACHMENT_BYTES, ATTACHMENTS, Attachment
from relaykit_signaldock.dock import schemas
from relaykit_signaldock.dock.call import Said
from relaykit_signaldock.dock.envelope import WireError, good, missing
from relaykit_signaldock.dock.posting import visible
from relaykit_signaldock.dock.schemas import described, gives_bytes, record

if TYPE_CHECKING:
    from relaykit.plugin import Scope
    from relaykit_signaldock.dock.call import Call

_PATH = "/attachments/"


@described(
    record({"attachment": record({"sha256": schemas.TEXT, "size": schemas.COUNT})}), status=201, takes_bytes=True
)
async def upload(call: Call) -> Response:
    """Upload a file, the bytes as they are; its SHA-256 is its name. The caller's messages may name it then."""
    me, content, dock = call.me, await call.request.body(), call.dock
    if sha256(content).hexdigest() != call.path("sha256"):
        raise WireError("E_VALIDATION_CONSTRAINT", "the SHA-256 of what came is not the one in the path")
    digest = await dock.attachments.keep(content)
    dock.store.uploaded(me, digest, len(content), dock.clock.now())
    return good({"attachment": {"sha256": digest, "size": len(content)}}, status=201)


@gives_bytes
async def download(call: Call) -> Response:
    """Download a file that a message names which the caller sent or got."""
    message = await visible(call.dock, call.me, call.path())
    digest = call.path("sha256")
    if digest not in {one.sha256 for one in message.attachments}:
        raise missing("RESOURCE", digest)
    content = await call.dock.attachments.read(digest)
    # Whatever its sender calls it, no browser is to show it as a page of the dock.
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def most_body(scope: Scope) -> int | None:
    """Return the bytes that a file may have where one comes; None elsewhere."""
    return ATTACHMENT_BYTES if scope["method"] == "PUT" and scope["path"].startswith(_PATH) else None


def named(call: Call, body: Said) -> tuple[Attachment, ...]:
    """Return the files that a message is to name, each of which the caller has uploaded."""
    rows = body.document.get("attachments") or []
    if not isinstance(rows, list) or len(rows) > ATTACHMENTS:
        raise WireError("E_VALIDATION_SCHEMA", f"attachments has to be a list of at most {ATTACHMENTS} objects")
    return tuple(_named(call, row) for row in rows)


def _named(call: Call, row: Any) -> Attachment:
    if not isinstance(row, dict):
        raise WireError("E_VALIDATION_SCHEMA", "attachments has to be a list of objects")
    about = Said(row)
    digest = about.text("sha256")
    size = call.dock.store.upload_size(call.me, digest)
    if size is None:
        raise WireError("E_NOT_FOUND_RESOURCE", f"upload the file first: PUT {_PATH}{digest[:64]}")
    media_type = about.text("contentType", "application/octet-stream")
    found = Attachment(name=about.text("filename"), media_type=media_type, size=size, sha256=digest)
    if found.flaw is not None:
        raise WireError("E_VALIDATION_CONSTRAINT", f"attachments: {found.flaw}")
    return found
