"""Why a file must not be deleted or written over: it is state, a repository, the machine's, or not the workspace's."""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path

from tidegate.agent.guard.values import Call, unseen

_STATE = ("*.tfstate", "*.tfstate.*", "errored.tfstate", "*.tfvars.enc")
KEPT_PARTS = frozenset((".git", ".hg", ".svn", ".terraform.lock.hcl"))
MACHINE = frozenset(
    "/ /etc /usr /bin /sbin /lib /lib64 /boot /dev /proc /sys /var /home /root /srv /opt /mnt /media /run /data /Users "
    "/Library /System /Applications".split()
)
_SCRATCH = tuple(
    "/tmp /var/tmp /dev/null /dev/stdout /dev/stderr /dev/tty /dev/fd /private/tmp /dev/shm".split()  # noqa: S108
)
_SHARED = frozenset(_SCRATCH) - {"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd"}
_DEVICE = re.compile(r"/dev/(?:sd|nvme|vd|hd|xvd|mmcblk|disk|mapper|loop|md|dm-|mem|kmem|rdisk)")


def harm(
    call: Call,
    path: str,
    *,
    deletes: bool = False,
    deep: bool = False,
    only_state: bool = False,
    only_outside: bool = False,
) -> str:
    """Why this file is not to be deleted or written over; "" where it may be."""
    if unseen(path):
        path = _from_here(call, path)
        return _of_unseen(path, deletes, only_state or (only_outside and not path.startswith("\0")))
    where = _resolved(call, path)
    if not only_outside and (why := _of_kept(call, path, where, deletes)):
        return why
    if only_state:
        return ""
    if where is None:
        if deep and path.startswith("/"):
            return "it is another machine's"
        named = not call.place.typed and not re.match(r"\.|\*|~", path)
        return "" if call.place.away or named or not deletes else "where it runs is not seen"
    target = os.path.realpath(where) if not deletes and where.is_symlink() else str(where)
    return _of_place(call, path, target, (deletes, deep, only_outside))


def is_inside(call: Call, path: str) -> bool:
    """Whether this lies in the workspace, or where scratch files do."""
    where = None if unseen(path) else _resolved(call, path)
    if where is None:
        return False
    workspace = str(call.place.workspace)
    return f"{where}/".startswith((f"{workspace}/", *(f"{one}/" for one in _SHARED))) and ".git" not in where.parts


def is_state(name: str) -> bool:
    """Whether this is a name of Terraform's state."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _STATE)


def shown_path(path: str) -> str:
    """A path with what is unseen as an ellipsis."""
    return path.replace("\0", "…")


# Private


def _from_here(call: Call, path: str) -> str:
    """`../shas/$x` from a folder of the workspace is `shas/$x` of the workspace."""
    head, mark, rest = path.partition("\0")
    if not head.startswith("..") or "/" not in head or call.place.folder is None or call.place.away:
        return path
    where = os.path.normpath(call.place.folder / head.rpartition("/")[0])
    inside = where.startswith(f"{call.place.workspace}/")
    return f"{os.path.relpath(where, call.place.workspace)}/{head.rpartition('/')[2]}{mark}{rest}" if inside else path


def _of_unseen(path: str, deletes: bool, spared: bool) -> str:
    if spared or _unseen_but_inside(path) or (not deletes and path.startswith("\0")):
        return ""
    return "which files it hits is only known when it runs"


def _of_kept(call: Call, path: str, where: Path | None, deletes: bool) -> str:
    """State and repositories are kept wherever they are."""
    if is_state(Path(path).name):
        return "it is the state of Terraform, without which nothing that runs is known"
    if deletes and _matches_kept(call, path, where):
        return "it takes the repository or the state along"
    if not deletes and re.search(r"(^|/)\.git/(hooks|config|refs|objects|HEAD|info)", path):
        return "it is part of the repository itself"
    return ""


def _of_place(call: Call, path: str, text: str, how: tuple[bool, bool, bool]) -> str:
    deletes, deep, only_outside = how
    if _DEVICE.match(text):
        return "it is a disk"
    workspace, home = str(call.place.workspace), call.place.home
    if not call.place.away and (text == "/" or f"{workspace}/".startswith(f"{text}/")):
        if only_outside:
            return "" if text == workspace else "it lies outside of the workspace"
        return "it holds the whole workspace" if deletes else ""
    own = path.startswith("/") or not workspace.startswith(tuple(f"{one}/" for one in _SHARED))
    if own and not path.startswith("..") and any(text == one or text.startswith(f"{one}/") for one in _SCRATCH):
        return "others keep their files there" if text in _SHARED else ""
    if call.place.away:
        return "it is another machine's" if deletes and (deep or text in MACHINE) else ""
    if text.startswith(f"{workspace}/"):
        return ""
    if not deletes and not only_outside and text == home:
        return ""
    if not deletes and text.startswith(f"{home}/") and (only_outside or not _OWN.match(text[len(home) :])):
        return ""
    if deletes and _CACHES.match(text[len(home) :]) and text.startswith(f"{home}/"):
        return ""
    return "it lies outside of the workspace"


_OWN = re.compile(r"/\.(?:ssh|aws|kube|config|bash|z(?:sh|prof|log)|profile|git|gnupg|docker|npm)")
_CACHES = re.compile(
    r"/(?:(?:\.cache|\.npm/_cacache|\.gradle/caches|\.m2/repository|\.nuget/packages|go/pkg)/.|\.cargo/(?:registry|git)|\.ccache)"
)


def _resolved(call: Call, path: str) -> Path | None:
    if path.startswith("/"):
        return Path(os.path.normpath(path.rstrip("*").rstrip("/") or "/")) if path.rstrip("/*") else Path("/")
    if call.place.folder is None or call.place.away:
        return None
    plain_ = path.removesuffix("/*").removesuffix("/*.*")
    return Path(os.path.normpath(call.place.folder / plain_)) if plain_ not in ("*", ".*") else call.place.folder / "*"


def _matches_kept(call: Call, path: str, where: Path | None) -> bool:
    name = Path(path).name
    parts = Path(path).parts
    if ".git" in parts and name not in ("index.lock", "HEAD.lock") and not name.endswith(".lock"):
        return True
    if name in KEPT_PARTS - {".git"} and name != ".terraform.lock.hcl":
        return True
    if where is None or not re.search(r"[*?\[]", name):
        return False
    folder = where if path.endswith("/*") else where.parent
    if re.fullmatch(r"[.*?]*", name) and str(folder) == str(call.place.workspace):
        return True
    try:
        with os.scandir(folder) as entries:
            return any(
                is_state(one.name) and fnmatch.fnmatchcase(one.name, name)
                for one, _ in zip(entries, range(5_000), strict=False)
            )
    except OSError:
        return False


def _unseen_but_inside(path: str) -> bool:
    """`build-$x` stays where it is; `$x/build` may be anywhere."""
    if path.startswith("\0") or ".." in path:
        return False
    head = path.partition("\0")[0]
    if head.startswith("/"):
        return any(head.startswith(f"{one}/") and len(head) > len(one) + 1 for one in _SCRATCH)
    return len(head) > 1 and head != "./"
