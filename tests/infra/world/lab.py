"""A laboratory: a folder, a cloud in a file, a provider that runs, and one of both tools to apply and plan with.

The provider is started once and the tool told where it listens (TF_REATTACH_PROVIDERS), because starting it for each
command costs ten times what a plan costs; `started_by_tool` has the tool start it, as in life (dev_overrides).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

from tests.infra.world.tools import Tools

HERE = Path(__file__).resolve().parent
Cli: TypeAlias = Literal["opentofu", "terraform"]
NAMES: Mapping[Cli, str] = {
    "opentofu": "registry.opentofu.org/hashicorp/aws",
    "terraform": "registry.terraform.io/hashicorp/aws",
}


class CommandError(Exception):
    """A command that failed, with what it said."""


class Lab:
    """Used as a context; `clear` begins a new stack."""

    def __init__(self, tools: Tools, cli: Cli, *, started_by_tool: bool = False) -> None:
        self.cli = cli
        self._started_by_tool = started_by_tool
        self._tools = tools
        self._home = Path(tempfile.mkdtemp(prefix="lab-"))
        self.folder = self._home / "stack"
        self.cloud = self._home / "cloud.json"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "FAKE_CLOUD": str(self.cloud),
            "FAKE_NAME": NAMES[cli],
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": str(self._home / "rc"),
            "PYTHONUNBUFFERED": "1",
        }
        (self._home / "rc").write_text(self._overrides() if started_by_tool else "")
        self._provider: subprocess.Popen[str] | None = None
        self._terraform: subprocess.Popen[str] | None = None

    def __enter__(self) -> Lab:
        if not self._started_by_tool:
            self._provider = self._serve()
        if self.cli == "terraform":
            self._terraform = subprocess.Popen(
                [str(self._tools.python), str(HERE / "terraform.py")],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._terraform, self._provider):
            if process is not None:
                process.kill()  # Terraform's runtime catches a polite signal and waits for its input
                process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        stream.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def clear(self) -> None:
        """Begin with an empty folder and an empty cloud."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.cloud.unlink(missing_ok=True)

    def write(self, files: Mapping[str, str]) -> None:
        """Put code in place of all that is there."""
        for path in self.folder.rglob("*.tf"):
            path.unlink()
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def apply(self, *options: str) -> None:
        self._modules()
        self.run("apply", "-auto-approve", "-input=false", "-no-color", "-lock=false", *options)

    def plan(self, *options: str) -> Any:
        """A plan as JSON, without the moment of its making."""
        self._modules()
        self.run("plan", "-out=plan.bin", "-input=false", "-no-color", "-lock=false", *options)
        found = json.loads(self.run("show", "-json", "plan.bin"))
        found.pop("timestamp", None)
        return found

    def by_hand(self, type_: str, which: Mapping[str, Any], values: Mapping[str, Any] | None) -> None:
        """Change what is in the cloud behind the tool's back; None deletes it."""
        found = json.loads(self.cloud.read_text())
        keys = [
            key
            for key, one in found.items()
            if key.startswith(f"{type_}/") and all(one.get(name) == value for name, value in which.items())
        ]
        if len(keys) != 1:
            raise CommandError(f"{len(keys)} of {type_} are {dict(which)}")
        if values is None:
            del found[keys[0]]
        else:
            found[keys[0]].update(values)
        self.cloud.write_text(json.dumps(found))

    def run(self, *command: str) -> str:
        """What a command printed. Raises CommandError where it failed."""
        if self._terraform is None:
            done = subprocess.run(
                [str(self._tools.tofu), *command],
                cwd=self.folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        else:
            assert self._terraform.stdin is not None
            assert self._terraform.stdout is not None
            self._terraform.stdin.write(json.dumps({"command": command, "folder": str(self.folder)}) + "\n")
            self._terraform.stdin.flush()
            answer = json.loads(self._terraform.stdout.readline())
            code, out, err = answer["code"], answer["out"], answer["err"]
        if code != 0:
            raise CommandError(f"{self.cli} {' '.join(command)}: {out[-1500:]}{err[-3000:]}")
        return out

    # Private

    def _overrides(self) -> str:
        program = self._home / "terraform-provider-aws"
        program.write_text(f'#!/bin/sh\nexec "{self._tools.python}" "{HERE / "provider.py"}" "$@"\n')
        program.chmod(0o755)
        return (
            f'provider_installation {{\n  dev_overrides {{ "{NAMES[self.cli]}" = "{self._home}" }}\n  direct {{}}\n}}\n'
        )

    def _serve(self) -> subprocess.Popen[str]:
        command = [str(self._tools.python), str(HERE / "provider.py"), "--dev"]
        started = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert started.stdout is not None
        for line in started.stdout:
            if "TF_REATTACH_PROVIDERS=" in line:
                self._environment["TF_REATTACH_PROVIDERS"] = line.partition("='")[2].strip().rstrip("'")
                return started
        raise CommandError(f"the provider does not start: {started.wait()}")

    def _modules(self) -> None:
        if any("module " in path.read_text() for path in self.folder.glob("*.tf")):
            self.run("get")
