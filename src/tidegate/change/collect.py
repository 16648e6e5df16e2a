"""Writes the sections `repository` and `change` of the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tidegate.change.branches import repository_name
from tidegate.change.domains import effective_domains
from tidegate.change.git import Repository as GitRepository
from tidegate.change.placed import read_placed
from tidegate.change.values import Change, Commit, Context, FileChange, show_path
from tidegate.errors import InputError
from tidegate.facts import ChangeFacts, CommitFact, DomainHit, FileFact, PlaceFact, Repository, Unknown
from tidegate.settings import read_toml

OWNERS_FILES = (b"CODEOWNERS", b"docs/CODEOWNERS", b".github/CODEOWNERS", b".gitlab/CODEOWNERS")
"""Where GitHub and GitLab look for owners."""

PYPROJECT = b"pyproject.toml"
PIPELINES = (b".gitlab-ci.yml", b".pre-commit-config.yaml")
WORKFLOWS = b".github/workflows/"
PIPELINE_DOMAIN = "ci-cd"
COMMENTS = (b"#", b"//", b"--", b"/*", b"* ", b"*/", b";", b"%")
TEXT_LIMIT_BYTES = 1 << 20


def collect_change(change: Change, context: Context) -> ChangeFacts:
    """What changed, as facts: the same change gives the same facts, in the same order."""
    files = sorted(change.files, key=lambda file: (show_path(file.path), file.path, file.old_path))
    by_hand = [file for file in files if file.by_hand]
    source = [file for file in by_hand if file.kind == "source"]
    tests = [file for file in by_hand if file.kind == "test"]
    hits = sorted({hit for file in files for hit in file.domains}, key=_hit_order)
    critical = {domain.name for domain in effective_domains(context.settings) if domain.critical}
    policy_files, undecided = _policy_files(files, context.repository)
    placed = read_placed(change, context)
    if isinstance(placed, Unknown):
        undecided = [*undecided, placed]
    unknowns = sorted({*change.unknowns, *undecided}, key=lambda unknown: (unknown.path, unknown.reason))
    last = change.commits[-1] if change.commits else None
    request = change.pull_request
    return ChangeFacts(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        findings=change.findings,
        kind=change.kind,
        chosen=change.chosen,
        base=change.base,
        head=change.head,
        base_tree=change.base_tree,
        head_tree=change.head_tree,
        target=change.target,
        source=change.source,
        title=request.title if request else last.subject if last else "",
        author=request.author if request else str(last.author) if last else "",
        labels=tuple(sorted(request.labels)) if request else (),
        commits=tuple(_commit_fact(commit) for commit in change.commits),
        commits_total=len(change.commits),
        merges=sum(len(commit.parents) > 1 for commit in change.commits),
        files=tuple(_file_fact(file) for file in files),
        files_total=len(files),
        lines_added=sum(file.added for file in files),
        lines_deleted=sum(file.deleted for file in files),
        source_files=len(source),
        source_lines_added=sum(file.added for file in source),
        source_lines_deleted=sum(file.deleted for file in source),
        test_files=sum(file.status != "deleted" for file in tests),
        test_lines_added=sum(_telling_lines(file) for file in tests),
        domains=tuple(sorted({hit.domain for hit in hits})),
        domain_hits=tuple(hits),
        critical_domains=tuple(sorted({hit.domain for hit in hits} & critical)),
        breadth=len({hit.domain for hit in hits}),
        policy_files=policy_files,
        owners_files=_shown(file for file in files if _any_path(file, OWNERS_FILES.__contains__)),
        intent=change.intent,
        place=PlaceFact() if isinstance(placed, Unknown) else placed,
    )


def collect_repository(change: Change, context: Context) -> Repository:
    """The repository that the change belongs to. Credentials in a remote's URL never get here."""
    repository = context.repository
    if repository is None:
        return Repository(unknowns=(Unknown("repository", "a diff does not say where it belongs"),))
    branches = change.branches
    request = change.pull_request
    unknowns = []
    if branches.remote and not branches.default:
        mend = f"git remote set-head {branches.remote} --auto"
        unknowns.append(Unknown("repository.default_branch", f"the remote's HEAD is not recorded here: {mend}"))
    name = (request.repository if request else "") or repository_name(branches.url)
    return Repository(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        name=name or repository.path.name.removesuffix(".git"),
        head_branch=branches.head,
        default_branch=branches.default,
        object_format=repository.object_format,
        shallow=repository.shallow,
    )


