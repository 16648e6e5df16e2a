"""Git, asked by a recorder: one process a question, without the 15 ms that importing `subprocess` costs.

Beside `change/git.py` this is the only place that starts git, and for that reason alone. What git is asked here reads
objects, the index or an identity, and none of it runs a command that a configuration names: listings of the work tree,
which could, are asked through a private git directory without the repository's configuration.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidegate.agent.hooks.place import Place

OUTPUT_LIMIT_BYTES = 16 << 20


class GitFailed(Exception):  # noqa: N818 it is no error of ours
    """Git could not answer, or answered more than is read."""


def ask(place: Place, *arguments: str, stdin: bytes = b"", private: bool = False) -> bytes:
    """What `git ARGUMENTS` prints. Raises GitFailed."""
    program = _find_git()
    os.makedirs(place.own, exist_ok=True)
    environment = _environment(place, private)
    questions = _open_questions(place, stdin) if stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, questions, 0), (os.POSIX_SPAWN_DUP2, writer, 1)]
    actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))  # type: ignore[arg-type]
    command = ["git", "-C", place.top, "-c", "core.fsmonitor=false", *arguments]
    try:
        process = os.posix_spawn(program, command, environment, file_actions=actions)
    finally:
        os.close(writer)
        os.close(questions)
    with open(reader, "rb") as file:
        output = file.read(OUTPUT_LIMIT_BYTES + 1)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if code != 0 or len(output) > OUTPUT_LIMIT_BYTES:
        raise GitFailed(f"git {arguments[0]} ended with {code}")
    return output


def read_objects(place: Place, names: list[str]) -> list[bytes | None]:
    """The content of objects by name, None for what is missing or no blob. One process."""
    asked = [name for name in names if "\n" not in name]
    if not asked:
        return [None] * len(names)
    questions = "".join(f"{name}\n" for name in asked).encode("utf-8", "surrogateescape")
    output = ask(place, "cat-file", "--batch", stdin=questions)
    found: dict[str, bytes | None] = {}
    at = 0
    for name in asked:
        end = output.index(b"\n", at)
        fields = output[at:end].rsplit(b" ", 2)
        at = end + 1
        found[name] = None
        if len(fields) == 3 and fields[2].isdigit():
            size = int(fields[2])
            if fields[1] == b"blob":
                found[name] = output[at : at + size]
            at += size + 1
    return [found.get(name) for name in names]


def person(place: Place) -> str:
    """The human at the keyboard, `Name <email>`, as git would write them into a commit now; "" where git knows none."""
    try:
        identity = ask(place, "var", "GIT_AUTHOR_IDENT").decode("utf-8", "replace")
    except GitFailed:
        return ""
    return identity[: identity.rfind(">") + 1]


# Private

_KEPT = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")


def _find_git() -> str:
    """The git program, from the absolute folders of PATH only: `.` may hold a program called git."""
    for folder in os.environ.get("PATH", os.defpath).split(":"):
        if folder.startswith("/") and os.access(f"{folder}/git", os.X_OK):
            return f"{folder}/git"
    raise GitFailed("git is not installed")


def _environment(place: Place, private: bool) -> Mapping[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    kept |= {"GIT_DIR": place.git_dir, "GIT_WORK_TREE": place.top, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    kept["GIT_NO_REPLACE_OBJECTS"] = "1"
    if private:
        kept |= {
            "GIT_DIR": _private_dir(place),
            "GIT_OBJECT_DIRECTORY": f"{place.common}/objects",
            "GIT_INDEX_FILE": f"{place.git_dir}/index",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_OPTIONAL_LOCKS": "0",
        }
    return kept


def _private_dir(place: Place) -> str:
    folder = f"{place.own}/git"
    if not os.path.exists(f"{folder}/HEAD"):
        os.makedirs(f"{folder}/refs", exist_ok=True)
        with open(f"{place.common}/config", "rb") as file:
            sha256 = b"objectformat = sha256" in file.read(1 << 16).lower()
        settings = "[core]\n\trepositoryformatversion = 1\n" + ("[extensions]\n\tobjectFormat = sha256\n" * sha256)
        for name, text in (("config", settings), ("HEAD", "ref: refs/heads/none\n")):
            with open(f"{folder}/{name}", "w", encoding="ascii") as file_:
                file_.write(text)
    return folder


def _open_questions(place: Place, text: bytes) -> int:
    """A nameless file to read from: a pipe would block when git answers before it has read everything."""
    name = f"{place.own}/.questions.{os.getpid()}"
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.unlink(name)
    view = memoryview(text)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
