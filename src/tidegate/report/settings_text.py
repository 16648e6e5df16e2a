"""Settings for a terminal and as JSON: every value, and where it was set."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.facts import to_json
from tidegate.report.escape import terminal
from tidegate.settings import Line

SCHEMA = "tidegate.settings/1"


def render_settings_text(lines: Sequence[Line], read_from: str) -> str:
    """One line for each setting; what is not a default names its origin below the value."""
    out = [f"Settings of {terminal(read_from)}", ""]
    width = min(max((len(line.path) for line in lines), default=0), 40)
    for line in lines:
        out.append(f"{terminal(line.path):<{width}}  {terminal(line.value)}")
        if line.origin != "default":
            out.append(f"{'':<{width}}  from {terminal(line.origin)}")
    return "\n".join(out)


def render_settings_json(lines: Sequence[Line], read_from: str) -> bytes:
    """`tidegate.settings/1`: `revision` and `settings`, each with path, value (JSON as text) and origin."""
    return to_json({"schema": SCHEMA, "revision": read_from, "settings": [line._asdict() for line in lines]})
