"""The file of the repository that a SARIF location means."""

from __future__ import annotations

from urllib.parse import unquote

from tidegate.verify.places import Places
from tidegate.verify.sarif.log import Run, Spot

_NESTED = 10


def path_of(run: Run, spot: Spot, places: Places) -> tuple[str, str]:
    """The path, and "" or why it cannot be told; then the paths that fit stand in its place, one a line.

    A URI counts from its base, bases from theirs; a base that the log does not tell is the root of the repository.
    """
    if not spot.uri and spot.artifact in run.artifacts:
        spot = run.artifacts[spot.artifact]
    uri, base = spot.uri, spot.base
    for _ in range(_NESTED):
        if not base or "://" in uri or uri.startswith("/"):
            break
        prefix, base = run.bases.get(base, ("", ""))
        if prefix:
            uri = f"{prefix.rstrip('/')}/{uri}"
    found = places.find(_path(uri))
    if found.how == "several":
        some = ", ".join(found.several[:3])
        return "\n".join(found.several), f"{run.tool} speaks of {spot.uri[:200]}, which may be any of {some}"
    return found.path, ""


# Private


def _path(uri: str) -> str:
    scheme, rest = uri.split("://", 1) if "://" in uri else ("", uri)
    if scheme.lower() == "file":
        # What stands before the first slash is the name of a machine.
        rest = "/" + rest.partition("/")[2]
    return unquote(rest)
