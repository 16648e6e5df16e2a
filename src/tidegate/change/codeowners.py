"""Who owns which file: CODEOWNERS, as GitHub reads it and as GitLab reads it.

What the forge would skip is a finding here, and may be more. An owner that is none is left out of its line: fewer
people can approve then, never more. A line that is left without owners, or whose pattern cannot be read, leaves a
doubt: a file that it decides has owners that could not be told, and no approval by its owners can be shown until the
line is mended or a later line settles it. The forges skip such lines, and then ask other people, or nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct

from tidegate.change.owner_patterns import Dialect, Pattern, PatternError, PatternIndex, translate
from tidegate.facts import Finding, Place

LARGEST_BYTES = 3 << 20
"""GitHub does not use a larger file: docs.github.com, "About code owners", "CODEOWNERS file size"."""


class OwnerRule(Struct, frozen=True):
    """One line: a pattern and who owns what it matches. `doubt` says why the line cannot be relied on."""

    pattern: str
    owners: tuple[str, ...]
    line: int
    exclude: bool = False
    doubt: str = ""


class OwnerSection(Struct, frozen=True):
    """A GitLab section, or the whole of a GitHub file: the last of its lines that matches a file decides."""

    name: str
    approvals: int
    optional: bool
    rules: tuple[OwnerRule, ...]


class Ownership(Struct, frozen=True):
    """Who owns a file by one section. `owners` is empty where the file is deliberately unowned.

    `doubt` says why the owners could not be told; it is empty where they hold.
    """

    section: str
    owners: tuple[str, ...]
    approvals: int
    optional: bool
    line: int
    doubt: str = ""


class Owners(Struct, frozen=True, dict=True):
    """A CODEOWNERS file. `path` is empty where the repository has none."""

    path: str = ""
    dialect: Dialect = "github"
    sections: tuple[OwnerSection, ...] = ()
    findings: tuple[Finding, ...] = ()

    @cached_property
    def indexes(self) -> tuple[tuple[PatternIndex, PatternIndex | None], ...]:
        """For each section: its patterns, and those that take files out."""
        return tuple(_indexes(section.rules, self.dialect) for section in self.sections)

    def owners_of(self, path: bytes) -> tuple[Ownership, ...]:
        """What each section says of the file, in the order of the file. A file that no line matches has none."""
        found = []
        for section, (index, exclusions) in zip(self.sections, self.indexes, strict=True):
            number = index.last(path)
            if number < 0 or (exclusions is not None and exclusions.last(path) >= 0):
                continue
            rule = section.rules[number]
            found.append(
                Ownership(section.name, rule.owners, section.approvals, section.optional, rule.line, rule.doubt)
            )
        return tuple(found)


NO_OWNERS = Owners()


def parse_codeowners(text: bytes, dialect: Dialect, path: str) -> Owners:
    """The file's rules and findings. Never raises: what cannot be relied on is a finding and a doubt."""
    if len(text) > LARGEST_BYTES:
        return too_large(len(text), path, dialect)
    reader = _Reader(dialect, path)
    for number, line in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        reader.read(line.removesuffix(b"\r"), number)
    sections = tuple(OwnerSection(s.name, s.approvals, s.optional, tuple(s.rules)) for s in reader.sections.values())
    return Owners(path, dialect, sections, tuple(reader.findings))


def too_large(size: int, path: str, dialect: Dialect) -> Owners:
    """Owners of a file that the forge does not use because of its size."""
    reason = f"the file has {size} bytes, and from 3 MiB on it is not used"
    return all_in_doubt(reason, path, dialect, "codeowners-too-large")


def all_in_doubt(reason: str, path: str, dialect: Dialect, rule: str = "codeowners-not-a-file") -> Owners:
    """Owners of a file that says nothing which can be relied on: those of every file are in doubt."""
    finding = Finding(rule, "high", reason, Place(path), "make it a plain file of less than 3 MiB")
    only = OwnerRule("*", (), 0, doubt=reason)
    return Owners(path, dialect, (OwnerSection("", 1, False, (only,)),), (finding,))


# Private


class _Section:
    def __init__(self, name: str, approvals: int, optional: bool) -> None:
        self.name, self.approvals, self.optional = name, approvals, optional
        self.defaults: tuple[str, ...] = ()
        self.rules: list[OwnerRule] = []


