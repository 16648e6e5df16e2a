"""The place itself, as files: what an application of a tier is given, and nothing that it was not seen to need.

Only names that were checked are written (hosts, variables, ports); no value of a secret is known here. The same answer
gives the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tidegate.errors import InputError
from tidegate.place.make.kubernetes import kubernetes_files
from tidegate.place.make.terraform import terraform_files
from tidegate.place.make.wish import Wish
from tidegate.place.values import TIERS, Placement

__all__ = ["Wish", "make_place", "write_place"]


def make_place(placement: Placement, wish: Wish) -> Mapping[str, str]:
    """File names and contents. Raises InputError for a tier above the earned one and for names that are none."""
    if TIERS.index(wish.tier) > TIERS.index(placement.tier):
        raise InputError(
            f"it earns {placement.tier}, and a place of {wish.tier} was asked for",
            where="--tier",
            mend=f"tidegate place --target {wish.tier} says what is missing",
        )
    wish.check()
    return kubernetes_files(placement, wish) if wish.kind == "kubernetes" else terraform_files(placement, wish)


def write_place(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the files; a folder that holds other files of these names is written over, others are left alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _write(folder / name, content)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=str(folder), mend="name a folder that can be written"
        ) from error
    return tuple(files)


# Private


def _write(path: Path, content: str) -> None:
    """A link that a repository left there is refused, and so is a pipe that nobody reads."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666), "w", encoding="utf-8") as file:
        file.write(content)
