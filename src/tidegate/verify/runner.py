"""Runs a repository's own commands in a temporary folder that is made from a git tree, within limits.

Only `tidegate verify ...` comes here: a check never does. The user's working tree is never written to and hooks never
run: the files come out of the object store through `change/git.py`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.errors import InputError

LARGEST_BYTES = 64 << 20
"""A larger file is not laid out, and that is said."""


class Entry(NamedTuple):
    """A file of a tree: git's mode and object."""

    mode: int
    oid: str


class Limits(Struct, frozen=True):
    """What a run may use: wall time, address space of each process (0: any), and how much of its output is kept."""

    seconds: float = 600.0
    memory_bytes: int = 0
    output_bytes: int = 1 << 18


class Ran(Struct, frozen=True):
    """What became of a command. `output` is the end of both its outputs; CPU counts all that it started and awaited."""

    exit_code: int
    timed_out: bool
    seconds: float
    cpu_seconds: float
    output: str


def list_tree(repository: Repository, tree: str) -> dict[str, Entry]:
    """Every file, link and submodule of a tree by path; bytes that are not UTF-8 are surrogates."""
    found = {}
    for entry in repository.run("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        head, _, path = entry.partition(b"\t")
        fields = head.split()
        if len(fields) == 3:
            found[path.decode("utf-8", "surrogateescape")] = Entry(int(fields[0], 8), fields[2].decode("ascii"))
    return found


def lay_out(repository: Repository, listing: Mapping[str, Entry], folder: Path) -> tuple[str, ...]:
    """Write these files under `folder`, which must be empty, by two processes in all.

    Answers what was left out, in words: submodules, links that lead out of the folder, names that are no plain path,
    and files beyond 64 MB. Raises InputError where the disk refuses.
    """
    left_out: list[str] = []
    by_oid: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path, entry in sorted(listing.items()):
        if not _is_plain(path):
            left_out.append(f"{path}: no plain path")
        elif entry.mode == _SUBMODULE:
            left_out.append(f"{path}: a submodule")
        else:
            by_oid[entry.oid].append((path, entry.mode))
    links: list[tuple[str, bytes]] = []
    try:
        _write_files(repository, by_oid, folder, links, left_out)
        # Links come last, so that no file is ever written through one.
        refused = [path for path, target in links if not _make_link(folder, path, target)]
        # Two links that stay inside each for itself may lead out together: only all of them tell.
        refused += [path for path, _ in links if path not in refused and not _is_inside(folder, folder / path)]
        for path in sorted(refused):
            if (folder / path).is_symlink():
                (folder / path).unlink()
            left_out.append(f"{path}: a link that leads out of the tree")
    except OSError as error:
        raise InputError(
            f"the tree cannot be laid out ({error})", where=str(folder), mend="check the disk, or set TMPDIR"
        ) from error
    return tuple(left_out)


def run_limited(command: Sequence[str], folder: Path, environment: Mapping[str, str], limits: Limits) -> Ran:
    """Run a command in `folder`, without standard input; when its time is up, it and all it started are ended.

    Raises InputError when it cannot be started.
    """
    used, start = _children_cpu(), time.monotonic()
    try:
        # Running the repository's own tests is what the user has asked for.
        process = subprocess.Popen(  # noqa: S603
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"the command cannot be started ({error})", where=" ".join(command)[:200], mend="check its name and PATH"
        ) from error
    try:
        if limits.memory_bytes and hasattr(resource, "prlimit"):
            _limit_memory(process.pid, limits.memory_bytes)
        output, timed_out = _await(process, start + limits.seconds, limits.output_bytes)
    finally:
        _end(process)
    return Ran(
        exit_code=process.returncode,
        timed_out=timed_out,
        seconds=time.monotonic() - start,
        cpu_seconds=_children_cpu() - used,
        output=output.decode("utf-8", "backslashreplace"),
    )


def find_python(repository_path: Path, given: str, environment: Mapping[str, str]) -> str:
    """The interpreter that runs the tests: the one given, else the repository's own .venv, else `python` on PATH.

    Raises InputError when there is none.
    """
    if given:
        # Not resolved: the link is what tells a virtual environment from the Python that it was made with.
        found = shutil.which(str(Path(given).absolute()) if os.sep in given else given, path=environment.get("PATH"))
        if found is None:
            raise InputError("this is no interpreter", where=f"--python {given}", mend="name one that can be run")
        return found
    own = [repository_path / name / "bin" / "python" for name in (".venv", "venv")]
    active = environment.get("VIRTUAL_ENV", "")
    for candidate in ([Path(active) / "bin" / "python"] if active else []) + own:
        if os.access(candidate, os.X_OK):
            return str(candidate)
    found = shutil.which("python", path=environment.get("PATH")) or shutil.which(
        "python3", path=environment.get("PATH")
    )
    if found is None:
        raise InputError("there is no python here", where="PATH", mend="name one with --python")
    return found


def python_roots(listing: Iterable[str], near: Iterable[str] = ()) -> tuple[str, ...]:
    """The folders of a tree that Python imports its packages from, the nearest first: "" is the tree itself.

    `near` are files (tests) whose own projects come first where the tree holds several. A `src` or `lib` folder with
    packages in it stands before the folder that it lies in.
    """
    paths = set(listing)
    projects = [""]
    for path in near:
        for parent in PurePosixPath(path).parents:
            folder = "" if str(parent) == "." else str(parent)
            if folder and any(f"{folder}/{name}" in paths for name in ("pyproject.toml", "setup.py", "setup.cfg")):
                projects.insert(0, folder)
    folders = {"/".join(path.split("/")[:depth]) for path in paths if path.endswith(".py") for depth in _depths(path)}
    roots: list[str] = []
    for project in dict.fromkeys(projects):
        lead = f"{project}/" if project else ""
        inner = [f"{lead}{name}" for name in ("src", "lib", "python")]
        roots += [name for name in inner if name in folders and f"{name}/__init__.py" not in paths]
        roots.append(project)
    return tuple(dict.fromkeys(roots))


# Private

_SUBMODULE = 0o160000
_LINK = 0o120000
_LAST_READS = 64


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return not ("\0" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts))


