"""docs/settings.md and docs/domains.md say what the code says."""

from __future__ import annotations

import json
import re
import tomllib
from typing import get_args

import msgspec

from tests.conftest import ROOT
from tidegate.change.domain_table import DOMAINS
from tidegate.settings import Settings, environment_variables, parse_settings


def test_every_setting_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `([^`]+)` \| (?:`([^`]*)`)?", page, flags=re.MULTILINE))
    entries = {"people": "people.KEY", "domains": "domains.NAME", "teams": 'teams."@org/team"'}
    for top in msgspec.structs.fields(Settings):
        assert f"## {top.name}\n" in page
        if top.name == "rule":
            continue
        if top.name == "teams":
            assert entries["teams"] in shown
            continue
        holder = get_args(top.type)[-1] if top.name in entries else top.type
        for part in msgspec.structs.fields(holder):
            path = f"{entries.get(top.name, top.name)}.{part.name}"
            assert path in shown, f"docs/settings.md does not document {path}"
            if path != "domains.NAME.critical":
                assert _plain(json.loads(shown[path])) == _plain(part.default), path


def test_no_setting_is_documented_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    tops = "|".join(field.name for field in msgspec.structs.fields(Settings))
    for path in re.findall(rf"^\| `((?:{tops})\.[^`]+)` \|", page, flags=re.MULTILINE):
        assert "unknown field" not in _complaint(f"{path} = []"), path


def test_the_environment_variables_are_marked() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    marked = set(re.findall(r"^\| `([a-z._]+)` \| [^|]* \| yes \|", page, flags=re.MULTILINE))
    assert marked == set(environment_variables())
    for path, variable in environment_variables().items():
        top, _, name = path.partition(".")
        value = "github" if name == "dialect" else "none" if name == "pack" else "forbid"
        loaded = parse_settings([], {variable: value})
        assert getattr(getattr(loaded.settings, top), name) == value


def test_every_domain_is_documented() -> None:
    page = (ROOT / "docs" / "domains.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| ([a-z-]+) \| (yes|no) \| (.*) \|$", page, flags=re.MULTILINE)
    assert shown == [(d.name, "yes" if d.critical else "no", d.meaning) for d in DOMAINS]
    everywhere = ", ".join(d.name for d in DOMAINS if d.everywhere)
    assert f"that look at every file ({everywhere})" in " ".join(page.split())


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _complaint(toml: str) -> str:
    try:
        msgspec.convert(tomllib.loads(toml), Settings, strict=True)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
