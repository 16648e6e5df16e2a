"""What changed files are: kind, language, generated or vendored, sensitive domains. The one call for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidegate.change.attributes import NO_ATTRIBUTES, read_attributes
from tidegate.change.classify import classify_files, find_hidden, find_uncounted, read_headers
from tidegate.change.domains import assign_domains
from tidegate.change.git import Repository
from tidegate.change.values import FileChange
from tidegate.facts import Finding, Unknown
from tidegate.settings import Settings


class Described(NamedTuple):
    """The files with their meaning filled, what the attributes tried to hide, and what could not be read."""

    files: tuple[FileChange, ...]
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()


def describe_files(
    files: Sequence[FileChange],
    settings: Settings,
    repository: Repository | None = None,
    base_tree: str = "",
    head_tree: str = "",
) -> Described:
    """The files with kind, language, generated, vendored, domains and critical filled.

    Marks and headers count as the base tree has them. Without a repository or a base, nothing but names and settings
    says that a file is generated. Whoever read the diff says which lines could not be read, and so not searched.
    """
    paths = [file.path for file in files]
    base = read_attributes(repository, base_tree, paths) if repository and base_tree else NO_ATTRIBUTES
    head = read_attributes(repository, head_tree, paths) if repository and head_tree else NO_ATTRIBUTES
    headers = read_headers(repository, files) if repository else frozenset()
    classified = classify_files(files, base, settings, headers)
    return Described(
        assign_domains(classified, settings),
        find_hidden(classified, base, head),
        (*base.unknowns, *head.unknowns, *find_uncounted(classified, settings)),
    )
