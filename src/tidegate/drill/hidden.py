"""The change that never happened, judged as if it had: the real collectors and the real policy of the base."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from tidegate.assess import Assessment, Request, assess
from tidegate.change.ends import Question
from tidegate.change.git import Repository
from tidegate.drill.clone import NOTES, PERSON, Made, commit_files, declare
from tidegate.drill.values import Gate, RuleAnswer
from tidegate.facts import Facts
from tidegate.policy.verdict import RuleResult
from tidegate.provenance.annotate import Author
from tidegate.report.escape import plain

HOUR = 3_600
LAST_MOMENT = 253_402_000_000
TOOL, MODEL = "drill-agent", "made-up-1"
MOST_WHY = 300
_COMMENTS = {
    b"#": (
        ".py",
        ".rb",
        ".tf",
        ".tfvars",
        ".yaml",
        ".yml",
        ".toml",
        ".sh",
        ".properties",
        ".txt",
        "Gemfile",
        "Dockerfile",
    ),
    b"//": (".js", ".jsx", ".mjs", ".ts", ".tsx", ".go", ".java", ".kt", ".php", ".cs", ".rs", ".mod"),
    b"--": (".sql",),
}


class Judged(Struct, frozen=True):
    """What the gate says of the hidden change, and what is known of its reach."""

    gate: Gate
    entry_points: tuple[str, ...]
    services: tuple[str, ...]
    tests: int
    facts: Facts


def moment_of(base_at: int) -> int:
    """When the hidden change was made: an hour after its base, so that the same base gives the same bytes."""
    return max(0, min(base_at, LAST_MOMENT - HOUR)) + HOUR


def text_of(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def message_of(subject: str, prompt: str) -> str:
    """What the commit says: its subject, what was asked, and that an agent helped, as it would declare it."""
    return f"{subject}\n\n{prompt}\n\nAssisted-by: {TOOL}:{MODEL}\n"


def author_of(session: str) -> Author:
    return Author(person=PERSON, tool=TOOL, model=MODEL, session=session)


def judge(clone: Repository, made: Made, session: str, at: int, environment: Mapping[str, str]) -> Judged:
    """Run the policy of the base on a commit of the clone, and on one that changes the same files and does nothing."""
    declare(clone, made.commit, author_of(session), text_of(at))
    found = _assess(clone, made.commit, at, environment)
    anyway = _held_anyway(clone, made, session, at, environment)
    held = tuple(_answer(rule, anyway) for rule in found.verdict.rules if _holds(rule))
    facts = found.facts
    unknown = tuple(
        dict.fromkeys(plain(str(one), MOST_WHY) for section in (facts.reach, facts.infra) for one in section.unknowns)
    )
    return Judged(
        Gate(found.verdict.outcome, plain(found.verdict.policy, 300), held, unknown[:20]),
        tuple(plain(name, 120) for name in facts.reach.entry_points[:40]),
        tuple(plain(name, 120) for name in facts.reach.services[:40]),
        facts.reach.tests,
        facts,
    )


# Private


def _assess(clone: Repository, commit: str, at: int, environment: Mapping[str, str]) -> Assessment:
    request = Request(question=Question(change=commit), stage="merge", now=text_of(at + HOUR), environment=environment)
    return assess(request, clone)


def _holds(rule: RuleResult) -> bool:
    return rule.mode == "enforce" and rule.outcome in ("hold", "block")


def _held_anyway(
    clone: Repository, made: Made, session: str, at: int, environment: Mapping[str, str]
) -> frozenset[str]:
    """The rules that also hold a change of the same files, by the same agent, which adds but a comment to each.

    A file that is new is new and empty there.
    """
    parent = clone.resolve(f"{made.commit}^")
    files = _files_of(clone, parent, made.commit)
    if not files:
        return frozenset()
    message = message_of("Tidy up", "Add a comment.")
    still = commit_files(clone, parent, {path: _commented(path, text) for path, text in files.items()}, message, at)
    declare(clone, still.commit, author_of(session), text_of(at))
    found = _assess(clone, still.commit, at, environment)
    return frozenset(rule.id for rule in found.verdict.rules if _holds(rule))


def _commented(path: str, text: bytes) -> bytes:
    """The file with a comment at its end; with an empty line where it is not known how it writes comments."""
    name = path.rpartition("/")[2]
    suffix = name[name.rfind(".") :] if "." in name else name
    for lead, suffixes in _COMMENTS.items():
        if suffix in suffixes:
            return text + (b"" if text.endswith(b"\n") or not text else b"\n") + lead + b" as it was\n"
    return text + b"\n"


def _files_of(clone: Repository, parent: str, commit: str) -> dict[str, bytes]:
    listed = clone.run("diff", "--name-only", "--no-renames", "-z", parent, commit)
    names = [name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name]
    blobs = clone.read_blobs([f"{parent}:{name}" for name in names if "\n" not in name])
    contents = {blob.name: blob.content for blob in blobs if blob.kind == "blob"}
    return {name: contents.get(f"{parent}:{name}", b"") for name in names}


def _sees(rule: RuleResult) -> bool:
    """Whether a condition that holds reads what the change does, rather than where it is, by whom, or how far."""
    facts = (fact for one in rule.conditions if one.truth == "true" for fact in one.facts if fact.known)
    return any(fact.path.startswith(("infra.", "verification.")) for fact in facts)


def _answer(rule: RuleResult, anyway: frozenset[str]) -> RuleAnswer:
    always = all(condition.text.strip() == "true" for condition in rule.conditions)
    asked = [one.text for one in rule.obligations if one.state != "met"]
    why = f"{rule.title}: {'; '.join(asked)}" if asked else f"{rule.title}: {rule.reason}"
    return RuleAnswer(
        id=plain(rule.id, 100),
        title=plain(rule.title, 200),
        effect=rule.outcome,
        why=plain(why, MOST_WHY),
        always=always,
        anyway=rule.id in anyway or not _sees(rule),
    )


__all__ = ["HOUR", "LAST_MOMENT", "NOTES", "Judged", "author_of", "judge", "message_of", "moment_of", "text_of"]
