"""Every format of a check by its name, and writing several of them at once."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import Facts
from tidegate.policy.verdict import Verdict
from tidegate.report.document import render_json
from tidegate.report.github import render_github
from tidegate.report.gitlab import render_gitlab
from tidegate.report.markdown import render_markdown, render_summary
from tidegate.report.sarif import render_sarif
from tidegate.report.style import PLAIN, Style, choose_style
from tidegate.report.text import render_text
from tidegate.settings import nearest

__all__ = ["FORMATS", "Output", "Renderer", "Style", "choose_style", "parse_outputs", "write_outputs"]

Renderer: TypeAlias = Callable[[Facts, Verdict, Style], str]

FORMATS: Mapping[str, Renderer] = {
    "text": render_text,
    "json": render_json,
    "sarif": render_sarif,
    "github": render_github,
    "summary": render_summary,
    "markdown": render_markdown,
    "gitlab": render_gitlab,
}
"""Pure functions of facts and verdict. The result ends in a line break and can always be written as UTF-8."""


class Output(Struct, frozen=True):
    """One thing to write. `path` is None for standard output."""

    format: str
    path: Path | None


def parse_outputs(specs: Sequence[str], default: str = "text") -> tuple[Output, ...]:
    """What `-o` asks for: `FORMAT=FILE`, or `FILE` for the format `default`; `-` is standard output.

    The format `default` goes to standard output unless a spec sends it, or something else, elsewhere: `-o FILE` moves
    it, `-o FORMAT=FILE` is written beside it, `-o FORMAT=-` takes its place. Raises InputError for a format that does
    not exist and for two outputs to one place.
    """
    _check_format(default, "--format")
    outputs = tuple(_parse_output(spec, default) for spec in specs)
    places = [output.path for output in outputs]
    for index, place in enumerate(places):
        if place in places[:index]:
            raise InputError(
                f"two outputs go to {place or 'standard output'}", where="--output", mend="give each its own file"
            )
    moved = any("=" not in spec for spec in specs)
    return outputs if moved or None in places else (Output(default, None), *outputs)


def write_outputs(
    outputs: Sequence[Output], facts: Facts, verdict: Verdict, style: Style, stdout: Callable[[str], object]
) -> None:
    """Write every output: files first, each whole or not at all, then standard output.

    Files are plain text without colour. Raises InputError before anything is written when a folder does not exist or
    a file is a folder.
    """
    for output in outputs:
        _check_place(output)
    texts = [(o, FORMATS[o.format](facts, verdict, style if o.path is None else PLAIN)) for o in outputs]
    _write_files([(o.path, text.encode()) for o, text in texts if o.path is not None])
    for output, text in texts:
        if output.path is None:
            stdout(text)


# Private


def _parse_output(spec: str, default: str) -> Output:
    name, equals, place = spec.partition("=")
    if not equals:
        name, place = default, spec
    _check_format(name, "--output")
    if not place:
        raise InputError(
            f"{spec!r} names no file", where="--output", mend="write FORMAT=FILE, or - for standard output"
        )
    return Output(name, None if place == "-" else Path(place))


def _check_format(name: str, option: str) -> None:
    if name not in FORMATS:
        raise InputError(f"there is no format {name!r}", where=option, mend=nearest(name, list(FORMATS)))


def _check_place(output: Output) -> None:
    path = output.path
    if path is None:
        return
    try:
        target = path.resolve()
        is_folder, has_folder, is_ring = path.is_dir(), target.parent.is_dir(), target.is_symlink()
    except (OSError, RuntimeError) as error:  # a name that is too long, links in a ring
        raise InputError(f"not a place to write to: {error}", where="--output", mend="name another file") from error
    if is_ring:  # Python 3.13 resolves a ring of links to one of its links, without a word
        raise InputError("a ring of links", where=f"--output {path}", mend="name another file")
    if is_folder:
        raise InputError("it is a folder", where=f"--output {path}", mend="name a file in it")
    if not has_folder:
        raise InputError("the folder does not exist", where=f"--output {path}", mend=f"mkdir -p {path.parent}")


def _write_files(contents: Sequence[tuple[Path, bytes]]) -> None:
    """All temporary files are complete before the first takes its name."""
    pending: list[tuple[Path, Path]] = []
    current = Path()
    try:
        for current, content in contents:
            target = current.resolve()
            if target.exists() and not stat.S_ISREG(target.stat().st_mode):
                target.write_bytes(content)  # a pipe or a device keeps its place
                continue
            temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
            pending.append((temporary, target))
            temporary.write_bytes(content)
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        while pending:
            temporary, current = pending[0]
            temporary.replace(current)
            pending.pop(0)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            where=f"--output {current}",
            mend="check its permissions and the disk",
        ) from error
    finally:
        for temporary, _ in pending:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
