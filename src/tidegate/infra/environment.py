"""Which environment a resource is in, read from its tags, its names and the folder that it lies in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from tidegate.infra.values import Value

Environment: TypeAlias = Literal["production", "staging", "development", ""]
"""`staging` is everything that stands before production and is like it; "" is unknown, and is judged as production."""

TAGS = ("environment", "env", "environment-name", "environment_name", "stage", "tier", "Environment", "Env", "Stage")

_WORDS: Mapping[str, Environment] = {
    **dict.fromkeys(("prod", "production", "prd", "live", "prod1", "prod2"), "production"),
    **dict.fromkeys(
        ("staging", "stage", "stg", "preprod", "pre", "uat", "preview", "pp", "preproduction", "integration", "int"),
        "staging",
    ),
    **dict.fromkeys(
        ("dev", "development", "test", "testing", "tst", "qa", "sandbox", "sbx", "demo", "poc", "local", "lab"),
        "development",
    ),
}  # fmt: skip
_PARTS = re.compile(r"[^a-z0-9]+")
_ENDINGS = frozenset({"pre", "int", "pp"})
"""Words that say an environment only at the end of a name: `shop-pre` does, `pre_sentence_report` does not."""


def named(text: str) -> Environment:
    """The environment that one name says: `shop-invoices-prod`, `my-team-dev`. Its last word that says one counts.

    `non-prod` and `pre-production` are not production.
    """
    parts = [part for part in _PARTS.split(text.lower()) if part]
    for place in range(len(parts) - 1, -1, -1):
        found = _WORDS.get(parts[place], "")
        if parts[place] in _ENDINGS and not all(part.isdigit() for part in parts[place + 1 :]):
            continue
        if found == "production" and place and parts[place - 1] in ("non", "not", "pre", "no"):
            return "staging" if parts[place - 1] == "pre" else "development"
        if found:
            return found
    return "development" if any(part in ("nonprod", "nonlive") for part in parts) else ""


def of_values(values: Mapping[str, Value]) -> Environment:
    """The environment that a resource says itself: its tags and labels first, then its names."""
    for key in ("tags_all", "tags", "labels"):
        tags = values.get(key)
        if isinstance(tags, Mapping):
            for tag in TAGS:
                if isinstance(tags.get(tag), str) and (found := named(tags[tag])):
                    return found
            if str(tags.get("is-production", tags.get("is_production", ""))).lower() == "true":
                return "production"
    names = ("environment", "environment_name", "environment-name", "namespace", "name", "identifier", "bucket")
    found = first(value for key in names if isinstance(value := values.get(key), str))
    return found or ("development" if _denies_production(values) else "")


def of_path(path: str) -> Environment:
    """The environment that a path says, the innermost folder or file that says one."""
    folders, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return first((stem, *reversed(folders.split("/"))))


def first(texts: Iterable[str]) -> Environment:
    """The first of these names that says an environment."""
    for text in texts:
        if found := named(text):
            return found
    return ""


# Private


def _denies_production(values: Mapping[str, Value]) -> bool:
    """Whether a switch, an input of a module or a label says that this is not production."""
    tags = (values.get(key) for key in ("tags_all", "tags", "labels"))
    return any(
        str(said.get(key, "")).lower() == "false"
        for said in (values, *(one for one in tags if isinstance(one, Mapping)))
        for key in ("is-production", "is_production")
    )
