"""File systems on which locks and shared memory cannot be trusted."""

from __future__ import annotations

import re
from pathlib import Path

from relaykit.errors import StoreError

MOUNTINFO = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
"""Types of file systems as the kernel calls them."""
_OCTAL = re.compile(r"\\([0-7]{3})")


def refuse_network(path: Path, mountinfo: str | None = None) -> None:
    """Raise StoreError where the path lies on a network file system.

    Args:
        path: A file or directory; it need not exist.
        mountinfo: The text of ``/proc/self/mountinfo``; read from there where none is given. A system without it
            is trusted.
    """
    kind = file_system(path, _mounts() if mountinfo is None else mountinfo)
    if kind in NETWORK:
        raise StoreError(
            f"{path}: this is a network file system ({kind}), where locks cannot be trusted; "
            "set RELAYKIT_HOME or --home to a directory on a local disk"
        )


def file_system(path: Path, mountinfo: str) -> str:
    """Return the type of the file system that holds the path: that of the longest mount point above it."""
    parents = {str(parent) for parent in (path.resolve(), *path.resolve().parents)}
    best = ("", "")
    for line in mountinfo.splitlines():
        fields, dash, source = line.partition(" - ")
        if not dash:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields.split()[4])
        # A later mount on the same point hides the earlier one.
        if point in parents and len(point) >= len(best[0]):
            best = (point, source.split()[0])
    return best[1]


def _mounts() -> str:
    return MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape") if MOUNTINFO.exists() else ""
