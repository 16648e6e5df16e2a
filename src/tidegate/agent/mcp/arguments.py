"""What each tool is asked with. These types are the input schemas that a client sees."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

_TEXT = r"^[^\x00-\x1f\x7f]*$(?!\n)"

Revision: TypeAlias = Annotated[str, Meta(max_length=300, pattern=_TEXT)]
Path: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=4096, description="A path from the top of the repository, with `/`.")
]
Lines: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^([1-9][0-9]{0,8}(-[1-9][0-9]{0,8})?)?$(?!\n)", description="`12` or `12-40`; empty: the whole file."
    ),
]
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=_TEXT)]
Line: TypeAlias = Annotated[str, Meta(max_length=200, pattern=_TEXT)]
EvidenceKind: TypeAlias = Literal["coverage", "junit", "sarif", "mutation"]


class Paged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to ask for what an earlier answer left out: its `cut` says with which values."""

    only: Annotated[str, Meta(max_length=40, description="Answer with this list alone, as `cut` names it.")] = ""
    offset: Annotated[int, Meta(ge=0, le=10_000_000, description="Skip so many elements of that list.")] = 0


class ChangeArguments(Paged, frozen=True, kw_only=True):
    """A change. With nothing given: what HEAD adds to its upstream branch."""

    what: Annotated[
        Literal["commits", "staged", "worktree"],
        Meta(
            description="`staged`: the index against HEAD. `worktree`: all that is not committed, untracked files too."
        ),
    ] = "commits"
    base: Annotated[Revision, Meta(description="Where the change starts: a branch or commit. Only with `commits`.")] = (
        ""
    )
    head: Annotated[Revision, Meta(description="Where it ends, HEAD by default; without `base`: that one commit.")] = ""


class RuleArguments(Paged, frozen=True, kw_only=True):
    """A rule or a finding."""

    id: Annotated[Id, Meta(description="The id of a rule or finding, as other tools name it.")]


class ReachArguments(Paged, frozen=True, kw_only=True):
    """A file, a symbol in it, or the symbols on some of its lines."""

    path: Path
    symbol: Annotated[Line, Meta(description="A name as the file defines it: `run` or `Server.run`.")] = ""
    lines: Lines = ""


class WhoArguments(Paged, frozen=True, kw_only=True):
    """Lines of a committed file."""

    path: Path
    lines: Lines = ""


class PathArguments(Paged, frozen=True, kw_only=True):
    """A file or a folder, which need not be there yet."""

    path: Path


class SimulateArguments(Paged, frozen=True, kw_only=True):
    """A policy, as TOML or as a file in the work tree: one of the two."""

    policy: Annotated[str, Meta(max_length=100_000, description="Rules as TOML text, `[[rule]]` tables.")] = ""
    path: Annotated[str, Meta(max_length=4096, description="A TOML file with rules, inside the work tree.")] = ""
    since: Annotated[str, Meta(pattern=r"^[0-9a-z-]{1,12}$(?!\n)", description="`90d`, `6mo`, `2y` or a day.")] = "6mo"
    most: Annotated[int, Meta(ge=1, le=2000, description="Try at most so many changes, the newest ones.")] = 300


class SessionArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who you are, for the lines that you wrote and that are not committed."""

    tool: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+@/-]*$(?!\n)",
            description="The agent's name, such as `claude` or `codex`.",
        ),
    ]
    session: Annotated[Line, Meta(min_length=1, description="The id of this session.")]
    model: Annotated[Line, Meta(description="The model, as its vendor names it.")] = ""
    prompt_digest: Annotated[
        str,
        Meta(pattern=r"^(sha256:[0-9a-f]{64})?$(?!\n)", description="A salted digest of the prompt, never its text."),
    ] = ""
    human: Annotated[
        Line, Meta(description="The human who prompted you; only git's own identity here is taken, as `Name <mail>`.")
    ] = ""


class EvidenceArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report that a tool wrote."""

    kind: Annotated[
        EvidenceKind,
        Meta(
            description="coverage: Cobertura, LCOV, JaCoCo, Clover, Go or coverage.py's JSON. junit: JUnit XML. "
            "sarif: SARIF 2.1.0. mutation: Stryker, PIT, cargo-mutants or mutmut."
        ),
    ]
    file: Annotated[Path, Meta(description="The report, inside the work tree.")]
