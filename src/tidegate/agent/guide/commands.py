"""The commands that test, lint, format, type-check and build here, as pipelines and manifests show them, with the line.

Nothing is executed. A command of a pipeline counts as what is enforced where the pipeline runs for a proposed change;
what a manifest names is shown, and nothing says that it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from tidegate.agent.guide import quote
from tidegate.agent.guide.sources import Found, Sources, above
from tidegate.agent.guide.tools import Purpose, Use, purpose_of, use_of
from tidegate.agent.guide.values import Item

GATING = frozenset(("pull_request", "pull_request_target", "merge_group", "workflow_call"))
MOST_EACH = 3
MOST_COMMANDS = 1500
MOST_LINES = 10_000


class Shown(Struct, frozen=True):
    """One command that the repository shows. `gates`: a pipeline runs it for proposed changes."""

    use: Use
    text: str
    at: Found
    gates: bool
    folder: str = ""


def read_commands(sources: Sources) -> tuple[Shown, ...]:
    """Every command of pipelines and of the manifests at the top whose purpose its words tell."""
    sources.preload((*sources.workflows, *sources.manifests("")))
    return (*_of_pipelines(sources), *_of_manifests(sources, ""))


def near(sources: Sources, path: str) -> tuple[Shown, ...]:
    """The same of the manifests in the nearest folder around `path` that has one, the top left out."""
    for folder in above(path):
        if folder and any(name.endswith(_NAMING) for name in sources.manifests(folder)):
            return _of_manifests(sources, folder)
    return ()


def items(shown: Iterable[Shown], language: str = "", path: str = "") -> tuple[Item, ...]:
    """At most three commands for each purpose, those that pipelines run first.

    With a language those of its own; with a path those that run at the top or in a folder around it.
    """
    wanted = [one for one in shown if one.use.purpose != "other" and _fits(one.use, language) and not _is_noise(one)]
    wanted = [one for one in wanted if not path or not one.folder or path.startswith(f"{one.folder}/")]
    found: list[Item] = []
    for purpose, label in _LABELS.items():
        mine = _best([one for one in wanted if one.use.purpose == purpose])
        found += [_item(label, one) for one in mine[:MOST_EACH]]
    return tuple(found)


def managers(sources: Sources) -> Mapping[str, Found]:
    """Package managers whose lock file lies at the top, each with that file."""
    return {manager: Found(name) for name, manager in LOCKS.items() if name in sources.paths}


LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}

# Private

_NAMING = ("Makefile", "makefile", "ustfile", "package.json", "pyproject.toml", "Cargo.toml", "go.mod", "tox.ini")
_LABELS: dict[Purpose, str] = {
    "setup": "Set up",
    "build": "Build",
    "test": "Test",
    "lint": "Lint",
    "format": "Format",
    "types": "Check types",
}
_LANGUAGES: dict[str, str] = {
    "Python": r"pytest|tox|nox|unittest|ruff|flake8|pylint|black|isort|mypy|pyright|basedpyright|ty |pyrefly|uv|poetry"
    r"|pdm|pip|bandit|lint-imports|yapf|autopep8|python|trial|stestr|manage\.py",
    "JavaScript": r"script|bare|npm|pnpm|yarn|bun|jest|vitest|mocha|eslint|prettier|tsc|biome|oxlint|playwright|cypress"
    r"|node|xo|knip|vue-tsc|stylelint|karma|ava|tsgo",
    "Rust": r"cargo|rustfmt",
    "Go": r"go |gofmt|gofumpt|goimports|golangci-lint|staticcheck|gotestsum|mage|revive",
    "Ruby": r"rspec|rubocop|rake|rails|bundle|minitest",
    "Java": r"mvn|mvnw|gradle",
    "Kotlin": r"mvn|mvnw|gradle",
    "Zig": r"zig",
    "C#": r"dotnet",
    "Shell": r"shellcheck|shfmt",
}
_ANY = re.compile(r"(?:make|just|task|pre-commit|prek|typos|codespell)\b")


def _is_noise(one: Shown) -> bool:
    """Whether it sets up a machine and not this repository, is a variant of a target that nothing runs, only builds
    tests, or is no command without what cannot be shown of it."""
    if one.folder and not quote.is_name(one.folder):
        return True
    variant = bool(one.use.target) and len(re.split(r"[^a-z0-9]+", one.use.target.lower())) > 1
    if variant and not one.gates:
        return True
    if one.use.key == "go test" and re.search(r" -c(?: |$)", one.text):
        return True
    if one.use.purpose == "setup":
        if one.use.key.startswith("pip") and not quote.command(one.text):
            return True
        foreign = re.search(r"(?:^| )(?:-g|--global|add)(?: |$)", one.text)
        return bool(foreign) or (one.use.key.startswith(("pip", "uv pip")) and not re.search(r" -[er] | \.", one.text))
    return False


def _fits(use: Use, language: str) -> bool:
    language = {"TypeScript": "JavaScript", "Vue": "JavaScript", "Svelte": "JavaScript"}.get(language, language)
    if not language or language not in _LANGUAGES or _ANY.match(use.key):
        return True
    return bool(re.match(_LANGUAGES[language], f"{use.key} "))


def _of_pipelines(sources: Sources) -> Iterator[Shown]:
    from tidegate.infra.pipelines.github import workflow_of
    from tidegate.infra.pipelines.gitlab import jobs_of
    from tidegate.infra.pipelines.shell import commands
    from tidegate.infra.pipelines.texts import read_all

    contents = {path: sources.text(path).encode() for path in sources.workflows}
    count = 0
    for text in read_all(contents, contents):
        if text.problem:
            sources.unread[text.path] = text.problem
            continue
        scripts: list[tuple[str, bool, str]] = []
        flow = workflow_of(text) if not text.path.endswith(".gitlab-ci.yml") else None
        if flow is not None:
            gates = _gates(flow.triggers)
            scripts = [
                (step.run, gates and not job.tolerant and not step.tolerant, _folder_of(text.value, step.place))
                for job in flow.jobs.values()
                if not job.deploys
                for step in job.steps
            ]
        elif text.path.endswith(".gitlab-ci.yml"):
            scripts = [(job.script, not job.values.get("allow_failure"), "") for job in jobs_of(text.value).values()]
        lines = _Lines(text.words)
        for script, gates, folder in scripts:
            for one in commands(script):
                if one.text.startswith("cd "):
                    folder = "?"
                count += 1
                use = use_of(one.text) if count <= MOST_COMMANDS else None
                if use is not None:
                    at = Found(text.path, lines.of(one.text))
                    inside = found[1] if (found := _INSIDE.search(one.text)) else folder
                    yield Shown(use, one.text, at, gates and not one.tolerated, inside.removeprefix("./").rstrip("/"))


_INSIDE = re.compile(r"(?:--directory|--cwd|--prefix|--project|(?<!\S)-C)[= ](\S+)")


def _folder_of(value: object, place: tuple[str | int, ...]) -> str:
    """The folder that a step runs in, as it, its job or the workflow says; "" for the top."""
    from tidegate.infra.pipelines.texts import mapping

    found = ""
    at: Any = value
    for key in (None, *place):
        if key is not None:
            inside = isinstance(at, dict) or (isinstance(at, list) and isinstance(key, int) and key < len(at))
            at = (at.get(key) if isinstance(at, dict) else at[key]) if inside else None
        own = mapping(mapping(mapping(at).get("defaults")).get("run")).get("working-directory")
        found = next((one for one in (mapping(at).get("working-directory"), own) if isinstance(one, str)), found)
    return "" if found in (".", "./") else found


def _gates(triggers: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether it runs before a change lands: for a pull request, or for every branch that is pushed."""
    push = triggers.get("push")
    every_branch = push is not None and not push.keys() & {"tags", "branches"}
    return every_branch or any(name in GATING for name in triggers)


