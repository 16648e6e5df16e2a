"""Every family of programs that is judged, in the order in which they are asked; one of several may answer."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.agent.guard.tools import (
    clouds,
    containers,
    databases,
    disk,
    forges,
    git,
    kubernetes,
    machine,
    network,
    shells,
    tasks,
    terraform,
    verbs,
    wrappers,
)
from tidegate.agent.guard.values import Tool

TOOLS: tuple[Tool, ...] = (
    wrappers.TOOL,
    wrappers.COMMAND,
    wrappers.WORDS,
    wrappers.TRAP,
    wrappers.EACH,
    wrappers.TERMINAL,
    wrappers.LATER,
    shells.SHELL,
    shells.SOURCE,
    shells.CODE,
    shells.AWK,
    shells.EDITOR,
    shells.BUSYBOX,
    terraform.TOOL,
    kubernetes.KUBECTL,
    kubernetes.HELM,
    clouds.AWS,
    clouds.OTHER,
    databases.TOOL,
    databases.MONGO,
    git.TOOL,
    disk.REMOVE,
    disk.MOVE,
    disk.WRITE,
    disk.EDIT,
    disk.PATCH,
    disk.MODES,
    disk.DISK,
    disk.FIND,
    disk.ARCHIVE,
    disk.UNPACK,
    containers.TOOL,
    forges.TOOL,
    network.SSH,
    network.COPY,
    network.HTTP,
    network.SOCKETS,
    machine.KILL,
    machine.BUILTINS,
    machine.RULES,
    machine.EXPORT,
    tasks.MAKE,
    tasks.PACKAGE,
    tasks.RUNNER,
    verbs.TOOL,
)


def by_name() -> Mapping[str, tuple[Tool, ...]]:
    """The tools that judge a program, by its name. A runner of tasks asks the verbs itself."""
    found: dict[str, tuple[Tool, ...]] = {}
    runs = (tasks.PACKAGE, tasks.RUNNER)
    for tool in TOOLS:
        for name in tool.names:
            already = found.get(name, ())
            if tool is verbs.TOOL and any(one in runs for one in already):
                continue
            found[name] = (*already, tool)
    return found
