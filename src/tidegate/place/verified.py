"""What the checks of a change say of a whole application: keys in the code, packages, silent calls, infrastructure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.change.values import show_path
from tidegate.facts import Finding
from tidegate.infra.collect import judge_found, read_families
from tidegate.infra.families import FAMILIES
from tidegate.place.code import ASIDE, Code
from tidegate.place.values import Seen, Verified
from tidegate.verify.debt.fragile import fragile_calls
from tidegate.verify.dependencies import check as dependencies
from tidegate.verify.dependencies.manifests.registry import is_lock
from tidegate.verify.secrets import LONGEST_LINE, find_secrets
from tidegate.verify.values import Part, Subject

OPENS = frozenset(("NET_EXPOSE", "IAM_WIDEN", "IAM_TRUST", "PRIV_ESC", "TLS_OFF", "SUPPLY_CHAIN"))
"""Effects of its own infrastructure that matter where it is put: what it opens and permits."""

SUSPECT = frozenset(
    ("dependency-unknown", "dependency-near-miss", "dependency-denied", "source-not-registry", "lock-disagrees")
)
MANIFESTS = frozenset(
    (
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "Pipfile",
        "Gemfile",
        "go.mod",
        "Cargo.toml",
        "composer.json",
    )
)
NO_LOCK_NEEDED = frozenset(("go.mod",))
FRAME = ("terraform", "cloudformation", "kubernetes", "workflows", "pipelines", "containers")


class Checked(Struct, frozen=True):
    """What was verified, and what could not be, by area."""

    verified: Verified
    unknowns: Mapping[str, str]


def read_verified(subject: Subject, codes: Mapping[str, Code]) -> Checked:
    """Everything that the checks find in all of its files."""
    secrets, packages = find_secrets(subject), dependencies.check(subject)
    unknowns = {
        area: part.unknowns[0].reason
        for area, part in (("keys in it", secrets), ("packages", packages))
        if part.unknowns
    }
    if "keys in it" in unknowns:
        unknowns["keys in it"] += _long_lines(subject)
    effects, unjudged = _effects(subject.trees)
    if unjudged:
        unknowns["its infrastructure"] = unjudged
    facts = packages.fields.get("dependencies", ())
    fragile = tuple(
        Seen(path, site.line, site.message)
        for path, code in sorted(codes.items())
        if code.kind == "source"
        for site in fragile_calls(code.source)
    )
    return Checked(
        Verified(
            secrets=tuple(_seen(one) for one in secrets.findings),
            packages=len(facts),
            dependency_faults=_faults(packages),
            unlocked=_unlocked(subject.trees),
            fragile=fragile,
            effects=effects,
        ),
        unknowns,
    )


# Private


def _seen(finding: Finding) -> Seen:
    return Seen(finding.place.path, finding.place.line, finding.message)


def _faults(part: Part) -> tuple[Seen, ...]:
    return tuple(
        sorted(
            {
                _seen(one)
                for one in part.findings
                if one.rule in SUSPECT and one.severity not in ("note", "low") and not ASIDE.search(one.place.path)
            }
        )
    )


def _unlocked(trees: Trees) -> tuple[Seen, ...]:
    """Manifests without a lock beside or above them, or a list of requirements that pins every version itself."""
    paths = [path for path in trees.after.paths() if not ASIDE.search(path) and "node_modules/" not in path]
    folders = {path.rpartition("/")[0] for path in paths if is_lock(path.rpartition("/")[2])}
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name not in MANIFESTS or name in NO_LOCK_NEEDED:
            continue
        above = folder
        while above and above not in folders:
            above = above.rpartition("/")[0]
        if above not in folders and not _is_pinned(trees, path, name):
            found.append(Seen(path, 0, "asks for packages, and no lock says which versions were tried"))
    return tuple(found)


def _is_pinned(trees: Trees, path: str, name: str) -> bool:
    text = trees.after.read([path]).get(path, b"").decode("utf-8", "replace")
    if name == "requirements.txt":
        lines = [line.split("#")[0].strip() for line in text.splitlines()]
        return all("==" in line or line.startswith("-") or not line for line in lines)
    if name == "package.json":
        return '"dependencies"' not in text
    return name == "pyproject.toml" and "dependencies" not in text


def _effects(trees: Trees) -> tuple[tuple[Seen, ...], str]:
    """What its own files would open or permit if all of them were applied, and what of them cannot be judged."""
    families = [family for family in FAMILIES if family.name in FRAME]
    mine = tuple(
        Pair("", pair.after) for pair in trees.changed if pair.after and any(one.claims(pair.after) for one in families)
    )
    if not mine:
        return (), ""
    judged = judge_found(read_families(Trees(trees.before, trees.after, mine)), "unknown")
    found = {
        Seen(one.place.path, one.place.line, f"{one.address}: {one.reason}")
        for one in judged.effects
        if one.code in OPENS and one.severity in ("high", "critical")
    }
    doubtful = [f"{one.address}: {one.reason}" for one in judged.unjudged]
    more = f", and {len(doubtful) - 1} more" if len(doubtful) > 1 else ""
    return tuple(sorted(found)), doubtful[0] + more if doubtful else ""


def _long_lines(subject: Subject) -> str:
    """Which files hold the lines that are too long."""
    long = [
        show_path(file.path)
        for file in subject.change.files
        if file.by_hand and any(len(line) > LONGEST_LINE for hunk in file.hunks for line in hunk.added)
    ]
    return f": {', '.join(long[:3])} ([files] generated names what a machine wrote)" if long else ""