class _Lines:
    """The line of a command in a text, by its first words."""

    def __init__(self, text: str) -> None:
        self._lines = [" ".join(line.split()) for line in text.split("\n")[:MOST_LINES]]

    def of(self, command: str) -> int:
        words = command.split()
        for length in dict.fromkeys((len(words), min(len(words), 8), min(len(words), 4))):
            begin = " ".join(words[:length])
            for number, line in enumerate(self._lines, 1):
                if begin in line and not line.startswith("#"):
                    return number
        return 0


def _of_manifests(sources: Sources, folder: str) -> tuple[Shown, ...]:
    found: list[Shown] = []
    sources.preload(sources.manifests(folder))
    for path in sources.manifests(folder):
        last = path.rpartition("/")[2]
        if last in ("Makefile", "makefile", "GNUmakefile"):
            found += _targets(path, sources.text(path), "make", folder)
        elif last.lower().endswith("justfile"):
            found += _targets(path, sources.text(path), "just", folder)
        elif last == "package.json":
            found += _scripts(sources, path, folder)
        elif last in ("pyproject.toml", "tox.ini", "noxfile.py", "pytest.ini", "setup.cfg", "Cargo.toml", "go.mod"):
            found += _implied(sources, path, folder)
        elif last == ".pre-commit-config.yaml":
            found.append(Shown(Use("lint", "pre-commit run"), "pre-commit run --all-files", Found(path), False, folder))
    return tuple(found)


_MAKE = re.compile(r"^([A-Za-z][\w.-]*(?:[ \t]+[A-Za-z][\w.-]*)*)[ \t]*::?(?!=)", re.MULTILINE)
_JUST = re.compile(r"^@?([a-z][\w-]*)(?:[ \t]+[^:=\n]*)?:(?!=)", re.MULTILINE)


