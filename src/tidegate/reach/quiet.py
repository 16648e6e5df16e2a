"""Which files no program reads: documentation, and what steers forges, editors and checkers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from tidegate.change.kinds import DOCS, VENDORED
from tidegate.change.patterns import Patterns, compile_patterns

DOCUMENTATION = "documentation"
AUTOMATION = "automation"

_AUTOMATION: tuple[str, ...] = (
    # forges and their machines
    *("**/.github/**", ".gitlab-ci.yml", "*.gitlab-ci.yml", ".gitlab/**", "Jenkinsfile", "Jenkinsfile.*"),
    *("**/.circleci/**", ".travis.yml", "azure-pipelines*.y*ml", ".azure-pipelines/**", ".buildkite/**", ".drone.yml"),
    *("appveyor.yml", ".appveyor.yml", "bitbucket-pipelines.yml", "cloudbuild*.yaml", ".woodpecker*", "CODEOWNERS"),
    *("renovate.json*", ".renovaterc*", "dependabot.yml", "codecov.yml", ".codecov.yml", ".coveragerc", ".mailmap"),
    *("**/.gitignore", "**/.gitattributes", ".gitmodules", "**/.gitkeep", "OWNERS", "release-please-config.json"),
    *(".readthedocs.y*ml", "mkdocs.yml", "catalog-info.yaml", ".pre-commit-config.yaml", "lefthook.yml", ".husky/**"),
    # editors, formatters and linters
    *("**/.editorconfig", ".vscode/**", ".idea/**", ".devcontainer/**", "**/.prettierrc*", "**/.prettierignore"),
    *("**/.eslintrc*", "**/.eslintignore", "**/.stylelintrc*", "**/.flake8", "**/.pylintrc", "ruff.toml", ".ruff.toml"),
    *("**/.rubocop*", "**/.golangci*", "**/clippy.toml", "**/rustfmt.toml", "**/.clang-format", "**/.clang-tidy"),
    *("**/.shellcheckrc", "**/.yamllint*", "**/.markdownlint*", "mypy.ini", "pyrightconfig.json", "**/.hadolint*"),
    *("typos.toml", "_typos.toml", "**/.cspell*", "cspell.json", "biome.json", "dprint.json", "**/checkstyle*.xml"),
    # texts that steer agents
    *("**/CLAUDE.md", "**/AGENTS.md", "GEMINI.md", ".cursor/**", ".claude/**", ".windsurf/**", ".clinerules/**"),
)

_PICTURES = ("docs", "doc", "img", "images", "screenshots", ".github")
"""Folders at the top whose pictures stand in documentation."""


def quiet_kind(path: str) -> str:
    """DOCUMENTATION or AUTOMATION where a file of this name is read by no program of the repository, else ""."""
    name = path.encode("utf-8", "surrogateescape")
    tables = _tables()
    return next((kind for kind in (AUTOMATION, DOCUMENTATION) if tables[kind].matches(name)), "")


def is_vendored(path: str) -> bool:
    """Whether the file is somebody else's code that lies in the repository."""
    return _vendored().matches(path.encode("utf-8", "surrogateescape"))


# Private


@lru_cache(maxsize=1)
def _vendored() -> Patterns:
    return compile_patterns((*VENDORED, "*.min.js"))


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, Patterns]:
    pictures = (f"/{top}/**/*.{end}" for top in _PICTURES for end in ("png", "svg", "jpg", "jpeg", "gif", "webp"))
    docs = (*DOCS, *pictures)
    return {AUTOMATION: compile_patterns(_AUTOMATION), DOCUMENTATION: compile_patterns(docs)}
