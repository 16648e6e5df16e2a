"""What a command is for, by its words: which tool it starts, and whether it tests, lints, formats, types or builds."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Purpose: TypeAlias = Literal["setup", "test", "lint", "format", "types", "build", "other"]


class Use(Struct, frozen=True):
    """What a command starts. `key` names it however it is wrapped: "ruff check", "make lint", "script lint".

    `manager` is the package manager that it speaks to, "" for none. `target` is the name of a target or script.
    """

    purpose: Purpose
    key: str
    manager: str = ""
    target: str = ""


MANAGERS = ("npm", "pnpm", "yarn", "bun", "uv", "poetry", "pdm", "pipenv", "hatch", "pip")


def use_of(command: str) -> Use | None:
    """What the command is for; None where its words do not say so."""
    words = [word for word in command.replace("\\\n", " ").split() if word != "\\"][:40]
    manager = ""
    for _ in range(6):
        rest, through = _unwrapped(words)
        manager = manager or through
        if rest == words:
            break
        words = rest
    if not words:
        return None
    return _script(words) or _plain(words, manager)


def purpose_of(target: str) -> Purpose:
    """What a target or script is for, by its name."""
    parts = [part for part in re.split(r"[^a-z0-9]+", target.lower()) if part]
    for purpose, names in _TARGETS.items():
        if any(part in names for part in parts[:2]):
            return purpose
    return "other"


# Private

_TARGETS: dict[Purpose, tuple[str, ...]] = {
    "types": ("types", "typecheck", "mypy", "pyright", "tsc", "typing", "type"),
    "format": ("format", "fmt", "prettier", "black", "gofmt", "clang"),
    "lint": ("lint", "linters", "eslint", "clippy", "vet", "lints", "style", "checkstyle", "golangci"),
    "test": ("test", "tests", "unit", "unittest", "e2e", "spec", "testrace", "jest", "vitest", "pytest"),
    "build": ("build", "compile", "dist"),
    "setup": ("install", "setup", "bootstrap", "deps", "init"),
}
_OPTION_WITH_VALUE = frozenset(
    "--python -p --with --extra --group --only-group --filter -F --cwd -C --directory --project -w --workspace"
    " --package --prefix --manifest-path".split()
)
_RUNNERS = {"uv": "run", "poetry": "run", "pdm": "run", "pipenv": "run", "hatch": "run", "rye": "run", "mise": "exec"}
_NODE = ("npm", "pnpm", "yarn", "bun")
_NODE_OWN = frozenset(
    "install i ci add remove rm update up upgrade publish pack link dlx create init config cache why audit exec x"
    " dedupe version login outdated ls list info view approve-builds rebuild import store setup global workspaces"
    " workspace set plugin node help prune build-scripts patch root bin fund search team token whoami unlink uninstall"
    " un deploy licenses self-update fetch changeset catalog env doctor".split()
)

_TOOLS: dict[Purpose, str] = {
    "test": r"pytest|py\.test|tox|nox|jest|vitest|mocha|ava|rspec|phpunit|ctest|unittest|trial|stestr|karma|nose2"
    r"|minitest|(?:python[0-9.]* )?(?:[\w./-]*/)?manage\.py test"
    r"|(?:playwright|cypress) (?:test|run)|(?:go|cargo|dotnet|swift|mix|bazel|deno|flutter|dart|rails|forge)"
    r" test|cargo nextest|zig build test|rake (?:test|spec)|gotestsum|node --test|prove|(?:mvn|\./mvnw|mvnw) "
    r"(?:test|verify)|(?:gradle|\./gradlew|gradlew) (?:test|check)",
    "lint": r"ruff check|flake8|pylint|eslint|oxlint|golangci-lint|cargo clippy|rubocop|shellcheck|markdownlint"
    r"|(?:pre-commit|prek) run|yamllint|actionlint|go vet|staticcheck|hadolint|codespell|typos|biome (?:check|lint|ci)"
    r"|lint-imports|stylelint|clang-tidy|buf lint|cargo deny|bandit|zizmor|knip|xo|tflint|revive|markdownlint-cli2",
    "format": r"ruff format|black|isort|prettier|cargo fmt|gofmt|gofumpt|goimports|rustfmt|clang-format|biome format"
    r"|dprint|zig fmt|alejandra|terraform fmt|dotnet format|mix format|swiftformat|shfmt|yapf|autopep8|taplo|djlint",
    "types": r"mypy|pyright|basedpyright|ty check|tsc|vue-tsc|pyrefly|cargo check|tsgo|dmypy",
    "build": r"(?:cargo|go|zig|dotnet|uv|bazel|swift|poetry|hatch|flutter|docker) build|cmake --build|python -m build"
    r"|(?:mvn|\./mvnw|mvnw) (?:package|install|compile)|(?:gradle|\./gradlew|gradlew) (?:build|assemble)|ninja"
    r"|meson compile",
    "setup": r"(?:poetry|pdm|bundle) install|uv (?:sync|pip)|pip3? install|go mod download|pre-commit install"
    r"|composer install|mix deps\.get|bundle|meson setup",
}
_FOUND = tuple((purpose, re.compile(rf"(?:{pattern})(?= |$)")) for purpose, pattern in _TOOLS.items())


def _unwrapped(words: list[str]) -> tuple[list[str], str]:
    """The words without one layer that only starts others, and the package manager that does it."""
    if not words:
        return words, ""
    first = words[0]
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=\S*", first) or first in (
        "sudo",
        "time",
        "env",
        "xvfb-run",
        "exec",
        "$",
        "command",
    ):
        return words[1:], ""
    if first in ("npx", "bunx", "uvx", "pipx"):
        rest = words[2:] if first == "pipx" and words[1:2] == ["run"] else words[1:]
        return _past_options(rest), {"npx": "npm", "bunx": "bun", "uvx": "uv"}.get(first, "")
    if first in _RUNNERS:
        rest = _past_options(words[1:])
        if rest[:1] == [_RUNNERS[first]]:
            return _past_options(rest[1:]), first if first in MANAGERS else ""
    if first in _NODE and words[1:2] and words[1] in ("exec", "x", "dlx"):
        return _past_options(words[2:]), first
    if first == "nix" and words[1:2] in (["develop"], ["shell"]):
        at = next((place for place, word in enumerate(words) if word in ("-c", "--command")), -1)
        return (words[at + 1 :] if at > 0 else words), ""
    if first in ("bundle", "direnv") and words[1:2] == ["exec"]:
        return words[2:], ""
    if (
        re.fullmatch(r"python[0-9.]*|py|\S*/bin/python[0-9.]*", first)
        and words[1:2] == ["-m"]
        and words[2:3] != ["build"]
    ):
        return words[2:], ""
    if first == "coverage" and words[1:2] == ["run"]:
        rest = _past_options(words[2:])
        return (rest[1:] if rest[:1] == ["-m"] else rest), ""
    if re.match(r"\S*(?:node_modules/\.bin|\.venv/bin|venv/bin)/\S", first):
        return [first.rpartition("/")[2], *words[1:]], ""
    return words, ""


def _past_options(words: list[str]) -> list[str]:
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-m":
        option = left.pop(0)
        if option == "--":
            break
        if option in _OPTION_WITH_VALUE and left:
            left.pop(0)
    return left


def _script(words: list[str]) -> Use | None:
    """A target of make or just, or a script of package.json."""
    first, rest = words[0], _past_options(words[1:])
    if first in ("make", "gmake", "just", "task", "rake", "mage", "nox", "tox"):
        if first in ("nox", "tox", "rake"):
            return None
        if first == "make" and any(
            word in ("-C", "-f") or word.startswith(("-C", "-f", "--dir", "--file")) for word in words[1:]
        ):
            return Use("other", "make elsewhere")
        targets = [
            word
            for word in rest
            if "=" not in word and not word.startswith("-") and re.fullmatch(r"[\w./:@%+-]+", word)
        ]
        tool = "make" if first == "gmake" else first
        if not targets:
            return Use("build" if tool == "make" else "other", tool)
        return Use(purpose_of(targets[0]), f"{tool} {targets[0]}", target=targets[0])
    if first not in _NODE:
        return None
    if not rest:
        return Use("setup", "yarn install", first) if words == ["yarn"] else None
    verb = rest[0]
    if verb in ("run", "run-script") and len(rest) > 1:
        target = _past_options(rest[1:])[:1]
        return Use(purpose_of(target[0]), f"script {target[0]}", first, target[0]) if target else None
    if verb in ("test", "t", "start") and not (first == "bun" and verb == "test"):
        target_name = "test" if verb == "t" else verb
        return Use(purpose_of(target_name), f"script {target_name}", first, target_name)
    if verb in ("install", "i", "ci", "add") or verb.startswith("-"):
        return Use("setup", f"{first} {'ci' if verb == 'ci' else 'install'}", first)
    if first == "bun" and verb == "test":
        return Use("test", "bun test", first)
    if verb in _NODE_OWN or first == "npm" or first == "bun":
        return Use("other", f"{first} {verb}" if re.fullmatch(r"[\w:-]+", verb) else first, first)
    # pnpm and yarn start a script, or a program that a package brings, by its bare name.
    return _plain(rest, first) or Use(
        purpose_of(verb), f"bare {verb}", first, verb if re.fullmatch(r"[\w:.-]+", verb) else ""
    )


def _plain(words: list[str], manager: str) -> Use | None:
    text = " ".join(words)
    own = words[0] if words[0] in MANAGERS else manager
    for purpose, pattern in _FOUND:
        found = pattern.match(text)
        if found:
            key = found[0]
            if "manage.py " in key:
                key = "manage.py test"
            return Use(purpose, {"py.test": "pytest"}.get(key, key).removeprefix("./"), own)
    if words[0] in MANAGERS and words[0] not in _NODE:
        verb = next((word for word in words[1:2] if re.fullmatch(r"[a-z][\w-]*", word)), "")
        return Use("other", f"{words[0]} {verb}".rstrip(), words[0])
    return None
