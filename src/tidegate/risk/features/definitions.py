"""What is known of a change before it merges: the frozen list of features that models learn from and score by.

Kamei et al., "A Large-Scale Empirical Study of Just-In-Time Quality Assurance", IEEE TSE 39(6), 2013, name fourteen.
They are read here exactly so:

- A *past change* is a commit that is no merge, touched a file and comes earlier in history, parents before children.
  Its moment is the committer's clock; one that lies behind what it follows counts as no time passed.
- A *file* keeps its past through renames, and its old name starts anew then; so does a copy. One that is deleted and
  added again has its past. Counts are those of `git log --numstat -M`; binary files have none. Tests,
  generated and vendored files count like any other.
- A *subsystem* is the first part of a path ("" at the top), a *folder* everything before the last slash.
- `ent` is Shannon's entropy in bits of the shares that the files have of `la + ld`, not divided by its maximum.
- `lt` and `age` are means over the files, `lt` over all, `age` over those with a past. Lines before the change are
  those that history added less those that it deleted.
- `ndev` and `nuc` count people and past changes of all files together, each once. `sexp` counts the author's past
  changes that touched any of the subsystems, each once.
- `rexp` sums 1 / (years + 1) over the author's past changes, where years are whole ones of 365.25 days.

A person is an e-mail, or what the identity map makes of it. No feature knows the future or names the project. None
decides whether a change could be blamed at all: a change of tests or documents alone has no share of tests, and its
lines, tokens and languages count like those of code.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

VERSION = 1

Group: TypeAlias = Literal[
    "size", "diffusion", "purpose", "history", "experience", "content", "tests", "agent", "pace", "surface"
]


class Feature(Struct, frozen=True):
    """One feature. `words` name it in an explanation; `log` says whether models read it log-scaled."""

    name: str
    group: Group
    unit: str
    log: bool
    meaning: str
    words: str


FEATURES: tuple[Feature, ...] = (
    Feature("ns", "diffusion", "subsystems", True, "Subsystems that the change touches.", "subsystems touched"),
    Feature("nd", "diffusion", "folders", True, "Folders that the change touches.", "folders touched"),
    Feature("nf", "diffusion", "files", True, "Files that the change touches.", "files touched"),
    Feature("ent", "diffusion", "bits", False, "How evenly the changed lines lie over the files.", "spread of lines"),
    Feature("la", "size", "lines", True, "Lines added.", "lines added"),
    Feature("ld", "size", "lines", True, "Lines deleted.", "lines deleted"),
    Feature("lt", "size", "lines", True, "Lines of a touched file before the change, on average.", "lines per file"),
    Feature("fix", "purpose", "0 or 1", False, "Whether the message says that it repairs a defect.", "is a fix"),
    Feature("ndev", "history", "people", True, "People who changed these files before.", "earlier authors"),
    Feature("age", "history", "days", True, "Days since each file was last changed, on average.", "days untouched"),
    Feature("nuc", "history", "changes", True, "Past changes of these files, each once.", "earlier changes"),
    Feature("exp", "experience", "changes", True, "Past changes by the author.", "changes by the author"),
    Feature(
        *("rexp", "experience", "changes", True),
        *("Past changes by the author, those of older years weighing less.", "recent changes by the author"),
    ),
    Feature(
        *("sexp", "experience", "changes", True),
        *("Past changes by the author in the subsystems that are touched.", "changes by the author here"),
    ),
    Feature("tokens_added", "content", "tokens", True, "Words and numbers in added lines.", "tokens added"),
    Feature("tokens_deleted", "content", "tokens", True, "Words and numbers in deleted lines.", "tokens deleted"),
    Feature("hunks", "content", "hunks", True, "Runs of changed lines.", "separate edits"),
    Feature("comment_share", "content", "share", False, "Added lines that are a comment.", "comments"),
    Feature("blank_share", "content", "share", False, "Added lines that are blank.", "blank lines"),
    Feature("import_share", "content", "share", False, "Added lines that begin with an import.", "imports"),
    Feature(
        *("condition_share", "content", "share", False),
        *("Added lines that begin with a condition, a loop or the handling of an error.", "conditions and loops"),
    ),
    Feature(
        *("literal_share", "content", "share", False),
        *("Added lines that differ from a deleted line in strings and numbers alone.", "edits of values"),
    ),
    Feature(
        *("moved_share", "content", "share", False),
        *("Added lines that were deleted elsewhere in the same file.", "moved lines"),
    ),
    Feature(
        *("definitions", "content", "lines", True),
        *("Added and deleted lines that begin the definition of a function or a type.", "definitions edited"),
    ),
    Feature("depth", "content", "levels", True, "Deepest indentation of an added line, in fours.", "nesting"),
    Feature("languages", "content", "languages", True, "Languages of the files, by their names.", "languages"),
    Feature("test_files", "tests", "files", True, "Tests changed beside source.", "test files"),
    Feature(
        *("test_share", "tests", "share", False),
        *("Share of tests in the lines added to source and tests; 0 where no source changed.", "lines of tests"),
    ),
    Feature("ai", "agent", "share", False, "Share of the commits that declare an agent.", "declared agent"),
    Feature(
        *("burst_hour", "pace", "changes", True),
        *("Changes by the author in the hour before.", "changes in the hour before"),
    ),
    Feature(
        *("burst_day", "pace", "changes", True),
        *("Changes by the author in the 24 hours before.", "changes in the day before"),
    ),
    Feature(
        *("pace", "pace", "lines an hour", True),
        *("Lines added per hour since the author's change before: a minute at least, 8 at most.", "lines an hour"),
    ),
    Feature(
        *("familiar_share", "experience", "share", False),
        *("Share of the files with a past that the author changed before; 0 without any.", "familiar files"),
    ),
    Feature("new_share", "diffusion", "share", False, "Share of the files that are new.", "new files"),
    Feature("others_day", "history", "people", True, "Others who changed these files in 24 hours.", "others at work"),
    Feature("others_week", "history", "people", True, "Others who changed these files in 7 days.", "others at work"),
    Feature("fixes_180", "history", "changes", True, "Fixes of these files in 180 days.", "recent fixes"),
    Feature("message_length", "purpose", "characters", True, "Length of the message, 4,000 at most.", "message"),
    Feature("message_words", "purpose", "words", True, "Words of the message's first 4,000 characters.", "message"),
    Feature("domains", "surface", "domains", True, "Sensitive areas that paths belong to.", "sensitive areas"),
    Feature("critical", "surface", "files", True, "Files whose path is of a critical area.", "critical files"),
)
"""In the order of every row and frame. A definition never changes: one that must is a new `VERSION`."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def to_markdown() -> str:
    """The page docs/risk-features.md."""
    rows = [
        f"| `{one.name}` | {one.group} | {one.unit} | {'log' if one.log else 'raw'} | {one.meaning} |"
        for one in FEATURES
    ]
    return "\n".join((f"{_HEAD}\n{(__doc__ or '').strip()}\n", _TABLE, *rows, ""))


# Private

_HEAD = f"""# The features of a change
Generated from `src/tidegate/risk/features/definitions.py`, version {VERSION} of the definitions.
"""
_TABLE = """## All of them
Models read a feature as it is (raw) or as log(1 + x).

| name | group | unit | scale | meaning |
| --- | --- | --- | --- | --- |"""
