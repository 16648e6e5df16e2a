"""What an application brings to be run by others: how it is built, whether it says that it is well, its logs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tidegate.change.values import FileChange, show_path
from tidegate.place.code import Code
from tidegate.place.values import Operated, Route, Seen


def read_operated(codes: Mapping[str, Code], files: Sequence[FileChange], routes: Sequence[Route]) -> Operated:
    """What was found, each with its place."""
    paths = sorted(show_path(file.path) for file in files)
    logs = (
        Seen(path, number, "writes a log")
        for path, code in sorted(codes.items())
        if code.kind == "source"
        for number, _ in code.find(_LOGS)
    )
    builds = [Seen(path, 0, "says how it is built") for path in paths if _BUILD.search(path)]
    return Operated(
        builds=tuple(sorted(builds, key=lambda one: (one.path.count("/"), one.path))),
        health=tuple(
            Seen(one.seen.path, one.seen.line, one.name) for one in routes if one.open_by_name == "a health check"
        ),
        logs=tuple(one for one, _ in zip(logs, range(3), strict=False)),
        runbooks=tuple(Seen(path) for path in paths if _RUNBOOK.search(path)),
        port=_port(codes),
    )


# Private

_BUILD = re.compile(
    r"(?:^|/)(?:[\w.-]*Dockerfile|Containerfile|Procfile|fly\.toml|nixpacks\.toml|project\.toml|app\.ya?ml)$"
)
_RUNBOOK = re.compile(
    r"(?i)(?:^|/)(?:runbooks?(?:/[^/]+)?|[\w-]*runbook[\w-]*|on-?call|operations|playbooks?/[^/]+)\.(?:md|rst|txt|adoc)$"
)
_LOGS = re.compile(
    r"\blog(?:ger|ging)?\.(?:info|warn(?:ing)?|error|exception|getLogger|Info\w*|Error\w*|Print\w*|Warn\w*)\b|"
    r"\bgetLogger\(|\bgetLogger\s*=|\bstructlog\b|\bpino\b|\bwinston\b|\bRails\.logger\b|\bLoggerFactory\b|\bslog\.|\btracing::|"
    r"\blogrus\.|\bzap\."
)
_PORTS = (
    re.compile(r"(?i)^\s*EXPOSE\s+(\d{2,5})"),
    re.compile(r"--(?:server\.)?port[= \"',]+(\d{4,5})\b"),
    re.compile(r"\blisten\(\s*(?:process\.env\.PORT\s*(?:\|\||\?\?)\s*)?(\d{2,5})"),
    re.compile(r"(?i)\bport\s*[=:]\s*(?:int\()?(?:os\.environ\.get\(\s*[\"']PORT[\"'],\s*)?[\"']?(\d{4,5})\b"),
)


def _port(codes: Mapping[str, Code]) -> int:
    """The port that it listens on, by the image's own word first; 0 where nothing says."""
    ordered = sorted(codes.values(), key=lambda one: (one.path.count("/"), one.path))
    for pattern in _PORTS:
        for code in ordered:
            if pattern is not _PORTS[0] or _BUILD.search(code.path):
                found = next((int(match[1]) for _, match in code.find(pattern)), 0)
                if 0 < found < 65_536:
                    return found
    return 0
