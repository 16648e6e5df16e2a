"""Names that are taken for others: one letter off, other separators, another scope, a plausible word added."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files

from tidegate.verify.dependencies.values import Ecosystem

SHORTEST = 5
"""Of shorter names too many real ones lie one letter apart."""


@cache
def well_known(ecosystem: Ecosystem) -> frozenset[str]:
    """Names that the locks of many public projects hold (`tables/seen-*.txt` says of which), and `famous.txt`."""
    folder = files("tidegate.verify.dependencies") / "tables"
    famous = (folder / "famous.txt").read_text(encoding="utf-8").split("\n")
    names = {name for line in famous if line.startswith(f"{ecosystem} ") for name in line.split()[1:]}
    table = folder / f"seen-{ecosystem}.txt"
    lines = table.read_text(encoding="utf-8").split("\n") if table.is_file() else []
    return frozenset(names.union(line for line in lines if line and not line.startswith("#")))


def near_miss(name: str, known: Collection[str], skeletons: dict[str, str]) -> tuple[str, str]:
    """The known name that a name may be taken for, and how they differ; ("", "") for none and for a known one.

    `skeletons` are the known names without their separators, see `skeletons_of`.
    """
    if name in known:
        return "", ""
    folded = fold(name)
    if folded != name and folded in known:
        return folded, "letters of another script look the same"
    for plain in (name.translate(table) for table in _DIGITS):
        if plain != name and plain in known and len(plain) >= SHORTEST:
            return plain, "digits stand for letters"
    same = skeletons.get(_skeleton(name), "")
    if same:
        return same, "only separators or the scope differ"
    if len(name) >= SHORTEST:
        for edit in sorted(_edits(name)):
            if edit in known and len(edit) >= SHORTEST - 1:
                return edit, "one letter differs"
    ordered = "-".join(sorted(_words(name)))
    turned = skeletons.get(f"~{ordered}", "")
    if turned and "-" in ordered:
        return turned, "the words stand in another order"
    for rest, affix in _without_affix(name):
        if rest in known:
            return rest, f"it adds {affix}"
    return "", ""


def fold(name: str) -> str:
    """A name with the letters of other scripts that look like Latin ones written as those."""
    plain = unicodedata.normalize("NFKD", name.translate(_ALIKE)).lower()
    return "".join(letter for letter in plain.translate(_ALIKE) if not unicodedata.combining(letter))


def skeletons_of(known: Collection[str]) -> dict[str, str]:
    """Known names by what is left without separators and, behind `~`, by their sorted words."""
    found: dict[str, str] = {}
    for name in sorted(known):
        found.setdefault(_skeleton(name), name)
        words = sorted(_words(name))
        if len(words) > 1:
            found.setdefault(f"~{'-'.join(words)}", name)
    return found


# Private

_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u03bf\u03b1\u03b9\u03bd\u03c1\u0131\u0261"
    "\u043a\u043c\u0442\u0432\u043d\u03ba\u03c4\u2010\u2011\u2012\u2013\u2212",
    "aeopcyxijshdqwoaivpigkmtbhkt-----",
)
_DIGITS = (str.maketrans("013457", "oleast"), str.maketrans("013457", "oieast"))
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_./@"
_PREFIXES = ("python-", "python3-", "py-", "py", "node-", "js-", "lib", "go-", "the-")
_SUFFIXES = (
    *("-js", ".js", "js", "-py", "-python", "-python3", "-node", "-ts", "-lib", "-sdk", "-api", "-pro", "-plus"),
    *("-v2", "-v3", "-ng", "-next", "2", "3", "s", "-tools", "-utils", "-util", "-helper", "-helpers", "-core"),
    *("-official", "-latest", "-client", "-package", "-module", "-lite", "-async"),
)
_LIKELY = ("-api", "-sdk", "-core", "-utils", "-util", "-client", "-tools", "-async", "-helpers", "-helper", "-lite")


def _skeleton(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]


def _edits(name: str) -> set[str]:
    """Every text that is one letter added, dropped, replaced, or two neighbours swapped away."""
    cuts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    found = {left + right[1:] for left, right in cuts if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    found |= {left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS}
    found |= {left + letter + right for left, right in cuts for letter in _LETTERS}
    return found - {name}


def _without_affix(name: str) -> Iterator[tuple[str, str]]:
    for prefix in _PREFIXES:
        if name.startswith(prefix) and len(name) - len(prefix) >= SHORTEST:
            yield name[len(prefix) :], f"{prefix!r} before"
    for suffix in _SUFFIXES:
        rest = name.removesuffix(suffix)
        if rest != name and len(rest) >= SHORTEST - (suffix in _LIKELY):
            yield rest, f"{suffix!r} behind"
    if name.startswith("@") and "/" in name:
        scope, _, rest = name[1:].partition("/")
        if scope != "types" and len(rest) >= SHORTEST:
            yield rest, f"the scope @{scope}"
