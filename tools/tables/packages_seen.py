"""Counts in how many public projects the locks and manifests name a package, and writes the names that are in enough.

    python -m tools.tables.packages_seen FOLDER_OF_CLONES...

Every folder below that is a git repository counts once, with its newest commit. A name counts that a lock fetches from
the public registry, or that a manifest asks the registry for. What is written are names only; they are facts, nobody's
text. Names that a project calls itself do not count.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tidegate.verify.dependencies.compare import counts
from tidegate.verify.dependencies.manifests.registry import is_lock, read_listing
from tidegate.verify.dependencies.values import Ecosystem, Listing, UnreadableError

TABLES = Path(__file__).parents[2] / "src/tidegate/verify/dependencies/tables"
LEAST: dict[Ecosystem, tuple[int, int]] = {"pypi": (1, 2), "npm": (1, 2), "cargo": (2, 2)}
"""In how many projects a name has to be: in locks, or in manifests alone, where anybody may have mistyped it."""


def main() -> None:
    clones = sorted({git for folder in sys.argv[1:] for git in _repositories(Path(folder))})
    locked: Counter[tuple[Ecosystem, str]] = Counter()
    asked: Counter[tuple[Ecosystem, str]] = Counter()
    for clone in clones:
        listings = list(_listings(clone))
        own = {(one.ecosystem, name) for _, one in listings for name in one.names}
        own |= {(one.ecosystem, held.name) for _, one in listings for held in one.held if held.own}
        locked.update({(one.ecosystem, held.name) for _, one in listings for held in one.held if not held.source} - own)
        asked.update({(one.ecosystem, name.name) for _, one in listings for name in one.asked if not name.source} - own)
    for ecosystem, (least, alone) in LEAST.items():
        names = {name for (kind, name), seen in locked.items() if kind == ecosystem and seen >= least}
        names |= {name for (kind, name), seen in asked.items() if kind == ecosystem and seen >= alone}
        if ecosystem == "pypi":
            names |= _of_modules()
        said = f"{len(names)} names that locks and manifests of {len(clones)} public projects hold"
        head = f"# {said}; tools.tables.packages_seen\n"
        path = TABLES / f"seen-{ecosystem}.txt"
        path.write_text(head + "".join(f"{name}\n" for name in sorted(names) if _is_sound(name)), encoding="utf-8")
        sys.stdout.write(f"{path.name}: {len(names):,} names, {path.stat().st_size:,} bytes\n")


# Private


def _of_modules() -> set[str]:
    """The distributions that the table of modules names, see tools.tables.import_names."""
    lines = (TABLES / "modules.txt").read_text(encoding="utf-8").split("\n")
    return {name for line in lines if not line.startswith("#") for name in line.split()[1:]}


def _repositories(folder: Path) -> Iterator[Path]:
    for one in (folder, *folder.glob("*"), *folder.glob("*/repo")):
        for git in (one, one / ".git"):
            if (git / "HEAD").is_file() and (git / "objects").is_dir():
                yield git


def _git(clone: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(
        ["git", "--git-dir", str(clone), *arguments], input=stdin, capture_output=True, check=False
    ).stdout


def _listings(clone: Path) -> Iterator[tuple[str, Listing]]:
    paths = [
        path
        for path in _git(clone, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode("utf-8", "replace").split("\0")
        if path and "\n" not in path and counts(path)
    ]
    asked = "".join(f"HEAD:{path}\n" for path in paths).encode()
    output = _git(clone, "cat-file", "--batch", stdin=asked)
    at = 0
    for path in paths:
        head, _, _ = output[at : at + 500].partition(b"\n")
        at += len(head) + 1
        words = head.split()
        if len(words) != 3 or words[1] != b"blob":
            continue
        content = output[at : at + int(words[2])]
        at += int(words[2]) + 1
        try:
            listing = read_listing(path, content)
        except UnreadableError:
            continue
        if is_lock(path) or listing.asked or listing.names:
            yield path, listing


def _is_sound(name: str) -> bool:
    return 1 < len(name) < 80 and name.isascii() and name.isprintable() and " " not in name


if __name__ == "__main__":
    main()
