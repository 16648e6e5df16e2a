"""Whether a folder lies on a network share, where the locks and the shared memory of SQLite do not hold."""

from __future__ import annotations

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
SHARES = frozenset(
    "9p afs ceph cifs coda fuse.glusterfs fuse.ceph fuse.rclone fuse.s3fs fuse.sshfs glusterfs gfs2 lustre ncpfs nfs "
    "nfs4 ocfs2 smb2 smb3 smbfs".split()
)


def network_file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """The kind of share that `folder` lies on; "" for a local disk, and where the system lists no mounts (not Linux).

    Source: proc(5), mountinfo: the mount point is the fifth field, the kind follows the field `-`.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = folder.resolve()
    found, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_unescaped(fields[4]))
        if real.is_relative_to(point) and len(point.parts) >= found:  # of two mounts at one point the later one covers
            found, kind = len(point.parts), after.split(" ")[0]
    return kind if kind in SHARES else ""


# Private


def _unescaped(point: str) -> str:
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, character)
    return point
