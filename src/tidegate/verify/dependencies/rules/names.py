"""New names: those that nothing vouches for, that look like another, or that are not wanted here."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from tidegate.facts import DependencyEvidence, Finding, Place, Severity
from tidegate.settings import DependencySettings
from tidegate.verify.dependencies.compare import Delta
from tidegate.verify.dependencies.evidence import is_allowed, matches
from tidegate.verify.dependencies.near import near_miss, skeletons_of, well_known

WORDS = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "cargo": "crates.io",
    "maven": "Maven",
    "gem": "RubyGems",
    "composer": "Packagist",
}


class New(Struct, frozen=True):
    """A name that the change brings to the repository, with what vouches for it."""

    delta: Delta
    evidence: DependencyEvidence

    @property
    def name(self) -> str:
        return self.delta.name

    @property
    def written(self) -> str:
        after = self.delta.after
        return (after.written or after.name) if after else self.name

    @property
    def place(self) -> Place:
        return place_of(self.delta)


def place_of(delta: Delta) -> Place:
    return Place(delta.file.path, delta.after.line if delta.after else 0)


def judge_names(new: Collection[New], used: Collection[str], settings: DependencySettings) -> Iterator[Finding]:
    """Findings on new names. `used` are the names that the repository asked for before, of any ecosystem."""
    for one in new:
        ecosystem = one.delta.file.ecosystem
        if matches(ecosystem, one.name, settings.deny):
            yield Finding(
                "dependency-denied",
                "high",
                f"{one.written} may not come in: it is on the list [dependencies] deny.",
                one.place,
                "take it out, or ask whoever keeps the list",
            )
            continue
        after = one.delta.after
        if one.evidence == "allowed" or is_allowed(ecosystem, one.name, settings) or after is None or after.source:
            continue
        yield from _unknown(one)
        yield from _near(one, used)


# Private


def _unknown(one: New) -> Iterator[Finding]:
    if one.evidence != "unknown":
        return
    ecosystem = one.delta.file.ecosystem
    known = one.name in well_known(ecosystem)
    severity: Severity = "low" if known else "medium"
    told = "a name that many projects use, but" if known else f"a name of {WORDS[ecosystem]} that"
    message = f"{one.written} is new and nothing here vouches for it: {told} no lock holds with its hash."
    if not known:
        message = (
            f"{one.written} is new and nothing here vouches for it: no lock holds it with its hash, it is not "
            f"installed, no list allows it, and no project that Tidegate knows of uses this name of {WORDS[ecosystem]}."
        )
    yield Finding(
        "dependency-unknown",
        severity,
        message,
        one.place,
        "make sure that the package exists and is the one that is meant, lock it with its hash, or allow it",
    )


def _near(one: New, used: Collection[str]) -> Iterator[Finding]:
    ecosystem = one.delta.file.ecosystem
    known = well_known(ecosystem)
    if one.name in known:
        return
    every = known | frozenset(used)
    other, how = near_miss(one.name, every - {one.name}, skeletons_of(every - {one.name}))
    adds = how.startswith("it adds")
    if not other or (adds and one.evidence != "unknown"):
        return
    severity: Severity = (
        "low" if adds or one.evidence == "installed" else "high" if one.evidence == "unknown" else "medium"
    )
    yield Finding(
        "dependency-near-miss",
        severity,
        f"{one.written} is new and close to the well-known {other} ({how}): it may be another package than is meant.",
        one.place,
        f"write {other} if that is meant; else allow {one.written} in [dependencies] allow",
    )
