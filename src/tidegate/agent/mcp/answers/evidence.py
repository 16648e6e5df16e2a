"""attach_evidence: a report of a run, which later answers of this session read as `tidegate check` would."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from shlex import quote

from tidegate.agent.mcp.arguments import EvidenceArguments, EvidenceKind
from tidegate.agent.mcp.ask import Attached, Scene, checked_path
from tidegate.agent.mcp.values import EvidenceAnswer
from tidegate.errors import InputError

LARGEST_BYTES = 128 << 20


def attach_evidence(scene: Scene, asked: EvidenceArguments) -> EvidenceAnswer:
    """What the report is. Raises InputError for what lies outside the work tree, and for what is no such report."""
    path = file_inside(scene, asked.file)
    says = _READERS[asked.kind](path)
    digest = digest_of(path)
    scene.fresh.append(Attached(asked.kind, str(path), digest))
    return EvidenceAnswer(
        kind=asked.kind,
        file=asked.file,
        sha256=digest,
        says=says,
        command=f"tidegate check --{asked.kind} {quote(asked.file)}",
    )


def file_inside(scene: Scene, name: str) -> Path:
    """A regular file in the work tree, itself no link and reached through none that leads out."""
    top = scene.repository.path.resolve()
    path = top / checked_path(name)
    try:
        real, found = path.resolve(strict=True), os.lstat(path)
    except (OSError, RuntimeError) as error:
        raise InputError("there is no such file", where=name, mend="name one in the work tree") from error
    inside = real == path and not real.is_relative_to(scene.repository.git_dir) and real.is_relative_to(top)
    if not inside or not stat.S_ISREG(found.st_mode):
        raise InputError("this is a link or no regular file", where=name, mend="name a file inside the work tree")
    if found.st_size > LARGEST_BYTES:
        raise InputError(f"it is larger than {LARGEST_BYTES >> 20} MB", where=name, mend="give it in parts")
    return path


def digest_of(path: Path) -> str:
    """The SHA-256 of a file in hex, "" where it cannot be read."""
    found = sha256()
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    except OSError:
        return ""
    return found.hexdigest()


# Private


def _coverage(path: Path) -> str:
    from tidegate.verify.coverage.readers import read_coverage

    gathering = read_coverage([path], (), {})
    return f"a coverage report of {', '.join(sorted(gathering.families)) or 'files of an unknown language'}"


def _junit(path: Path) -> str:
    from tidegate.verify.junit import read_cases

    cases, _ = read_cases(path)
    return f"a JUnit report with {len(cases):,} tests"


def _sarif(path: Path) -> str:
    from tidegate.verify.reports import open_report
    from tidegate.verify.sarif.log import read_log

    runs = read_log(open_report(path), {}, {})
    return f"a SARIF log with {len(runs)} runs: {', '.join(run.tool for run in runs[:5])}"


def _mutation(path: Path) -> str:
    from tidegate.verify.mutate.foreign import read_mutation_report

    report = read_mutation_report(path)
    return f"a report of {report.tool} with {len(report.mutants):,} mutants"


_READERS: Mapping[EvidenceKind, Callable[[Path], str]] = {
    "coverage": _coverage,
    "junit": _junit,
    "sarif": _sarif,
    "mutation": _mutation,
}
