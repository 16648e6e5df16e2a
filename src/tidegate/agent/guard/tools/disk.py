"""Files and disks: state, repositories, the machine's own folders, and whatever is not of the workspace, are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tidegate.agent.guard.tools.harm import KEPT_PARTS, MACHINE, harm, is_inside, is_state, shown_path
from tidegate.agent.guard.values import Call, Inner, Said, Tool, flag_letters, plain, unseen

_SAFE = "name files of the workspace, or ask a person"
_PATCHED = re.compile(r"^\*\*\* (Add File|Delete File|Update File|Move to): (.+)$", re.MULTILINE)
_WRITE_VALUED = {
    "truncate": frozenset(("-s", "--size", "-r", "--reference")),
    "touch": frozenset(("-d", "-t", "-r", "--reference", "--date")),
    "install": frozenset(("-m", "-o", "-g", "-S", "--suffix", "--mode", "--owner", "--group")),
}


def judge_remove(call: Call) -> Iterator[Said]:
    """rm, rmdir, unlink, shred, srm, trash."""
    deep = flag_letters(call.arguments, "rR") or "--recursive" in call.arguments
    for path in plain(
        call.arguments, frozenset(("-n", "-s", "--iterations", "--size") if call.name == "shred" else ())
    ):
        if why := harm(call, path, deletes=True, deep=deep):
            yield call.concern("files", why, _SAFE, shown_path(path))


def judge_move(call: Call) -> Iterator[Said]:
    """mv: what is moved is gone where it was, and what is written over is gone."""
    words = plain(call.arguments, frozenset(("-t", "--target-directory", "-S", "--suffix")))
    into = call.has("-t", "--target-directory")
    for place, path in enumerate(words):
        last = place == len(words) - 1 and place and not into
        if why := harm(call, path, deletes=not last):
            yield call.concern("files", why, _SAFE, shown_path(path))
            return


def judge_write(call: Call) -> Iterator[Said]:
    """cp, tee, truncate, ln, install, touch: what they write to."""
    words = plain(call.arguments, _WRITE_VALUED.get(call.name, frozenset(("-S", "--suffix"))))
    written = words if call.name in ("tee", "truncate", "touch") else words[-1:] if len(words) > 1 else []
    for path in written:
        if why := harm(call, path):
            yield call.concern("files", why, _SAFE, shown_path(path))
            return


def judge_edit(call: Call) -> Iterator[Said]:
    """sed -i and perl -i write the files that they name."""
    letters = "nEzrs" if call.name.endswith("sed") else "pnlae0-9"
    if any(re.match(rf"-[{letters}]*i|--in-place", one) for one in call.arguments):
        for path in plain(call.arguments, frozenset(("-e", "-f")))[0:]:
            if why := harm(call, path, only_state=not path.startswith(("/", "~"))):
                yield call.concern("files", why, _SAFE, shown_path(path))
                return
    for script in _sed_scripts(call.arguments) if call.name.endswith("sed") else ():
        written = re.search(r"(?:^|[\d$/;}\s])w\s+(\S+)$|^s(\W).*?\2.*?\2\w*?w\s*(\S+)$", script)
        if written and (why := harm(call, written[1] or written[3])):
            yield call.concern("files", why, _SAFE, shown_path(written[1] or written[3]))
        if re.match(r"(?:[\d$,]+|/[^/]*/)?e\s+\S", script):
            yield Inner(script=script.partition("e")[2])
        elif re.match(r"s(\W).*\1.*\1\w*e\w*$", script):
            yield call.concern("unseen-script", "its program runs what it finds", "write the command out")


def _sed_scripts(arguments: tuple[str, ...]) -> list[str]:
    told = [after for one, after in pairwise(arguments) if one in ("-e", "--expression")]
    return told or plain(arguments)[:1]


def judge_modes(call: Call) -> Iterator[Said]:
    """chmod, chown, chgrp, chattr, setfacl: deep, or outside of the workspace."""
    words = plain(call.arguments, frozenset(("--reference",)))
    for path in words[1:]:
        why = harm(call, path, only_outside=True)
        if why or (path.startswith("/") and call.place.away and path in MACHINE):
            yield call.concern("files", f"it changes who may do what: {why or path}", _SAFE, shown_path(path))
            return


def judge_patch(call: Call) -> Iterator[Said]:
    """`apply_patch`, which Codex gives its shells: the files that the patch names (codex-rs/apply-patch)."""
    text = next((one for one in call.arguments if "*** " in one), call.given)
    if text is None or unseen(text):
        yield call.concern("unseen-script", "which files it writes is not seen", "write the patch out", call.name)
        return
    for deed, path in _PATCHED.findall(text):
        if why := harm(call, path.strip(), deletes=deed == "Delete File"):
            yield call.concern("files", why, _SAFE, shown_path(path))


def judge_disk(call: Call) -> Iterator[Said]:
    """dd, mkfs, wipefs, fdisk and their kind."""
    if call.name == "dd":
        out = next((one[3:] for one in call.arguments if one.startswith("of=")), "")
        if out and (why := harm(call, out)):
            yield call.concern("disk", f"it writes over {shown_path(out)}: {why}", _SAFE, shown_path(out))
        return
    if call.name in ("fdisk", "sfdisk", "gdisk", "parted", "diskutil") and call.has(
        "-l", "--list", "list", "info", "print"
    ):
        return
    target = plain(call.arguments)[-1] if plain(call.arguments) else call.name
    if call.name.startswith("mkfs") and not target.startswith("/dev/") and not harm(call, target):
        return
    yield call.concern(
        "disk", "it destroys what the disk holds", "ask a person who answers for the machine", shown_path(target)
    )


def judge_find(call: Call) -> Iterator[Said]:
    """find: what it deletes, and what it runs for each file."""
    words = list(call.arguments)
    starts: list[str] = []
    for one in words:
        if one.startswith(("-", "(", "!")) and one not in ("-L", "-H", "-P"):
            break
        starts.append(one)
    roots = [one for one in starts if one not in ("-L", "-H", "-P")] or ["."]
    if "-delete" in words or "-fprint" in words or "-fls" in words:
        named = "-name" in words or "-path" in words or "-iname" in words or "-type" in words or "-empty" in words
        for root in roots:
            why = harm(call, root, deletes=True, deep=True) if not is_inside(call, root) or not named else ""
            if why:
                yield call.concern("files", why, _SAFE, shown_path(root))
        pattern = next((words[at + 1] for at, one in enumerate(words[:-1]) if one in ("-name", "-iname")), "")
        if pattern and is_state(pattern):
            yield call.concern("files", "it deletes Terraform's state", _SAFE, pattern)
    for place, one in enumerate(words):
        if one in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((at for at in range(place + 1, len(words)) if words[at] in (";", "+")), len(words))
            inner = tuple(words[place + 1 : end])
            for root in roots:
                inside = is_inside(call, root)
                found = f"{root.rstrip('/')}/{_found_name(words)}" if inside else root
                yield Inner(tuple(part.replace("{}", found) for part in inner))


def judge_unpack(call: Call) -> Iterator[Said]:
    """tar -C and unzip -d: where they put what they hold."""
    takes_out = call.name == "unzip" or any(re.match(r"-?[a-zA-Z]*x|--(?:extract|get)", one) for one in call.arguments)
    for one, after in pairwise(call.arguments):
        into = one in (("-d",) if call.name == "unzip" else ("-C", "--directory"))
        if takes_out and into and not unseen(after) and (why := harm(call, after.rstrip("/") + "/unpacked")):
            yield call.concern("files", f"it unpacks into {shown_path(after)}: {why}", _SAFE, shown_path(after))


def _found_name(words: list[str]) -> str:
    """What a found file may be called: a name that is kept stays what it is."""
    names = [after.strip("*") for one, after in pairwise(words) if one in ("-name", "-iname", "-path")]
    return next((one for one in names if Path(one).name in KEPT_PARTS or is_state(one)), "found")


def judge_archive(call: Call) -> Iterator[Said]:
    """tar and zip start programs where they are told to; on another machine they write."""
    if call.place.away and call.piped and any(re.match(r"-?[a-z]*x|--extract", one) for one in call.arguments):
        yield call.concern("remote", "it writes to another machine", _SAFE, call.name)
    for place, one in enumerate(call.arguments):
        if one.startswith(("--checkpoint-action=exec", "--to-command", "--use-compress-program", "-I")) or one == "-TT":
            text = one.partition("=")[2].removeprefix("exec=") or (call.arguments[place + 1 : place + 2] or ("",))[0]
            yield Inner(script=text)


REMOVE = Tool(frozenset(("rm", "rmdir", "unlink", "shred", "srm", "trash", "rimraf", "del", "grm")), judge_remove)
MOVE = Tool(frozenset(("mv", "gmv", "rename")), judge_move)
WRITE = Tool(frozenset(("cp", "tee", "truncate", "ln", "install", "touch", "gcp", "sponge")), judge_write)
EDIT = Tool(frozenset(("sed", "gsed", "perl", "ruby")), judge_edit)
PATCH = Tool(frozenset(("apply_patch", "applypatch")), judge_patch)
MODES = Tool(frozenset(("chmod", "chown", "chgrp", "chattr", "setfacl")), judge_modes)
_DISKS = (
    "dd mkfs wipefs fdisk sfdisk gdisk parted cryptsetup blkdiscard hdparm badblocks mdadm diskutil newfs mkswap sgdisk"
)
_MADE = "mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.fat mkfs.ntfs mke2fs mkfs.f2fs"
DISK = Tool(frozenset((*_DISKS.split(), *_MADE.split())), judge_disk)
FIND = Tool(frozenset(("find", "gfind")), judge_find)
UNPACK = Tool(frozenset(("tar", "gtar", "bsdtar", "unzip")), judge_unpack)
ARCHIVE = Tool(frozenset(("tar", "gtar", "bsdtar")), judge_archive)
