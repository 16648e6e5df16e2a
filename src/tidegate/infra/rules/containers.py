"""What lets a container of a task definition reach the machine that it runs on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tidegate.infra.same import field, flag, items
from tidegate.infra.values import Draft, ResourceChange, Value, World


def powers(world: World) -> Iterator[Draft]:
    """Containers of a task that get the rights of their machine and did not have them."""
    for change in world.changes:
        if change.type != "aws_ecs_task_definition" or change.before is None or change.after is None:
            continue
        had = {(name, key) for name, one in _containers(change.before) for key in _reach(one, change.before)}
        names = {name for name, _ in _containers(change.before)}
        for name, one in _containers(change.after):
            new = [words for key, words in _reach(one, change.after).items() if (name, key) not in had]
            if new and name in names:
                yield _draft(change, name, new)


# Private

_GRAVE = ("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "NET_ADMIN")
_PLACES = ("/", "/etc", "/root", "/proc", "/sys", "/var/run", "/run", "/var/lib/docker")


def _draft(change: ResourceChange, name: str, new: list[str]) -> Draft:
    return Draft(
        "PRIV_ESC",
        "high",
        change.address,
        f"The container {name} of {change.address} gets {', '.join(new)}: who breaks into it has the machine that it "
        "runs on, with every other task and the role of the machine.",
        reversible=True,
        back="take it out and deploy again",
    )


def _containers(values: Mapping[str, Value]) -> Iterator[tuple[str, Mapping[str, Value]]]:
    listed = values.get("container_definitions")
    if isinstance(listed, str):
        try:
            listed = json.loads(listed)
        except (ValueError, RecursionError):
            return
    for place, one in enumerate(items(listed)):
        if isinstance(one, Mapping):
            yield str(one.get("name") or place), one


def _reach(container: Mapping[str, Value], task: Mapping[str, Value]) -> Mapping[str, str]:
    """What of a container reaches its machine: a key to compare by, and the words for it."""
    found = {}
    if flag(container.get("privileged")):
        found["privileged"] = "privileged = true"
    for linux in ("linuxParameters", "linux_parameters"):
        for one in items(field(container, f"{linux}.capabilities.add")):
            name = str(one).upper().removeprefix("CAP_")
            if name in _GRAVE:
                found[f"capability {name}"] = f"the capability {name}"
    for key in ("pid_mode", "ipc_mode"):
        if str(task.get(key)) == "host":
            found[key] = f"{key} = host"
    mounted = {str(mount.get("sourceVolume")) for mount in items(container.get("mountPoints")) if _is_map(mount)}
    for volume in items(task.get("volume")):
        path = str(field(volume, "host_path") or field(volume, "host.source_path") or "") if _is_map(volume) else ""
        if path and volume.get("name") in mounted and (path in _PLACES or path.endswith("docker.sock")):
            found[f"mount {path}"] = f"the mount of {path}"
    return found


def _is_map(value: Value) -> bool:
    return isinstance(value, Mapping)
