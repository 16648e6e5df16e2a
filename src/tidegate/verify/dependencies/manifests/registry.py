"""Which file is read by which reader."""

from __future__ import annotations

import re

from tidegate.verify.dependencies.manifests import (
    javascript_locks,
    others,
    package_json,
    pyproject,
    python_locks,
    registries,
    requirements_txt,
    setup_files,
)
from tidegate.verify.dependencies.values import Ecosystem, Listing, Reader, UnreadableError

MANIFESTS: dict[str, tuple[Ecosystem, Reader]] = {
    "pyproject.toml": ("pypi", pyproject.read_pyproject),
    "setup.cfg": ("pypi", setup_files.read_setup_cfg),
    "setup.py": ("pypi", setup_files.read_setup_py),
    "Pipfile": ("pypi", setup_files.read_pipfile),
    "package.json": ("npm", package_json.read_package_json),
    "deno.json": ("npm", package_json.read_deno_json),
    "deno.jsonc": ("npm", package_json.read_deno_json),
    "go.mod": ("golang", others.read_go_mod),
    "Cargo.toml": ("cargo", others.read_cargo),
    "pom.xml": ("maven", others.read_pom),
    "build.gradle": ("maven", others.read_gradle),
    "build.gradle.kts": ("maven", others.read_gradle),
    "libs.versions.toml": ("maven", others.read_version_catalogue),
    ".npmrc": ("npm", registries.read_npmrc),
    ".yarnrc": ("npm", registries.read_yarnrc),
    ".yarnrc.yml": ("npm", registries.read_yarnrc),
    "pnpm-workspace.yaml": ("npm", registries.read_pnpm_workspace),
    "pip.conf": ("pypi", registries.read_pip_conf),
    "pip.ini": ("pypi", registries.read_pip_conf),
    "uv.toml": ("pypi", registries.read_uv_toml),
    ".pre-commit-config.yaml": ("pypi", registries.read_pre_commit),
    "tox.ini": ("pypi", registries.read_tox),
    "environment.yml": ("pypi", registries.read_conda),
    "environment.yaml": ("pypi", registries.read_conda),
    "settings.gradle": ("maven", others.read_gradle),
    "settings.gradle.kts": ("maven", others.read_gradle),
    "Gemfile": ("gem", others.read_gemfile),
    "composer.json": ("composer", others.read_composer),
}
LOCKS: dict[str, tuple[Ecosystem, Reader]] = {
    "uv.lock": ("pypi", python_locks.read_toml_lock),
    "poetry.lock": ("pypi", python_locks.read_toml_lock),
    "pdm.lock": ("pypi", python_locks.read_toml_lock),
    "pylock.toml": ("pypi", python_locks.read_toml_lock),
    "Pipfile.lock": ("pypi", python_locks.read_pipfile_lock),
    "package-lock.json": ("npm", package_json.read_package_lock),
    "npm-shrinkwrap.json": ("npm", package_json.read_package_lock),
    "yarn.lock": ("npm", javascript_locks.read_yarn_lock),
    "pnpm-lock.yaml": ("npm", javascript_locks.read_pnpm_lock),
    "bun.lock": ("npm", javascript_locks.read_bun_lock),
    "go.sum": ("golang", others.read_go_sum),
    "Cargo.lock": ("cargo", others.read_cargo_lock),
    "gradle.lockfile": ("maven", others.read_gradle_lock),
    "Gemfile.lock": ("gem", others.read_gemfile_lock),
    "composer.lock": ("composer", others.read_composer_lock),
}
LARGEST_MANIFEST = 2 * 1024 * 1024


def is_lock(path: str) -> bool:
    return path.rpartition("/")[2] in LOCKS or bool(_PYLOCK.fullmatch(path.rpartition("/")[2]))


def ecosystem_of(path: str) -> Ecosystem | None:
    """Whose manifest or lock a path is; None where it is none that is read."""
    known = _known(path)
    return known[0] if known else None


def read_listing(path: str, content: bytes) -> Listing:
    """What a manifest or a lock says. Raises UnreadableError, whose text says why it cannot be read."""
    known = _known(path)
    if known is None:
        raise UnreadableError("no form that is known")
    if not is_lock(path) and len(content) > LARGEST_MANIFEST:
        raise UnreadableError(f"it is larger than {LARGEST_MANIFEST // 1024 // 1024} MiB")
    text = _text(content)
    return known[1](text.replace("\r\n", "\n"))


# Private

_OTHER_ENDS = (".txt", ".in", ".toml", ".cargo/config")
_PYLOCK = re.compile(r"pylock\.[^.]+\.toml")


def _known(path: str) -> tuple[Ecosystem, Reader] | None:
    name = path.rpartition("/")[2]
    if name in MANIFESTS or name in LOCKS:
        return MANIFESTS.get(name) or LOCKS[name]
    if not path.endswith(_OTHER_ENDS):  # every file of a tree is asked about
        return None
    if path.endswith((".cargo/config.toml", ".cargo/config")):
        return "cargo", registries.read_cargo_config
    if _PYLOCK.fullmatch(name):
        return LOCKS["pylock.toml"]
    return ("pypi", requirements_txt.read_requirements) if requirements_txt.is_requirements(path) else None


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise UnreadableError("it is not UTF-16") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("it is not UTF-8") from error
    if "\0" in text:
        raise UnreadableError("it holds NUL bytes")
    return text
