"""The commits of a history that repair the product: their message says so, and they touch more than tests and texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tidegate.change.attributes import Attributes
from tidegate.change.classify import classify_files
from tidegate.change.values import FileChange
from tidegate.risk.labels.messages import FixKind, is_fix
from tidegate.risk.late import Late
from tidegate.risk.values import PastCommit
from tidegate.settings import Settings


def find_fixes(commits: Sequence[PastCommit], settings: Settings) -> dict[str, FixKind]:
    """The fixes among the commits, reverts too, by object id in the order of the history.

    A commit that calls itself a fix and touches only tests, documents, generated or vendored files or of build
    and CI is left out, whatever it says; a revert never is. A merge stands for its commits and is none.
    """
    said = {commit.oid: fix for commit in commits if not commit.is_merge and (fix := is_fix(commit.message))}
    paths = {touch.path for commit in commits if commit.oid in said for touch in commit.touches}
    beside = paths_beside(paths, settings)
    empty = {
        commit.oid
        for commit in commits
        if commit.oid in said and commit.touches and all(touch.path in beside for touch in commit.touches)
    }
    return {oid: fix for oid, fix in said.items() if oid not in empty}


def paths_beside(paths: Collection[str], settings: Settings) -> frozenset[str]:
    """Those of the paths that hold nothing of the product: tests, documents, generated or vendored files, build, CI."""
    ordered = sorted(paths)
    files = classify_files([_file(path) for path in ordered], Attributes({}), settings)
    return frozenset(
        path
        for path, file in zip(ordered, files, strict=True)
        if file.kind in ("test", "docs") or file.generated or file.vendored or _AROUND.search(path)
    )


# Private

_AROUND = Late(
    r"(?:^|/)(?:\.github|\.gitlab|\.circleci|\.azure-pipelines|\.buildkite|\.changeset|\.idea|\.vscode|\.devcontainer"
    r"|newsfragments|changelog\.d|\.husky|benchmarks?|examples?)/"
    r"|(?:^|/)(?:\.travis\.yml|appveyor\.yml|\.gitlab-ci\.yml|azure-pipelines\.yml|Jenkinsfile|tox\.ini|noxfile\.py"
    r"|\.pre-commit-config\.yaml|\.gitignore|\.gitattributes|\.mailmap|\.editorconfig|CODEOWNERS|codecov\.yml"
    r"|CMakeLists\.txt|[^/]*\.cmake|(?:GNU)?Makefile(?:\.\w+)?|configure\.ac|meson\.build|pom\.xml"
    r"|build\.gradle(?:\.kts)?"
    r"|\.coveragerc|mypy\.ini|\.flake8|\.pylintrc|\.eslintrc\S*|\.prettierrc\S*|\.rubocop\S*)$"
    r"|(?:^|/)(?:changes\.xml|doap\w*\.rdf|deny\.toml|clippy\.toml|rustfmt\.toml|mkdocs\.yml|MANIFEST\.in|book\.toml)$"
    r"|^(?:CHANGES|CHANGELOG|NEWS|HISTORY|AUTHORS|THANKS|LICENSE|COPYING|ChangeLog)(?:\.\w+)?$",
    re.IGNORECASE,
)


def _file(path: str) -> FileChange:
    raw = path.encode("utf-8", "surrogateescape")
    return FileChange(raw, raw, "modified", 0o100644, 0o100644, "", "", 0, 0, 0, False, False, ())
