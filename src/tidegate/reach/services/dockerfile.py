"""Dockerfiles: what of a build context goes into an image.

docs.docker.com/reference/dockerfile, and "Build context" for .dockerignore. Without `COPY` and `ADD` an image holds
nothing of the repository but what its Dockerfile says; stages that the last one does not need are not built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.paths import fits
from tidegate.reach.services.tree import Tree, folder_of, join_path, name_of

LONGEST = 4000
MOST_ENTRIES = 60
"""Paths of one image; where there would be more, the whole context stands for them."""


class Build(NamedTuple):
    """How an image is built: the paths of its Dockerfile and of its context, the stage ("" the last), its arguments."""

    dockerfile: str
    context: str
    target: str = ""
    arguments: Mapping[str, str] = {}


def build_paths(build: Build, tree: Tree) -> tuple[str, ...]:
    """The Dockerfile and what of the context it copies, without what .dockerignore leaves out, in words of `paths.py`.

    The whole context where the Dockerfile cannot be read.
    """
    own = (build.dockerfile,) if build.dockerfile in tree.paths else ()
    if not own:
        return (build.context,)
    sources = _copied(_instructions(tree.text(build.dockerfile)), build)
    found = [path for source in sources if (path := join_path(build.context, source)) is not None]
    found = list(dict.fromkeys(path for path in found if _is_there(path, tree)))
    if len(found) > MOST_ENTRIES:
        found = [build.context]
    found = [path for path in found if not any(other != path and fits(other, path) for other in found)]
    return (*found, *_ignored(build, found, tree), *own)


def guess_context(dockerfile: str, tree: Tree) -> str:
    """The folder at or above the Dockerfile in which most of what it copies exists, the nearest of equals."""
    sources = [s for s in _copied(_instructions(tree.text(dockerfile)), Build(dockerfile, "")) if s not in (".", "./")]
    best, best_count = folder_of(dockerfile), -1
    folder = best
    while True:
        paths = [join_path(folder, source.lstrip("/")) for source in sources]
        count = sum(path is not None and _is_there(path, tree) for path in paths)
        if count > best_count:
            best, best_count = folder, count
        if not folder:
            return best
        folder = folder_of(folder)


# Private

_GENERIC = frozenset(
    ("", "docker", "build", "deploy", "deployment", "container", "containers", ".docker", "images", "image", "src")
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-+]([^{}]*))?\}|(\w+))")
_URL = re.compile(r"(?:https?|git|ssh|ftp)(?:://|@)")


def _wants(path: str) -> bool:
    name = name_of(path).lower()
    file = name in ("dockerfile", "containerfile") or name.startswith("dockerfile.") or name.endswith(".dockerfile")
    return (file and not name.endswith((".dockerignore", ".md", ".j2"))) or name.endswith(".dockerignore")


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if path.endswith(".dockerignore") or not tree.content(path):
        return
    if not any(word == "FROM" for word, _ in _instructions(tree.text(path))):
        tree.fail(path, "a Dockerfile without FROM")
        return
    build = Build(path, guess_context(path, tree))
    folder = folder_of(path)
    yield Claim(
        provider="dockerfile",
        role="build",
        source=path,
        name=_name(path),
        kind="image",
        folder=folder,
        paths=build_paths(build, tree),
        built=True,
        dockerfile=path,
    )


def _name(path: str) -> str:
    """What a Dockerfile is called after: its ending, its beginning, or the next folder whose name says something."""
    name = name_of(path)
    before, _, after = name.partition(".")
    if after.lower() == "dockerfile":
        return before
    folder = folder_of(path)
    while name_of(folder).lower() in _GENERIC and folder:
        folder = folder_of(folder)
    if after and after.lower() not in ("dev", "prod", "production", "development", "test", "local", "ci", "debug"):
        return after if not folder or not after.isalnum() or len(after) > 3 else f"{name_of(folder)}-{after}"
    return name_of(folder) or "app"


def _instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined, comments and here-documents left out."""
    escape = "`" if re.match(r"(?i)#\s*escape\s*=\s*`", text) else "\\"
    found: list[tuple[str, str]] = []
    whole: list[str] = []
    ends: list[str] = []
    for line in text.split("\n"):
        line = line.strip()
        if ends:
            if line == ends[0]:
                ends.pop(0)
            continue
        if line.startswith("#") or not line:
            continue
        whole.append(line.removesuffix(escape))
        if line.endswith(escape):
            continue
        word, _, rest = " ".join(whole).strip().partition(" ")
        whole = []
        ends = re.findall(r"<<-?[\"']?(\w+)", rest) if word.upper() in ("RUN", "COPY", "ADD") else []
        found.append((word.upper(), rest.strip()))
    return found


