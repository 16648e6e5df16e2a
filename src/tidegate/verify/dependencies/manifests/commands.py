"""Packages that commands install by name: in scripts, images, pipelines, notebooks, `scripts` of `package.json`.

A command is read as text, line by line. What a variable, a file or another program names is not known and not said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from tidegate.verify.dependencies.manifests.pyproject import toml_table
from tidegate.verify.dependencies.manifests.requirement import read_requirement
from tidegate.verify.dependencies.values import (
    Ecosystem,
    Lines,
    Listing,
    Requirement,
    UnreadableError,
    normal_name,
)

LARGEST_BYTES = 1024 * 1024
_FILES = re.compile(
    r"(?:[\w.-]*\.)?(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?|(?:GNU)?[Mm]akefile|[\w.-]+\.mk|[Jj]ustfile|"
    r"[\w.-]+\.(?:sh|bash|zsh|ps1|bat|cmd|ipynb)|package\.json|tox\.ini|noxfile\.py|\.gitlab-ci\.yml|\.travis\.yml|"
    r"azure-pipelines\.ya?ml|appveyor\.yml|\.readthedocs\.ya?ml|Jenkinsfile|Procfile|devcontainer\.json|Taskfile\.ya?ml"
)
_PIPELINES = (".github/workflows/", ".github/actions/", ".circleci/", ".buildkite/")
_END = re.compile(r"&&|\|\||[;|<>`)]|\s#\s|\\n|\\\"|\",?\s*$")
_QUOTES = "\"'`,[](){}"


class _Command(Struct, frozen=True):
    """A way to install. `once`: only the first name is a package, what follows is for the program."""

    ecosystem: Ecosystem
    pattern: re.Pattern[str]
    once: bool = False


def _command(ecosystem: Ecosystem, words: str, *, once: bool = False) -> _Command:
    return _Command(ecosystem, re.compile(rf"(?<![\w.@-])(?:{words})(?=\s)"), once)


_COMMANDS = (
    _command("pypi", r"pip[\d.]*(?:\s+-[\w-]+(?:=\S+)?)*\s+(?:install|download|wheel)|pipx\s+(?:install|inject)"),
    _command("pypi", r"uv\s+(?:add|tool\s+install)|(?:poetry|pdm)\s+add|pipenv\s+install|session\.install\("),
    _command("pypi", r"uvx|uv\s+tool\s+run|pipx\s+run", once=True),
    _command("npm", r"(?:npm|pnpm|bun)\s+(?:i|install|add)|yarn\s+(?:global\s+)?add"),
    _command("npm", r"npx|npm\s+exec|(?:pnpm|yarn)\s+dlx|bunx", once=True),
    _command("cargo", r"cargo\s+(?:install|add|binstall)"),
    _command("gem", r"gem\s+install"),
    _command("golang", r"go\s+(?:install|get|run)"),
)
_INDEX = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--index", "--default-index", "--registry")
_NAMING = ("--from", "--with", "--spec", "--package", "-p")
_VALUED: dict[Ecosystem, frozenset[str]] = {
    "pypi": frozenset(
        "-r --requirement -c --constraint -t --target -d --dest -w --wheel-dir -p --python -e --editable --prefix "
        "--root --cache-dir --platform --python-version --implementation --abi --group -G --extra --timeout --retries "
        "--progress-bar "
        "--proxy --trusted-host --cert --log --src --no-binary --only-binary --upgrade-package --path --branch".split()
    ),
    "npm": frozenset("-w --workspace --filter -C --cwd --prefix --userconfig --tag".split()),
    "cargo": frozenset("--vers --version --branch --tag --rev --features -F --profile --bin --path --root -p".split()),
    "gem": frozenset("-v --version --source -P -n -i".split()),
}
"""Options whose value follows them and names no package."""
_VARIABLE = re.compile(r"(?:PIP|UV)_(?:EXTRA_)?(?:DEFAULT_)?INDEX(?:_URL)?\s*[=:]\s*[\"']?(https?://[^\s\"']+)")
_NPM_VARIABLE = re.compile(
    r"(?:npm_config_registry\s*[=:]|npm\s+config\s+set\s+registry)\s*[\"']?(https?://[^\s\"']+)", re.IGNORECASE
)
_NPM = re.compile(r"((?:@[a-z0-9~][\w.~-]*/)?[A-Za-z][\w.~-]*)(?:@([\w.^~*><=-]+))?")
_PLAIN = re.compile(r"([A-Za-z][\w-]*)(?:[@:]([\w.]+))?")
_GO = re.compile(r"((?:[\w-]+\.)+[a-z]+(?:/[\w.~-]+)+)(?:@([\w.+-]+))?")
_PROSE = frozenset(
    "a all and command commands curl dependencies deps failed for from git in into is it localhost of on or packages "
    "the to with".split()
)
_RUNS = re.compile(r"subprocess|os\.system|Popen|check_call|check_output|\brun\(|pip\.main|pip_main")
_SCRIPT = re.compile(r"^# /// script\s*\n((?:#.*\n)*?)# ///", re.MULTILINE)


def holds_commands(path: str) -> bool:
    """Whether a file is one by which people install things, or a program that may."""
    name = path.rpartition("/")[2]
    return bool(_FILES.fullmatch(name)) or path.startswith(_PIPELINES) or name.endswith((".py", ".pyw"))


def read_commands(path: str, text: str) -> Mapping[Ecosystem, Listing]:
    """What the commands of a file install, by ecosystem; nothing of a file that is larger than is read."""
    asked: dict[Ecosystem, list[Requirement]] = defaultdict(list)
    indexes: dict[Ecosystem, list[tuple[str, int]]] = defaultdict(list)
    if len(text) > LARGEST_BYTES or not re.search(
        r"pip|npm|npx|uv|yarn|bun|cargo|gem|go |poetry|pdm|/// script|INDEX", text
    ):
        return {}
    program = path.endswith((".py", ".pyw"))
    for line, number in [] if program and not _RUNS.search(text) else _lines(text):
        if program and not (_RUNS.search(line) and "install" in line):
            continue
        body = re.sub(r"[\"',\[\]()]+\s*", " ", line) if program else line
        for command in _COMMANDS:
            for found in command.pattern.finditer(body):
                if not re.search(r"\b(?:echo|printf|print|say|name:|description:|Write-Host)\b", body[: found.start()]):
                    _read(command, _END.split(body[found.end() :], maxsplit=1)[0], number, (asked, indexes))
        for ecosystem, pattern in (("pypi", _VARIABLE), ("npm", _NPM_VARIABLE)):
            indexes[ecosystem] += [(found[1], number) for found in pattern.finditer(body)]  # type: ignore[index]
    if program:
        asked["pypi"] += _of_script(text)
    return {
        ecosystem: Listing(ecosystem, tuple(asked[ecosystem]), indexes=tuple(indexes[ecosystem]))
        for ecosystem in sorted({*asked, *indexes})
        if asked[ecosystem] or indexes[ecosystem]
    }


# Private

_Found = tuple[dict[Ecosystem, list[Requirement]], dict[Ecosystem, list[tuple[str, int]]]]


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Lines with those that they are continued on, and the number of the first."""
    parts: list[str] = []
    start = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = re.sub(r"\$?\{\{.*?\}\}", "$", raw.strip())
        if not parts:
            start = number
        if line.startswith(("#", "//", "REM ", ".PHONY", "- name:", "name:")) and not line.startswith("#!"):
            continue
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\") or len(parts) > 200:
            yield " ".join(parts), start
            parts = []
    if parts:
        yield " ".join(parts), start


