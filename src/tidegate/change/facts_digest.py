"""Which facts a signed approval is bound to, beside the trees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tidegate.facts import to_json

FACTS_THAT_MATTER: Mapping[str, tuple[str, ...]] = {
    "change": ("base", "head", "base_tree", "head_tree", "commits", "files", "domain_hits"),
    "provenance": (
        *("lines", "evidence", "agents", "accountable", "unaccountable_lines", "prompters", "authors", "spans"),
        "conflicts",
    ),
    "infra": ("effects", "unjudged", "drift", "plans", "actor"),
}
"""What an approval is bound to beside the trees: what changed, who or what wrote it, what it does to what runs.

Left out are the moment, reviews and history, which go on; how the change was named and described; and what follows
from this very clone, from reports and from models (reach, verification, risk), which the policy judges by itself.
"""


def facts_digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the facts that matter, of a facts document. A fact that is unknown is absent, and that counts too."""
    kept = {
        section: {name: document[section][name] for name in names if name in document.get(section, {})}
        for section, names in FACTS_THAT_MATTER.items()
    }
    try:
        text = to_json(kept)
    except UnicodeEncodeError:
        text = to_json(_encodable(kept))
    return hashlib.sha256(text).hexdigest()


# Private


def _encodable(value: Any) -> Any:
    """The value with lone surrogates, which UTF-8 cannot hold, written as `\\udcNN`: as a written document has them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, (list, tuple)) else value