def _write_files(
    repository: Repository,
    by_oid: Mapping[str, Sequence[tuple[str, int]]],
    folder: Path,
    links: list[tuple[str, bytes]],
    left_out: list[str],
) -> None:
    made: set[str] = set()
    for blob in repository.read_blobs(by_oid, LARGEST_BYTES):
        for path, mode in by_oid[blob.name]:
            if blob.kind != "blob":
                left_out.append(f"{path}: {'larger than 64 MB' if blob.kind == 'too-large' else 'not in this clone'}")
                continue
            if mode == _LINK:
                links.append((path, blob.content))
                continue
            target = os.path.join(folder, path)  # noqa: PTH118 thousands of files: Path costs as much as writing
            parent = target.rpartition("/")[0]
            if parent not in made:
                Path(parent).mkdir(parents=True, exist_ok=True)
                made.add(parent)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if mode & 0o100 else 0o644)
            with open(descriptor, "wb") as file:  # noqa: PTH123 the descriptor says that the file is new
                file.write(blob.content)


def _make_link(folder: Path, path: str, target: bytes) -> bool:
    text = target.decode("utf-8", "surrogateescape")
    inside = os.path.normpath(f"{path.rpartition('/')[0] or '.'}/{text}")
    place = folder / path
    if text.startswith("/") or inside.startswith("..") or "\0" in text or not _is_inside(folder, place.parent):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(text)
    return True


def _is_inside(folder: Path, place: Path) -> bool:
    real, own = os.path.realpath(place), os.path.realpath(folder)
    return real == own or real.startswith(own + os.sep)


def _depths(path: str) -> range:
    return range(1, path.count("/") + 1)


def _await(process: subprocess.Popen[bytes], deadline: float, keep: int) -> tuple[bytes, bool]:
    """The end of what it prints until it ends, and whether its time was up. What it leaves running does not count."""
    tail = b""
    stream: IO[bytes] | None = process.stdout
    if stream is None:
        return tail, not _ended_by(process, deadline)
    os.set_blocking(stream.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return tail, True
            if selector.select(min(0.05, left)):
                part = os.read(stream.fileno(), 1 << 16)
                if not part:
                    return tail, not _ended_by(process, deadline)
                tail = (tail + part)[-keep:]
        # What is still in the pipe; a process that was left running may go on to fill it, and is not waited for.
        for _ in range(_LAST_READS):
            if not selector.select(0):
                break
            part = os.read(stream.fileno(), 1 << 16)
            if not part:
                break
            tail = (tail + part)[-keep:]
    return tail, False


def _ended_by(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session that it leads, and reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _limit_memory(pid: int, most: int) -> None:
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
    except (ProcessLookupError, PermissionError, ValueError):
        return  # it has ended already, or the system's own limit is lower


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
