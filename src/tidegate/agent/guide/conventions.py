"""What is usual here, found by counting, and what configuration says of form. Nothing below nine in ten counts.

Counts are of commits and files of people; a share is said with both numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from tidegate.agent.guide import quote
from tidegate.agent.guide.sources import Found, Sources
from tidegate.agent.guide.values import Item
from tidegate.change.values import FileChange
from tidegate.risk.values import PastCommit

LEAST_SHARE = 0.9
LEAST_COMMITS = 30
LEAST_FILES = 8
MOST_COMMITS = 400
MOST_READ = 120
MOST_PLACES = 20

FORMS: tuple[tuple[str, str, str], ...] = (
    ("conventional", r"[a-z]+(\([^)]{1,60}\))?!?: \S", "`type(area): what` (Conventional Commits)"),
    ("area", r"[\w/.,{}*+ -]{1,50}: \S", "`area: what`"),
    ("bracket", r"\[[^\]]{1,40}\] ?\S", "`[area] what`"),
    ("ticket", r"\[?[A-Z][A-Z0-9]+-\d+", "a ticket's key first"),
)


def subjects(commits: Sequence[PastCommit]) -> list[str]:
    """The subjects that are counted: of the newest 400 commits of people, reverts left out."""
    return [
        one.subject for one in commits[:MOST_COMMITS] if not one.subject.startswith(("Revert ", "fixup!", "Merge "))
    ]


def share_of(form: str, said: Sequence[str]) -> int:
    """How many subjects have a form of FORMS."""
    pattern = re.compile(next(pattern for name, pattern, _ in FORMS if name == form))
    return sum(bool(pattern.match(subject)) for subject in said)


def commit_items(commits: Sequence[PastCommit]) -> tuple[Item, ...]:
    """How commit messages look."""
    said = subjects(commits)
    if len(said) < LEAST_COMMITS:
        return ()
    found: list[Item] = []
    for name, _, words in FORMS:
        count = share_of(name, said)
        if count >= LEAST_SHARE * len(said):
            found.append(Item(f"Begin a commit's subject as {words}", f"{count} of {len(said)} commits"))
            break
    else:
        capital = sum(subject[:1].isupper() for subject in said)
        if capital >= LEAST_SHARE * len(said):
            found.append(Item("Begin a commit's subject with a capital letter", f"{capital} of {len(said)} commits"))
    signed = sum("\nSigned-off-by: " in one.message for one in commits[:MOST_COMMITS])
    total = len(commits[:MOST_COMMITS])
    if signed >= LEAST_SHARE * total:
        found.append(Item("Sign commits off (`git commit -s`)", f"{signed} of {total} commits"))
    return tuple(found)


def form_items(sources: Sources, language: str = "") -> tuple[Item, ...]:
    """What configuration at the top says of lines and versions, each with where; of one language where one is named."""
    found = []
    for where, pattern, says, languages in _CONFIG:
        if language and languages and language not in languages:
            continue
        at = next((one for one in _places(sources, where, pattern)), None)
        if at is not None:
            found.append(Item(says.replace("{}", at[0]), quote.name(str(at[1])) or "configuration"))
    return tuple(dict.fromkeys(found))


def line_lengths(sources: Sources) -> dict[int, Found]:
    """The lengths of lines that configuration at the top sets, each with where."""
    found: dict[int, Found] = {}
    for where, pattern, says, _ in _CONFIG:
        if "characters" in says:
            for value, at in _places(sources, where, pattern):
                found.setdefault(int(value), at)
    return found


def file_items(files: Sequence[FileChange], sources: Sources, language: str = "") -> tuple[Item, ...]:
    """How tests are named, and whether functions are typed, for each language with enough files."""
    return (*_tests(files, language), *(_typed(files, sources) if language in ("", "Python") else ()))


# Private

_SCRIPT = ("JavaScript", "TypeScript")
_CONFIG: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        r"pyproject\.toml|\.?ruff\.toml",
        r"^line-length\s*=\s*(\d{2,3})\b",
        "Lines have at most {} characters",
        ("Python",),
    ),
    (r"pyproject\.toml", r"^line_length\s*=\s*(\d{2,3})\b", "Lines have at most {} characters", ("Python",)),
    (
        r"setup\.cfg|\.flake8|tox\.ini",
        r"^max-line-length\s*=\s*(\d{2,3})\b",
        "Lines have at most {} characters",
        ("Python",),
    ),
    (
        r"\.prettierrc(?:\.json)?|package\.json",
        r'"printWidth"\s*:\s*(\d{2,3})\b',
        "Lines have at most {} characters",
        _SCRIPT,
    ),
    (r"\.?rustfmt\.toml", r"^max_width\s*=\s*(\d{2,3})\b", "Lines have at most {} characters", ("Rust",)),
    (
        r"pyproject\.toml",
        r"^requires-python\s*=\s*[\"']>=\s*(3\.\d{1,2})",
        "Code runs on Python {} or newer",
        ("Python",),
    ),
    (r"go\.mod", r"^go (1\.\d{1,2})", "Code builds with Go {} or newer", ("Go",)),
    (r"Cargo\.toml", r"^rust-version\s*=\s*\"(1\.\d{1,3})", "Code builds with Rust {} or newer", ("Rust",)),
    (
        r"\.prettierrc(?:\.json)?|package\.json",
        r'"singleQuote"\s*:\s*(true)',
        "Strings have single quotes (Prettier)",
        _SCRIPT,
    ),
    (
        r"\.prettierrc(?:\.json)?|package\.json",
        r'"semi"\s*:\s*(false)',
        "Statements end without semicolons (Prettier)",
        _SCRIPT,
    ),
    (r"pyproject\.toml", r"^strict\s*=\s*(true)", "Types are strict", ("Python",)),
)
_NAMED: dict[str, tuple[tuple[str, str], ...]] = {
    "Python": (("test_*.py", r"test_[^/]*\.pyi?"), ("*_test.py", r"[^/]*_test\.py")),
    "JavaScript": (
        ("*.test.*", r"[^/]*\.test\.\w+"),
        ("*.spec.*", r"[^/]*\.spec\.\w+"),
        ("*-test.*", r"[^/]*-test\.\w+"),
    ),
    "Go": (("*_test.go", r"[^/]*_test\.go"),),
    "Ruby": (("*_spec.rb", r"[^/]*_spec\.rb"), ("*_test.rb", r"[^/]*_test\.rb")),
    "Java": (("*Test.java", r"[^/]*Test\.java"), ("*Tests.java", r"[^/]*Tests\.java")),
}
_BESIDE = re.compile(
    r"(?:^|/)(?:__init__|conftest|[^/]*(?:util|helper|fixture|common|base|setup|config|mock)[^/]*)\.\w+$"
)


def _places(sources: Sources, where: str, pattern: str) -> Iterator[tuple[str, Found]]:
    for path in sources.manifests(""):
        if re.fullmatch(where, path):
            for match in islice(re.finditer(pattern, sources.text(path), re.MULTILINE), MOST_PLACES):
                yield match[1], Found(path, sources.text(path)[: match.start()].count("\n") + 1)


def _tests(files: Sequence[FileChange], language: str) -> Iterator[Item]:
    by_language: dict[str, list[str]] = {}
    for file in files:
        path = file.path.decode("utf-8", "surrogateescape")
        if file.kind == "test" and file.by_hand and not _BESIDE.search(path):
            by_language.setdefault("JavaScript" if file.language == "TypeScript" else file.language, []).append(path)
    asked = "JavaScript" if language == "TypeScript" else language
    for name, forms in _NAMED.items():
        paths = by_language.get(name, [])
        if len(paths) < LEAST_FILES or asked not in ("", name):
            continue
        counts = Counter(form for path in paths for form, pattern in forms if re.fullmatch(rf"(?:.*/)?{pattern}", path))
        form, count = max(counts.items(), key=lambda one: one[1], default=("", 0))
        if count >= LEAST_SHARE * len(paths):
            yield Item(f"Tests are files named `{form}`", f"{count} of {len(paths)} test files of {name}")


def _typed(files: Sequence[FileChange], sources: Sources) -> Iterator[Item]:
    paths = [
        file.path.decode("utf-8", "surrogateescape")
        for file in files
        if file.kind == "source" and file.language == "Python" and file.by_hand
    ]
    step = max(1, len(paths) // MOST_READ)
    read = tuple(paths[::step][:MOST_READ])
    sources.preload(read)
    texts = [sources.text(path)[:200_000] for path in read]
    defined = sum(len(_DEF.findall(text)) for text in texts)
    typed = sum(len(_TYPED.findall(text)) for text in texts)
    if defined >= 50 and typed >= LEAST_SHARE * defined:
        yield Item(
            "Functions say what they return (type annotations)", f"{typed} of {defined} functions in {len(read)} files"
        )
    with_functions = [text for text in texts if _DEF.search(text)]
    filled = len(with_functions)
    future = sum("\nfrom __future__ import annotations" in f"\n{text}" for text in with_functions)
    if filled >= 10 and future >= LEAST_SHARE * filled:
        yield Item(
            "Modules begin with `from __future__ import annotations`", f"{future} of {filled} files with functions"
        )


_DEF = re.compile(r"^[ \t]*(?:async )?def \w+", re.MULTILINE)
_TYPED = re.compile(
    r"^[ \t]*(?:async )?def \w+[^\n]*(?:\n(?![ \t]*(?:async )?def )[^\n]*){0,12}?\)[ \t]*->", re.MULTILINE
)