# Private


def _hit_order(hit: DomainHit) -> tuple[str, str, int, str]:
    return hit.path, hit.domain, hit.line, hit.reason


def _commit_fact(commit: Commit) -> CommitFact:
    return CommitFact(
        oid=commit.oid,
        parents=len(commit.parents),
        author=str(commit.author),
        committer=str(commit.committer),
        authored_at=commit.authored_at,
        committed_at=commit.committed_at,
        subject=commit.subject,
    )


def _file_fact(file: FileChange) -> FileFact:
    return FileFact(
        path=show_path(file.path),
        old_path=show_path(file.old_path),
        status=file.status,
        kind=file.kind,
        language=file.language,
        added=file.added,
        deleted=file.deleted,
        generated=file.generated,
        vendored=file.vendored,
        executable_changed=_executable(file.old_mode) != _executable(file.new_mode),
        domains=tuple(sorted({hit.domain for hit in file.domains})),
        critical=file.critical,
    )


def _executable(mode: int) -> bool:
    return mode & 0o170111 == 0o100111


def _telling_lines(file: FileChange) -> int:
    """Added lines that are neither blank nor a comment alone: those test nothing."""
    lines = (line.strip() for hunk in file.hunks for line in hunk.added)
    return sum(bool(line) and not line.startswith(COMMENTS) for line in lines)


def _shown(files: Iterable[FileChange]) -> tuple[str, ...]:
    return tuple(sorted({show_path(file.path) for file in files}))


def _any_path(file: FileChange, wanted: Callable[[bytes], bool]) -> bool:
    """Whether the file is, or was, called so. What a copy was made of has not changed."""
    return wanted(file.path) or (file.status != "copied" and wanted(file.old_path))


def _policy_files(
    files: Sequence[FileChange], repository: GitRepository | None
) -> tuple[tuple[str, ...], list[Unknown]]:
    """The changed files that policy is read from, and those that run Tidegate: either can switch a rule off."""
    certain = [file for file in files if _any_path(file, _is_policy)]
    asked = [file for file in files if _may_say_policy(file) and file not in certain]
    if repository is None:
        found = [file for file in asked if any(_names_us(line) for line in _changed_lines(file))]
        left = [file for file in asked if file not in found and _any_path(file, PYPROJECT.__eq__)]
        reason = "a diff does not show whether [tool.tidegate] changed in pyproject.toml"
        return _shown([*certain, *found]), [Unknown("change.policy_files", reason)] if left else []
    oids = sorted({oid for file in asked for oid in (file.old_oid, file.new_oid)} - {repository.null_oid})
    blobs = repository.read_blobs(oids, limit=TEXT_LIMIT_BYTES)
    texts = {blob.name: blob.content if blob.kind == "blob" else None for blob in blobs}
    texts[repository.null_oid] = b""
    found = [file for file in asked if _policy_differs(file, texts[file.old_oid], texts[file.new_oid])]
    return _shown([*certain, *found]), []


def _is_policy(path: bytes) -> bool:
    return path == b"tidegate.toml" or path == b".tidegate" or path.startswith(b".tidegate/")


def _may_say_policy(file: FileChange) -> bool:
    return _any_path(file, _may_hold_policy) or any(hit.domain == PIPELINE_DOMAIN for hit in file.domains)


def _may_hold_policy(path: bytes) -> bool:
    return path == PYPROJECT or path in PIPELINES or path.startswith(WORKFLOWS)


def _names_us(text: bytes) -> bool:
    return b"tidegate" in text.lower()


def _changed_lines(file: FileChange) -> Iterable[bytes]:
    return (line for hunk in file.hunks for line in (*hunk.removed, *hunk.added))


def _policy_differs(file: FileChange, old: bytes | None, new: bytes | None) -> bool:
    """Whether a file differs in what it says of Tidegate. One that cannot be read counts: it could say anything."""
    if old is None or new is None:
        return True
    if not _any_path(file, PYPROJECT.__eq__):
        return _names_us(old) or _names_us(new)
    before, after = _own_table(old), _own_table(new)
    return before is None or after is None or before != after


def _own_table(text: bytes) -> object | None:
    """[tool.tidegate] of a pyproject.toml, {} where there is none, None where it cannot be read."""
    try:
        tool = read_toml(text, "pyproject.toml").get("tool", {})
    except InputError:
        return None
    return tool.get("tidegate", {}) if isinstance(tool, dict) else {}