def _copied(instructions: list[tuple[str, str]], build: Build) -> list[str]:
    """The sources that the wanted stage and those that it rests on copy from the context."""
    values = dict[str, str]()
    stages: list[_Stage] = []
    for word, rest in instructions:
        if word == "ARG":
            name, _, default = rest.partition("=")
            values[name.strip()] = build.arguments.get(name.strip(), default.strip("\"' "))
        elif word == "ENV" and "=" in rest:
            name, _, value = rest.partition("=")
            values[name.strip()] = _fill(value.strip("\"' "), values)
        elif word == "FROM":
            words = [_fill(w, values) for w in rest.split() if not w.startswith("--")]
            alias = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            stages.append(_Stage(alias, [words[0].lower()] if words else [], []))
        elif word in ("COPY", "ADD", "RUN") and stages:
            _copy(word, _fill(rest, values), stages[-1])
    return _needed(stages, build.target)


class _Stage(NamedTuple):
    name: str
    rests_on: list[str]
    sources: list[str]


def _copy(word: str, rest: str, stage: _Stage) -> None:
    if word == "RUN":
        for mount in re.findall(r"--mount=(\S+)", rest):
            options = {key: value for key, _, value in (part.partition("=") for part in mount.split(","))}
            if options.get("from"):
                stage.rests_on.append(options["from"].lower())
            elif options.get("type", "bind") == "bind":
                stage.sources.append(options.get("source", options.get("src", ".")))
        return
    flags = re.findall(r"--(\w+)(?:=(\S+))?", rest.partition("[")[0] if rest.endswith("]") else rest)
    origin = next((value for flag, value in flags if flag == "from"), "")
    if origin:
        stage.rests_on.append(origin.lower())
        return
    words = [w for w in _words(rest) if not w.startswith(("--", "<<"))]
    stage.sources.extend(w.lstrip("/") or "." for w in words[:-1] if not _URL.match(w))


def _words(rest: str) -> list[str]:
    start = rest.find("[")
    if start >= 0 and rest.endswith("]"):
        try:
            return msgspec.json.decode(rest[start:].encode(), type=list[str])
        except msgspec.MsgspecError:
            pass
    return [word.strip("\"'") for word in rest.split()]


def _needed(stages: list[_Stage], target: str) -> list[str]:
    by_name = {stage.name: number for number, stage in enumerate(stages) if stage.name}
    by_name.update((str(number), number) for number in range(len(stages)))
    waiting = [by_name.get(target.lower(), len(stages) - 1)] if stages else []
    done: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number in done:
            continue
        done.add(number)
        waiting += [by_name[name] for name in stages[number].rests_on if name in by_name]
    return [source for number in sorted(done) for source in stages[number].sources]


def _fill(text: str, values: Mapping[str, str]) -> str:
    # Cut, because X=$X$X written sixty times would fill the memory.
    return _VARIABLE.sub(lambda m: values.get(m[1] or m[3], "") or m[2] or "", text[:LONGEST])[:LONGEST]


def _is_there(path: str, tree: Tree) -> bool:
    """Whether the tree has it. A pattern is there when the folder before it is: what it takes in may come later."""
    if any(mark in path for mark in "*?["):
        fixed = path.split("/")
        stop = next(i for i, part in enumerate(fixed) if any(mark in part for mark in "*?["))
        return tree.is_folder("/".join(fixed[:stop]))
    return tree.exists(path)


def _ignored(build: Build, sources: list[str], tree: Tree) -> list[str]:
    """The entries that .dockerignore adds, without the names of what the tree does not have."""
    own = f"{build.dockerfile}.dockerignore"
    general = f"{build.context}/.dockerignore".lstrip("/")
    found: list[str] = []
    for line in tree.text(own if own in tree.paths else general).split("\n")[:500]:
        line = line.strip()
        pattern = join_path(build.context, line.lstrip("!").strip().strip("/"))
        if not line or line.startswith("#") or pattern is None or pattern == build.context:
            continue
        if not any(mark in pattern for mark in "*?["):
            inside = any(fits(source, pattern) or fits(pattern, source) for source in sources)
            if not inside or not tree.exists(pattern):
                continue
        found.append(pattern if line.startswith("!") else f"!{pattern}")
    return found[:MOST_ENTRIES]


DOCKERFILE = Provider("dockerfile", _wants, _read)
