"""The plan that an apply names: read, judged by the same rules as `tidegate infra`, and bound to by its digest."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.facts import Actor, Infra

LARGEST_PLAN = 500 * 1024 * 1024
SHOW_SECONDS = 120


class PlanRead(Struct, frozen=True):
    """A plan file and what it does. `digest` is the SHA-256 of the file itself, `json_digest` that of its JSON.

    `shown` is whether Terraform itself said what is in it; otherwise the JSON beside it did, which proves nothing.
    """

    path: str
    digest: str
    json_digest: str
    shown: bool
    infra: Infra
    destroyed: tuple[str, ...]


def read_plan(path: Path, folder: Path, tool: str, actor: Actor) -> PlanRead:
    """What the plan at this path does. Raises InputError where it cannot be read."""
    from tidegate.infra.collect import facts_of, judge_found, read_plan_bytes

    where = path if path.is_absolute() else folder / path
    digest = digest_of(where)
    data, shown = _json_of(where, folder, tool)
    found, fact = read_plan_bytes(data, where.name)
    infra = facts_of(judge_found([found], actor), actor, (fact,))
    destroyed = tuple(change.address for world in found.worlds for change in world.changes if change.destroyed)
    if digest_of(where) != digest:
        raise InputError("the plan changed while it was read", where=str(path), mend="make it again")
    return PlanRead(str(path), digest, hashlib.sha256(data).hexdigest(), shown, infra, destroyed)


def digest_of(path: Path) -> str:
    """The SHA-256 of a plan file. Raises InputError where it cannot be read."""
    made = hashlib.sha256()
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_PLAN:
            raise InputError("there is no such plan file", where=str(path), mend="make it: terraform plan -out FILE")
        with path.open("rb") as stream:
            while part := stream.read(1 << 20):
                made.update(part)
    except OSError as error:
        raise InputError(f"the plan cannot be read: {error.strerror}", where=str(path)) from error
    return made.hexdigest()


# Private


def _json_of(path: Path, folder: Path, tool: str) -> tuple[bytes, bool]:
    names = ("tofu", "terraform") if tool in ("tofu", "opentofu") else ("terraform", "tofu")
    binary = next((found for name in names if (found := shutil.which(name))), None)
    if binary is not None:
        return _shown(binary, path, folder), True
    for beside in (path.with_name(f"{path.name}.json"), path.with_suffix(".json"), path.with_name("plan.json")):
        if beside != path and beside.is_file():
            with beside.open("rb") as stream:
                return stream.read(LARGEST_PLAN), False
    mend = f"install terraform, or write it: terraform show -json {path.name} > {path.name}.json"
    raise InputError("nothing here can read the plan", where=str(path), mend=mend)


def _shown(binary: str, path: Path, folder: Path) -> bytes:
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    environment = {name: value for name, value in environment.items() if not name.startswith("TF_CLI_ARGS")}
    try:
        # The program is the one that would apply the plan, and `show` only reads.
        done = subprocess.run(  # noqa: S603
            [binary, "show", "-json", str(path)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SHOW_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"terraform did not say what the plan does ({type(error).__name__})", where=str(path)
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(f"terraform cannot read the plan: {said[0] if said else 'no reason given'}", where=str(path))
    return done.stdout
