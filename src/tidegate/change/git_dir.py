"""Where a repository's git directory is and what may be taken from it, read as files: before git is ever started.

Everything here may have been laid out by an attacker: files may be pipes, devices, endless, links or loops of links.
Only regular files of a sane size are read.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path

from tidegate.errors import InputError

CONFIG_LIMIT_BYTES = 1 << 20
SHALLOW_LIMIT_BYTES = 64 << 20
_OID = rb"[0-9a-f]{64}|[0-9a-f]{40}"


def read_small(path: Path, limit: int) -> bytes | None:
    """The content of a regular file, None for what is none, is larger than `limit`, or cannot be read."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(limit + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= limit else None


def find_git() -> str:
    """The git program, from the absolute folders of PATH only: `.` may hold a program called git."""
    found = shutil.which("git", path=safe_path())
    if found is None:
        raise InputError("git is not installed", mend="install git 2.30 or later")
    return found


def safe_path() -> str:
    return os.pathsep.join(f for f in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(f).is_absolute())


def find_git_dir(folder: Path) -> Path | None:
    """The git directory of a work tree's top folder, None where the folder is none."""
    marker = folder / ".git"
    if marker.is_dir():
        return marker if looks_like_git_dir(marker) else None
    text = read_small(marker, 4096)
    if text is None or not text.startswith(b"gitdir: "):
        return None
    git_dir = (folder / os.fsdecode(text.removeprefix(b"gitdir: ").strip())).resolve()
    return git_dir if looks_like_git_dir(git_dir) else None


def looks_like_git_dir(folder: Path) -> bool:
    has_head = (folder / "HEAD").exists() or (folder / "HEAD").is_symlink()
    return has_head and ((folder / "objects").is_dir() or (folder / "commondir").exists())


def common_dir(git_dir: Path) -> Path:
    """Where objects, refs and configuration are: elsewhere for a linked work tree."""
    text = read_small(git_dir / "commondir", 4096)
    return git_dir if text is None else (git_dir / os.fsdecode(text.strip())).resolve()


def object_format(common: Path) -> str:
    """sha1 or sha256, as the configuration says."""
    text = read_small(common / "config", CONFIG_LIMIT_BYTES) or b""
    found = re.search(rb"^\s*objectformat\s*=\s*\"?sha256", text, re.IGNORECASE | re.MULTILINE)
    return "sha256" if found else "sha1"


def read_shallow(common: Path) -> frozenset[str]:
    """The commits at which a shallow clone was cut: their parents are not here."""
    text = read_small(common / "shallow", SHALLOW_LIMIT_BYTES) or b""
    return frozenset(oid.decode("ascii") for oid in re.findall(rb"^(?:" + _OID + rb")$", text, re.MULTILINE))


def fill_private_dir(private: Path, git_dir: Path, common: Path, settings: str) -> None:
    """Makes `private` a git directory with the refs and objects of the real one, and nothing else of it."""
    head = _read_head(git_dir / "HEAD")
    packed = common / "packed-refs"
    if packed.exists() and not packed.is_file():
        raise InputError("packed-refs is not a file", where=str(packed), mend="check the repository: git fsck")
    (private / "HEAD").write_bytes(head)
    for name in ("refs", "packed-refs", "objects"):
        (private / name).symlink_to(common / name)
    for shared_index in git_dir.glob("sharedindex.*"):
        (private / shared_index.name).symlink_to(shared_index)
    if edge := sorted(read_shallow(common)):
        (private / "shallow").write_text("".join(f"{oid}\n" for oid in edge), encoding="ascii")
    (private / "config").write_text(settings, encoding="utf-8")


def quoted_object_dir(folder: Path) -> str:
    """A folder as git reads it in GIT_ALTERNATE_OBJECT_DIRECTORIES, where a colon parts folders."""
    escaped = str(folder).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


# Private


def _open_at_once(path: str, flags: int) -> int:
    """Opens without waiting: opening a pipe that nobody writes to would never end."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def _read_head(head: Path) -> bytes:
    """What HEAD says. Git takes no link to another folder for a HEAD, so ours is a copy."""
    link = b"ref: " + os.fsencode(head.readlink()) + b"\n" if head.is_symlink() else None
    content = link or read_small(head, 4096) or b""
    if not re.fullmatch(rb"ref:\s*refs/[^\0\n]+\n?|(?:" + _OID + rb")\s*", content):
        raise InputError("HEAD is broken", where=str(head), mend="check the repository: git fsck")
    return content