def _read(command: _Command, tail: str, line: int, found: _Found) -> None:
    asked, indexes = found
    words = [word.strip(_QUOTES) for word in tail.split()]
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        name, _, value = word.partition("=")
        if word in _INDEX or (name in _INDEX and value):
            address = value or (words[at] if at < len(words) else "")
            at += not value and ("://" in address or command.ecosystem == "pypi")
            if "://" in address:
                indexes[command.ecosystem].append((address, line))
        elif word in _NAMING and not (word == "-p" and command.ecosystem != "npm"):
            continue
        elif name in _NAMING and value:
            word = value
        elif word in _VALUED.get(command.ecosystem, ()):
            at += 1
            continue
        if not word or word.startswith(("-", "$", ".", "/", "%", "~", "{")) or "$" in word or word in _INDEX:
            continue
        one = _requirement(command.ecosystem, word, line)
        if one is not None:
            asked[command.ecosystem].append(one)
        if command.once and not any(one in words[at:] for one in _NAMING):
            return


def _requirement(ecosystem: Ecosystem, word: str, line: int) -> Requirement | None:
    if ecosystem == "pypi" and word not in _PROSE:
        return read_requirement(word.replace("@latest", ""), line, development=True)
    if re.match(r"git\+|https?://|git@|github:", word):
        name = word.partition("#")[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
        return Requirement(
            normal_name(ecosystem, name), "", line, True, word, bool(re.search(r"#[0-9a-f]{40}$", word)), name
        )
    if word in _PROSE:
        return None
    pattern = {"npm": _NPM, "golang": _GO}.get(ecosystem, _PLAIN)
    found = pattern.fullmatch(word)
    if found is None or found[1] in ("true", "false"):
        return None
    return Requirement(normal_name(ecosystem, found[1]), found[2] or "", line, True, "", False, found[1])


def _of_script(text: str) -> Iterator[Requirement]:
    """What a program says that it needs (PEP 723)."""
    block = _SCRIPT.search(text)
    if block is None:
        return
    try:
        table = toml_table(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))
    except UnreadableError:
        return
    start, lines = text.count("\n", 0, block.start(1)), Lines(re.sub(r"^#", " ", block[1], flags=re.MULTILINE))
    listed = table.get("dependencies")
    for each in listed if isinstance(listed, list) else ():
        one = read_requirement(each, 0) if isinstance(each, str) else None
        if one is not None:
            yield msgspec.structs.replace(one, line=start + lines.of(one.written))
