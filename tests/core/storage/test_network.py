from __future__ import annotations

from pathlib import Path

import pytest

from relaykit.errors import StoreError
from relaykit.storage.network import file_system, refuse_network

MOUNTS = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /home rw,relatime shared:9 - nfs4 server:/home rw,vers=4.2
31 30 8:2 / /home/local rw,relatime - xfs /dev/sdb1 rw
32 21 0:41 / /mnt/my\040share rw - cifs //server/share rw
33 21 8:3 / /data rw - ext4 /dev/sdc1 rw
34 33 0:42 / /data rw - fuse.sshfs host:/data rw
35 21 0:43 / /homestead rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/x", "ext4"),
        ("/home/me/.local/state", "nfs4"),
        ("/home/local/me", "xfs"),
        ("/mnt/my share/x", "cifs"),
        ("/data/x", "fuse.sshfs"),
        ("/homestead/x", "tmpfs"),
    ],
)
def test_the_file_system_is_that_of_the_longest_and_latest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("path", ["/home/me", "/mnt/my share", "/data/deep/er"])
def test_a_network_file_system_is_refused_with_the_remedy(path: str) -> None:
    with pytest.raises(StoreError, match=f"{path}.*network file system.*RELAYKIT_HOME"):
        refuse_network(Path(path), MOUNTS)


@pytest.mark.parametrize("path", ["/var", "/home/local", "/homestead"])
def test_a_local_file_system_is_good(path: str) -> None:
    refuse_network(Path(path), MOUNTS)


def test_a_link_counts_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    mounts = f"1 0 8:1 / / rw - ext4 x rw\n2 1 0:9 / {tmp_path.resolve()}/real rw - lustre x rw"
    with pytest.raises(StoreError, match="lustre"):
        refuse_network(tmp_path / "link" / "home", mounts)


def test_without_the_list_of_mounts_nothing_is_refused() -> None:
    refuse_network(Path("/home/me"), "")


def test_this_machines_own_list_can_be_read(tmp_path: Path) -> None:
    refuse_network(tmp_path)
