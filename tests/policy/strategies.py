"""Documents as collectors write them, and random conditions over the catalogue."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tidegate.policy.explanation import page_ids
from tidegate.policy.fields import Field, catalogue, fields_of
from tidegate.policy.trial import neutral_document, with_totals

OID = "a1" * 20


def realistic_document() -> dict[str, Any]:
    """A pull request of an agent that touches auth: everything is known, no list is empty, all adds up."""
    document = copy.deepcopy(neutral_document())
    for section, facts in _REALISTIC.items():
        document[section] |= copy.deepcopy(facts)
    document["now"] = "2026-03-01T12:00:00Z"
    return with_totals(document)


def careless_document() -> dict[str, Any]:
    """The same, large and broad, without tests or words, approved in a minute by the prompter and by a bot."""
    document = realistic_document()
    document["change"] |= {
        "domains": ["auth", "ci-cd", "migrations", "payments"], "breadth": 4, "test_files": 0, "test_lines_added": 0,
        "source_lines_added": 900, "source_lines_deleted": 40, "critical_domains": ["auth", "payments"],
    }  # fmt: skip
    written = {"added": 90, "ai": 40, "human": 0, "mixed": 10, "unknown": 40}
    document["provenance"] |= {
        "lines": written, "source_lines": written, "critical_lines": written, "unaccountable_lines": 9,
        "evidence": {"E5": 0, "E4": 50, "E3": 0, "E2": 0, "E1": 0, "E0": 40},
    }  # fmt: skip
    document["provenance"]["findings"] = [{**_FINDING, "rule": "note-replayed"}]
    (review,) = document["review"]["reviews"]
    document["review"]["reviews"] = [
        {**review, "account": "alice", "person": "alice"},
        {**review, "account": "claude[bot]", "person": "", "kind": "bot"},
        {**review, "account": "carol", "person": "carol", "state": "changes-requested"},
    ]
    document["review"] |= {"reviews_total": 3, "lines_per_hour": 54000.0}
    return with_totals(document)


def unknown_document() -> dict[str, Any]:
    """A bare diff on a machine that has nothing else: most sections are unknown."""
    document = realistic_document()
    for section in ("repository", "reach", "infra", "verification", "risk", "history", "review"):
        document[section] = {"status": "unknown", "unknowns": [{"path": section, "reason": "not collected"}]}
    document["change"]["status"] = "partial"
    document["change"]["unknowns"] = [{"path": "change.domain_hits", "reason": "a file is too large"}]
    document["provenance"]["status"] = "partial"
    document["provenance"]["unknowns"] = [{"path": "provenance.spans", "reason": "no repository"}]
    return document


def quiet_document() -> dict[str, Any]:
    """A change of nothing by nobody."""
    return copy.deepcopy(neutral_document())


DOCUMENTS = {
    "realistic": realistic_document,
    "careless": careless_document,
    "unknown": unknown_document,
    "quiet": quiet_document,
}


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    """A condition that is accepted when it is loaded."""
    kind = draw(st.sampled_from(("leaf", "leaf", "and", "or", "not"))) if depth else "leaf"
    if kind == "leaf":
        path = draw(st.sampled_from(_ROOTS))
        return draw(_about(catalogue()[path], path, 0))
    if kind == "not":
        return f"!({draw(conditions(depth - 1))})"
    joint = " && " if kind == "and" else " || "
    return f"({draw(conditions(depth - 1))}{joint}{draw(conditions(depth - 1))})"


@st.composite
def _about(draw: st.DrawFn, field: Field, text: str, depth: int) -> str:
    """A condition about one value that is written `text`."""
    if field.kind == "text":
        return draw(_about_text(field, text))
    if field.kind == "count":
        side = f"{draw(st.integers(0, 12))}"
        form = draw(
            st.sampled_from(("{} {} {}", "{} + 1 {} {}", "100 / {} {} {}", "{} * {} > 5", "double({}) {} {}.5"))
        )
        if form == "{} * {} > 5":
            return form.format(text, side)
        return form.format(text, draw(st.sampled_from(_ORDER)), side)
    if field.kind == "number":
        return f"{text} {draw(st.sampled_from(_ORDER))} {draw(st.sampled_from(('0.0', '0.25', '1.0', '0', '1')))}"
    if field.kind == "flag":
        return draw(st.sampled_from((text, f"!{text}", f"{text} == false", f"({text} ? true : false)")))
    element = catalogue()[f"{field.path}[]"]
    return draw(_about_list(element, text, depth))


@st.composite
def _about_text(draw: st.DrawFn, field: Field, text: str) -> str:
    values = field.values or ("", "a", "auth", "alice", "2026", OID)
    if field.path in _DOMAINS:
        values = ("auth", "secrets", "ci-cd")
    if field.path.endswith("findings[].rule"):
        values = page_ids()[:5]
    value = json.dumps(draw(st.sampled_from(values)))
    forms = ["{} == {}", "{} != {}", "{} in [{}]", "!({} in [{}])", "{}.startsWith({})", "{}.contains({})"]
    forms += ["size({}) > size({})", "{}.matches({})"]
    if not field.values:
        forms += ["{} < {}", "{} >= {}"]
    return draw(st.sampled_from(forms)).format(text, value)


@st.composite
def _about_list(draw: st.DrawFn, element: Field, text: str, depth: int) -> str:
    forms = ["size({}) {} {}", "{}.filter({v}, {p}).size() {o} {n}", "{}.{m}({v}, {p})", "{} == []", "{} != []"]
    form = draw(st.sampled_from(forms))
    number, order = draw(st.integers(0, 3)), draw(st.sampled_from(_ORDER))
    if form.startswith("size"):
        return form.format(text, order, number)
    if "{v}" not in form:
        return form.format(text)
    variable = f"v{depth}"
    inner = variable
    field = element
    while field.kind == "group":
        choices = [f for f in fields_of(field.path).values() if depth == 0 or f.kind != "list"]
        field = draw(st.sampled_from(choices))
        inner = f"{inner}.{field.path.rpartition('.')[2]}"
    predicate = draw(_about(field, inner, depth + 1))
    macro = draw(st.sampled_from(("exists", "all", "exists_one")))
    return form.format(text, v=variable, p=predicate, m=macro, o=order, n=number)


_ORDER = ("<", "<=", ">", ">=", "==", "!=")
_ROOTS = [path for path, field in catalogue().items() if field.kind != "group" and "[]" not in path]
_DOMAINS = (
    "change.domains[]",
    "change.critical_domains[]",
    "provenance.ai_domains[]",
    "change.files[].domains[]",
    "change.domain_hits[].domain",
)


def _file(path: str, **more: Any) -> dict[str, Any]:
    plain = {
        "path": path, "old_path": path, "status": "modified", "kind": "source", "language": "python", "added": 4,
        "deleted": 1, "generated": False, "vendored": False, "executable_changed": False, "domains": [],
        "critical": False,
    }  # fmt: skip
    return plain | more


_LINES = {"added": 12, "ai": 6, "human": 2, "mixed": 1, "unknown": 3}
_FINDING = {
    "rule": "note-over-reach", "severity": "medium", "message": "a note claims lines that are not there",
    "place": {"path": "src/login.py", "line": 3, "end_line": 9}, "mend": "annotate again",
}  # fmt: skip
_NOWHERE = {"path": "", "line": 0, "end_line": 0}


def _effect(code: str, severity: str) -> dict[str, Any]:
    return {
        "code": code, "severity": severity, "address": "a.b", "reason": "it is gone", "reversible": False,
        "back": "restore the snapshot", "dependents": ["a.c"], "path": ["a.d", "a.b"], "mitigations": ["a snapshot"],
        "certainty": "certain", "environment": "production", "source": "terraform plan", "place": _NOWHERE,
    }  # fmt: skip


_REALISTIC: dict[str, dict[str, Any]] = {
    "repository": {
        "name": "acme/shop", "head_branch": "limit", "default_branch": "main", "object_format": "sha1",
        "shallow": False, "findings": [],
    },
    "change": {
        "kind": "pull-request", "chosen": "the pull request", "base": "b0" * 20, "head": OID, "base_tree": "b1" * 20,
        "head_tree": "c1" * 20, "target": "main", "source": "limit", "title": "Limit log-ins", "author": "alice",
        "labels": ["security"], "merges": 0, "commits_total": 1, "files_total": 3, "lines_added": 12,
        "lines_deleted": 3, "source_files": 2, "source_lines_added": 8, "source_lines_deleted": 2, "test_files": 1,
        "test_lines_added": 4, "domains": ["auth", "secrets", "ci-cd"], "critical_domains": ["auth"], "breadth": 3,
        "policy_files": ["tidegate.toml"], "owners_files": [".github/CODEOWNERS"], "findings": [_FINDING],
        "commits": [{
            "oid": OID, "parents": 1, "author": "alice", "committer": "alice", "authored_at": "2026-02-28T10:00:00Z",
            "committed_at": "2026-02-28T10:00:00Z", "subject": "Limit log-ins",
        }],
        "files": [
            _file("src/login.py", domains=["auth", "secrets"], critical=True),
            _file("tests/test_login.py", kind="test"),
            _file(".github/workflows/ci.yml", kind="config", language="yaml", domains=["ci-cd"]),
        ],
        "domain_hits": [{"domain": "auth", "path": "src/login.py", "line": 3, "reason": "the path says login"}],
        "intent": {"what": "a limit", "why": "", "rollback": "", "ticket": "", "tests": "",
            "missing": ["why", "rollback", "ticket"],
        },
        "place": {"before": "T1", "after": "T2", "raised": True, "missing": ["builds"]},
    },
    "provenance": {
        "lines": _LINES, "source_lines": _LINES, "critical_lines": {**_LINES, "added": 8, "human": 0, "unknown": 1},
        "ai_share": 0.5833, "unknown_share": 0.25,
        "evidence": {"E5": 0, "E4": 7, "E3": 0, "E2": 2, "E1": 0, "E0": 3},
        "agents": [{"tool": "claude", "model": "opus", "lines": 7, "sessions": 1, "evidence": "E4"}],
        "accountable": [{"person": "alice", "lines": 9, "ai_lines": 7}], "unaccountable_lines": 0,
        "prompters": ["alice"], "authors": ["alice"], "ai_domains": ["auth"],
        "files": [{"path": "src/login.py", "added": 4, "ai": 4, "human": 0, "mixed": 0, "unknown": 0}],
        "spans": [{
            "path": "src/login.py", "line": 1, "end_line": 4, "writer": "ai", "tool": "claude", "model": "opus",
            "session": "s", "prompt": "p", "human": "alice", "role": "author", "evidence": "E4", "source": "note",
            "commit": OID, "blank": 0,
        }],
        "declarations": [{
            "commit": OID, "tool": "claude", "model": "opus", "role": "co-author", "evidence": "E2", "where": "trailer",
            "text": "Co-authored-by: Claude", "session": "",
        }],
        "conflicts": [{
            "path": "src/login.py", "line": 1, "end_line": 2,
            "claims": [{"writer": "ai", "tool": "claude", "model": "opus", "evidence": "E4", "source": "note"}],
        }],
        "notes_read": 1, "findings": [_FINDING],
    },
    "reach": {
        "symbols": 12, "silent": 1, "reached": 40, "tests": 7, "entry_points": ["POST /login"],
        "services": ["jobs", "mail", "mobile", "shop"], "critical_services": ["shop"],
        "service_owners": [{"service": "shop", "owner": "@carol"}], "owners": ["@acme/auth"], "unresolved_share": 0.1,
        "unread_files": 1, "recorded": True, "findings": [],
    },
    "infra": {
        "severity": "critical",
        "effects": [
            _effect("DATA_DESTROY", "critical"),
            _effect("OUTAGE_FULL", "high"),
            _effect("NET_EXPOSE", "high"),
            _effect("OBSERV_DOWN", "medium"),
        ],
        "effects_total": 4, "removals": 1, "environments": ["production"], "actor": "agent",
        "unjudged": [{"address": "a.b", "reason": "known after apply", "mend": "", "place": _NOWHERE}],
        "drift": [{
            "kind": "changed-by-hand", "address": "a.b", "reason": "grown", "attributes": ["size"], "undone": True,
        }],
        "plans": [{"name": "plan.json", "digest": "e1" * 32, "tool": "terraform plan", "changes": 4}],
        "files": ["main.tf"], "findings": [],
    },
    "verification": {
        "coverage": {
            "lines": 12, "covered": 6, "share": 0.5, "branches": 4, "branches_covered": 1, "critical_lines": 6,
            "critical_share": 0.5, "unmeasured_files": ["src/login.py"], "reports": ["coverage.xml"],
        },
        "tests": {"ran": 3, "fail_before": 0, "existence": 0, "pass_before": 2, "unknown": 1, "failed": 0},
        "mutation": {
            "mutants": 8, "killed": 3, "survived": 5, "uncovered": 2, "dismissed": 0, "killed_share": 0.375,
            "critical_mutants": 4, "critical_killed_share": 0.25, "source": "tidegate",
            "survivors": [{"place": _NOWHERE, "mutation": "< became <=", "covered": True}],
        },
        "suite": {"added": 1, "removed": 2, "changed": 1, "vacuous": 1, "weakened": 2},
        "runs": {"tests": 40, "failed": 1, "skipped": 2, "retried": 1, "quarantined": 0, "reports": ["junit.xml"]},
        "dependencies": [{
            "name": "left-pad", "ecosystem": "npm", "change": "added", "before": "", "after": "1.3.0",
            "evidence": "unknown", "development": False, "place": _NOWHERE,
        }],
        "unknown_dependencies": ["left-pad"],
        "clones": [{"place": _NOWHERE, "other": _NOWHERE, "lines": 40, "kind": 2, "similarity": 0.9}],
        "cloned_lines": 40,
        "debt": {
            "functions_grown": 2, "complexity_added": 9, "todos_added": 1, "swallowed": 1, "fragile_calls": 1,
            "dead": 0, "undocumented": 1,
        },
        "secrets": 1,
        "access_removed": [
            {"what": "export", "guard": "login_required", "instead": "", "base_line": 3, "place": _NOWHERE},
        ],
        "breaks": [{"contract": "openapi", "what": "GET /login is gone", "place": _NOWHERE}],
        "scanners": ["semgrep"], "findings": [],
    },
    "risk": {
        "probability": 0.3, "usual": 0.12, "percentile": 0.9, "band": "high", "impact": 0.4, "impact_band": "moderate",
        "factors": [
            {"name": "size", "words": "120 lines added", "weight": 0.7},
            {"name": "experience", "words": "900 earlier changes by the author", "weight": -0.2},
        ],
        "impact_factors": [{"name": "critical-domains", "words": "touches auth", "weight": 0.3}],
        "lines": [{"path": "src/login.py", "line": 3, "words": "a new condition; in auth"}],
        "model": "own", "model_digest": "d1" * 32, "findings": [],
    },
    "review": {
        "reviews": [{
            "account": "bob", "person": "bob", "kind": "human", "state": "approved", "commit": OID, "tree": "c1" * 20,
            "target": "main", "policy": "", "at": "2026-02-28T12:00:00Z", "evidence": "forge-click", "facts": "",
            "expires": "", "problem": "",
        }],
        "reviews_total": 1, "opened_at": "2026-02-28T10:30:00Z", "head_at": "2026-02-28T10:30:00Z",
        "merge_tree": "", "lines_per_hour": 120.0, "readers": [], "findings": [],
    },
    "history": {
        "changes": 100, "since": "2024-01-01T00:00:00Z", "matured": 80, "repaired": 8, "repaired_share": 0.1,
        "reverted": 2, "author_changes": 11, "files_repaired": 1, "findings": [],
        "agents": [
            {"tool": "claude", "model": "opus", "changes": 40, "odds_ratio": 1.2, "low": 0.8, "high": 1.9},
        ],
    },
}  # fmt: skip