def targets_of(text: str, tool: str) -> dict[str, int]:
    """The targets of a Makefile or recipes of a justfile, each with its line."""
    found: dict[str, int] = {}
    at, line = 0, 1
    for match in (_MAKE if tool == "make" else _JUST).finditer(text[: 1 << 20]):
        line += text.count("\n", at, match.start())
        at = match.start()
        for name in match[1].split():
            found.setdefault(name, line)
    return found


def _targets(path: str, text: str, tool: str, folder: str) -> Iterator[Shown]:
    for name, line in targets_of(text, tool).items():
        purpose = purpose_of(name)
        if purpose != "other":
            yield Shown(Use(purpose, f"{tool} {name}", target=name), f"{tool} {name}", Found(path, line), False, folder)


def _scripts(sources: Sources, path: str, folder: str) -> Iterator[Shown]:
    scripts = sources.json(path).get("scripts")
    manager = next((name for name in managers(sources) if name in ("pnpm", "yarn", "npm", "bun")), "npm")
    for name in scripts if isinstance(scripts, dict) else ():
        purpose = purpose_of(name)
        if purpose != "other" and re.fullmatch(r"[\w:.-]{1,40}", name):
            at = sources.place(path, rf'^\s*"{re.escape(name)}"\s*:')
            yield Shown(Use(purpose, f"script {name}", manager, name), f"{manager} run {name}", at, False, folder)


def _implied(sources: Sources, path: str, folder: str) -> Iterator[Shown]:
    """What a tool's own section of a manifest says of it: that it is used here."""
    last = path.rpartition("/")[2]
    tool = "uv run " if "uv.lock" in sources.paths else "poetry run " if "poetry.lock" in sources.paths else ""
    for where, pattern, purpose, key in _SECTIONS:
        if re.fullmatch(where, last):
            at = sources.place(path, pattern)
            if at.line:
                prefix = tool if last == "pyproject.toml" else ""
                yield Shown(Use(purpose, key), prefix + key, at, False, folder)


_SECTIONS: tuple[tuple[str, str, Purpose, str], ...] = (
    (r"pyproject\.toml", r"^\[tool\.pytest", "test", "pytest"),
    (r"pytest\.ini", r"^\[pytest\]", "test", "pytest"),
    (r"setup\.cfg", r"^\[tool:pytest\]", "test", "pytest"),
    (r"tox\.ini", r"^\[(?:tox|testenv)", "test", "tox"),
    (r"noxfile\.py", r"^@nox\.session|^@session", "test", "nox"),
    (r"pyproject\.toml", r"^\[tool\.ruff(?:\]|\.lint)", "lint", "ruff check"),
    (r"pyproject\.toml", r"^\[tool\.ruff\.format\]", "format", "ruff format"),
    (r"pyproject\.toml", r"^\[tool\.black\]", "format", "black"),
    (r"pyproject\.toml", r"^\[tool\.mypy\]", "types", "mypy"),
    (r"pyproject\.toml", r"^\[tool\.(?:based)?pyright\]", "types", "pyright"),
    (r"Cargo\.toml", r"^\[(?:package|workspace)\]", "test", "cargo test"),
    (r"go\.mod", r"^module ", "test", "go test"),
)


def _best(shown: list[Shown]) -> list[Shown]:
    """One for each key: what a pipeline runs for proposed changes first, then what is named most plainly."""
    ordered = sorted(
        shown, key=lambda one: (bool(one.folder), not one.gates, _wide(one), _again(one), len(one.text), str(one.at))
    )
    found: dict[tuple[str, str], Shown] = {}
    for one in ordered:
        found.setdefault((one.use.key, one.folder), one)
    keys = {key for key, _ in found}
    bare = {f"script {key.removeprefix('bare ')}" for key in keys if key.startswith("bare ")}
    return [one for (key, _), one in found.items() if key not in bare]


def _again(one: Shown) -> bool:
    """Whether it only runs once more what failed before."""
    return bool(re.search(r" --(?:lf|ff|last-failed|failed|retries)\b", one.text))


def _wide(one: Shown) -> bool:
    """Whether the command is more than a plain one, so that its short form is shown."""
    return not quote.command(one.text)


def _item(label: str, one: Shown) -> Item:
    said = quote.command(one.text) or _short(one.use)
    where = f"in {quote.name(one.folder)}: " if one.folder and quote.is_name(one.folder) else ""
    at = quote.name(str(one.at)) or "a pipeline"
    return Item(f"{label}: {where}`{said}`", f"{'run for changes by' if one.gates else 'shown in'} {at}")


def _short(use: Use) -> str:
    if use.key.startswith(("script ", "bare ")):
        return f"{use.manager or 'npm'} run {use.target}"
    return use.key
