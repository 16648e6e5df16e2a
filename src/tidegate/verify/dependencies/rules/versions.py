"""Versions that are let loose, and those that leap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.facts import Finding, Severity
from tidegate.verify.dependencies.compare import Delta
from tidegate.verify.dependencies.rules.names import place_of
from tidegate.verify.dependencies.versions import is_any, is_exact, major


def judge_versions(changed: Iterable[Delta]) -> Iterator[Finding]:
    for delta in changed:
        before, after = delta.before, delta.after
        if (
            before is None
            or after is None
            or delta.file.commands
            or before.spec == after.spec
            or after.source
            or before.source
        ):
            continue
        ecosystem = delta.file.ecosystem
        if is_any(after.spec) or (is_exact(ecosystem, before.spec) and not is_exact(ecosystem, after.spec)):
            severity: Severity = "medium" if is_any(after.spec) else "low"
            yield Finding(
                "version-loosened",
                severity,
                f"{delta.name} was {before.spec or 'any'} and may now be {_shown(after.spec)}.",
                place_of(delta),
                "keep the bound, or say in the description why it goes",
            )
        old, new = major(before.spec), major(after.spec)
        if old is not None and new is not None and old != new:
            way = "up" if new > old else "down"
            yield Finding(
                "major-changed",
                "note",
                f"{delta.name} goes {way} from major version {old} to {new} ({before.spec} to {after.spec}).",
                place_of(delta),
                "read its list of changes for what breaks",
            )


# Private


def _shown(spec: str) -> str:
    return spec if spec not in ("", "*") else "any version"
