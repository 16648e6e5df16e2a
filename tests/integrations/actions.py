"""Runs the steps of a composite action as GitHub's runner would, offline."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT


@dataclass
class Runner:
    """One job's folders and files. `paths` are put before PATH."""

    home: Path
    workspace: Path
    event_name: str = "push"
    more: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        (self.home / "temp").mkdir(parents=True, exist_ok=True)
        for name in ("output", "summary"):
            (self.home / name).write_text("", encoding="utf-8")

    def install(self) -> None:
        """Puts this Tidegate where the first step would put one."""
        put_tools(self.temp / "tidegate-venv" / "bin")

    @property
    def temp(self) -> Path:
        return self.home / "temp"

    @property
    def summary(self) -> str:
        return (self.home / "summary").read_text(encoding="utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.home / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """What one step of action.yml does with the given inputs; the others have their defaults."""
        action = read_action()
        values = {key: str(spec["default"]) for key, spec in action["inputs"].items()} | inputs
        step = next(step for step in action["runs"]["steps"] if step["name"] == name)
        script = self.home / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        env = {key: _expand(str(value), values) for key, value in step["env"].items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self._environment(), **env},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join([*(str(folder) for folder in self.paths), os.environ["PATH"]])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(self.home / "event.json"),
            "GITHUB_OUTPUT": str(self.home / "output"),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "GITHUB_REPOSITORY": "acme/shop",
            **self.more,
        }


def put_tools(folder: Path) -> None:
    """`tidegate` and `python` of these tests, in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tidegate", "python"):
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(Path(sys.executable).parent / name))} "$@"\n')
        (folder / name).chmod(0o755)


def read_action() -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return action


def _expand(text: str, inputs: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return str(ROOT) if found[1] == "github.action_path" else inputs[found[1].removeprefix("inputs.")]

    return re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", value, text)