class _Reader:
    """One walk down one file."""

    def __init__(self, dialect: Dialect, path: str) -> None:
        self.dialect = dialect
        self.path = path
        self.findings: list[Finding] = []
        self.section = _Section("", 1, False)
        self.sections = {"": self.section}
        self.lost_heading = 0

    def read(self, raw: bytes, number: int) -> None:
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.complain("codeowners-invalid-pattern", number, "the line is not UTF-8", "save the file as UTF-8")
            self.doubt(number, "it is not UTF-8")
            return
        line = line.strip(" \t\v\f")
        if not line or line.startswith("#"):
            return
        if self.dialect == "gitlab" and self.header(line, number):
            return
        self.entry(line, number)

    def entry(self, line: str, number: int) -> None:
        pattern, owners, wrong = _split(line, self.dialect)
        exclude = self.dialect == "gitlab" and pattern.startswith("!")
        self.complain_of_owners(wrong, number)
        try:
            translate(_path_part(pattern, self.dialect), self.dialect)
        except PatternError as error:
            self.complain("codeowners-invalid-pattern", number, f"{_shown(pattern)}: {error}", _PATTERN_MEND)
            self.doubt(number, str(error))
            return
        doubt = ""
        if exclude:
            owners = ()
        elif not owners and wrong:
            doubt = f"{_shown(wrong[0])} is not an owner"
        elif not owners and self.dialect == "gitlab":
            owners, doubt = self.inherited(pattern, number)
        self.section.rules.append(OwnerRule(pattern, owners, number, exclude, doubt))

    def inherited(self, pattern: str, number: int) -> tuple[tuple[str, ...], str]:
        """The owners of a GitLab line that names none. GitLab lets everybody through where there are none at all."""
        if self.lost_heading:
            return (), f"the heading in line {self.lost_heading} cannot be read, and the line names no owner"
        if not self.section.defaults:
            message = f"{_shown(pattern)} has no owner"
            self.complain(
                "codeowners-no-owner", number, message, "name an owner, or write !PATH to say that it needs none"
            )
            return (), "the line names no owner"
        return self.section.defaults, ""

    def header(self, line: str, number: int) -> bool:
        """Whether the line opens a section. One that cannot be read is an entry that matches nothing, as in GitLab."""
        match = _HEADER.fullmatch(line)
        if match is not None:
            approvals = match["count"] or "1"
            if not re.fullmatch(r"0*[1-9][0-9]{0,3}", approvals):
                message = f"[{_shown(approvals)}] is no number of approvals, and counts as 1"
                self.complain("codeowners-invalid-section", number, message, "write a number such as [2]")
                approvals = "1"
            defaults, wrong = _owners((match["owners"] or "").split())
            self.complain_of_owners(wrong, number)
            self.open(match["name"].strip(), int(approvals), bool(match["optional"]), defaults)
            self.lost_heading = 0
            return True
        if _LOST_HEADER.match(line):
            message = f"{_shown(line)} is not a section heading"
            self.complain(
                "codeowners-invalid-section", number, message, "write [Name], ^[Name], [Name][2] or [Name] @owner"
            )
            self.lost_heading = number
            return True
        return False

    def complain_of_owners(self, wrong: Sequence[str], number: int) -> None:
        if wrong:
            message = f"{_shown(wrong[0])} is not an owner"
            self.complain("codeowners-invalid-owner", number, message, "write @user, @org/team or an e-mail address")

    def open(self, name: str, approvals: int, optional: bool, defaults: tuple[str, ...]) -> None:
        known = self.sections.get(name.casefold())
        if known is None:
            known = self.sections[name.casefold()] = _Section(name, approvals, optional)
        else:
            known.approvals = max(known.approvals, approvals)
            known.optional = known.optional and optional
        known.defaults = defaults
        self.section = known

    def complain(self, rule: str, number: int, message: str, mend: str) -> None:
        self.findings.append(Finding(rule, "medium", message, Place(self.path, number, number), mend))

    def doubt(self, number: int, reason: str) -> None:
        """A line that could have been meant for any file: in doubt are all that no later line settles."""
        self.section.rules.append(OwnerRule("*", (), number, doubt=reason))


def _split(line: str, dialect: Dialect) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Pattern, owners and what should be an owner and is none. Spaces of a pattern are escaped by a backslash."""
    match = _ENTRY.match(line)
    pattern = match[0] if match else line
    words = line[len(pattern) :].split()
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    owners, wrong = _owners(words[:comment])
    if dialect == "gitlab":
        # It has no comments behind an entry: docs.gitlab.com, "Any Code Owners listed in a comment are parsed".
        owners = tuple(dict.fromkeys((*owners, *_owners(words[comment:])[0])))
    return pattern, owners, wrong


def _owners(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    good = tuple(word for word in words if _OWNER.fullmatch(word))
    return tuple(dict.fromkeys(good)), tuple(word for word in words if not _OWNER.fullmatch(word))


def _path_part(pattern: str, dialect: Dialect) -> str:
    """The pattern as it is matched: without GitLab's `!`, and with its escapes of spaces and `#` taken out."""
    pattern = pattern.replace("\\ ", " ")
    if dialect == "gitlab":
        pattern = pattern.removeprefix("!")
        return pattern[1:] if pattern.startswith("\\#") else pattern
    return pattern


def _indexes(rules: Sequence[OwnerRule], dialect: Dialect) -> tuple[PatternIndex, PatternIndex | None]:
    patterns = [translate(_path_part(rule.pattern, dialect), dialect) for rule in rules]
    kept = [Pattern() if rule.exclude else pattern for rule, pattern in zip(rules, patterns, strict=True)]
    excluding = [pattern for rule, pattern in zip(rules, patterns, strict=True) if rule.exclude]
    return PatternIndex(kept), PatternIndex(excluding) if excluding else None


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


_PATTERN_MEND = "write it as a path, with * for part of a name and ** for any folders"
_ENTRY = re.compile(r"(?:\\.|[^\s\\])+")
_HEADER = re.compile(
    r"(?P<optional>\^)?\[(?P<name>[^\]]*[^\]\s][^\]]*)\](?:\[(?P<count>[^\]]*)\])?(?:\s+(?P<owners>[^#]*))?(?:#.*)?"
)
_LOST_HEADER = re.compile(r"\^?\[[^\]]*(?:$|\]\[[^\]]*$)|\^?\[\s*\]")
_OWNER = re.compile(r"@@?[A-Za-z0-9_][\w.\-]*(?:/[\w.\-]+)*|[^\s@]+@[^\s@]+\.[^\s@]+")
