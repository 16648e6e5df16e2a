"""Writes the section `verification` of the facts: every check behind its own fence."""

from __future__ import annotations

from typing import Any

from tidegate.change.trees import Trees, given, pairs_of, tree_of
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
from tidegate.facts import Finding, Unknown, Verification
from tidegate.verify.checks import CHECKS, Asked
from tidegate.verify.values import Part, Subject

MOST_AT_ONCE = 2_000
_OWN = ("status", "unknowns", "findings")


def collect(change: Change, context: Context) -> Verification:
    """What was verified of the change, from its text and from the reports that were given. Nothing is executed.

    What no check could tell is unknown, with the reason and what would help. Raises InputError for a report that
    cannot be read.
    """
    if context.repository is None or not change.base_tree or not change.head_tree:
        subject = Subject(change, given({}, {}), context.settings)
        return section_of([_fenced(asked, subject) if asked.of_lines else _without_files(asked) for asked in CHECKS])
    before, after = (tree_of(context.repository, tree) for tree in (change.base_tree, change.head_tree))
    pairs = pairs_of(change)
    if len(pairs) <= MOST_AT_ONCE:  # one question for what every check would ask for itself
        before.read(pair.before for pair in pairs if pair.before)
        after.read(pair.after for pair in pairs if pair.after)
    subject = Subject(
        change=change,
        trees=Trees(before, after, pairs),
        settings=context.settings,
        now=context.now,
        coverage=context.coverage,
        junit=context.junit,
        sarif=context.sarif,
        mutation=context.mutation,
        kept=context.repository.common_dir / "tidegate" / "verify",
    )
    return section_of([_fenced(asked, subject) for asked in CHECKS])


def section_of(parts: list[Part]) -> Verification:
    """The parts as one section. A field that no part writes is unknown."""
    fields: dict[str, Any] = {}
    findings: list[Finding] = []
    unknowns: list[Unknown] = []
    for part in parts:
        fields |= part.fields
        findings += part.findings
        unknowns += part.unknowns
    said = {unknown.path.split(".")[1] for unknown in unknowns if "." in unknown.path}
    for name in Verification.__struct_fields__:
        if name not in _OWN and name not in fields and name not in said:
            unknowns.append(Unknown(f"verification.{name}", "not collected"))
    return Verification(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        findings=tuple(dict.fromkeys(findings)),
        **fields,
    )


# Private


def _without_files(asked: Asked) -> Part:
    reason = "there is no repository to read the files from"
    return Part(unknowns=tuple(Unknown(f"verification.{name}", reason) for name in asked.writes))


def _fenced(asked: Asked, subject: Subject) -> Part:
    """What a check says; where it fails by itself, its fields are unknown and the others stand."""
    try:
        return asked.check(subject)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 the fence around a check
        reason = f"the check of {asked.name} failed ({type(error).__name__})"
        return Part(unknowns=tuple(Unknown(f"verification.{name}", reason) for name in asked.writes))
