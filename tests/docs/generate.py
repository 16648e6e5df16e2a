"""Writes the documents that follow from the code: facts, rules and schemas. `make docs` runs it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from typing import get_args

import msgspec

from tests.conftest import ROOT
from tidegate.cli.schema import DOCUMENTS, schema_of
from tidegate.facts import EffectCode
from tidegate.infra.severity import ORDER
from tidegate.policy.explanation import read_page
from tidegate.policy.fields import catalogue
from tidegate.server.api import openapi
from tidegate.server.api.listing import ENDPOINTS

FACTS_HEAD = """# The facts of a change
What rules can name, generated from `src/tidegate/facts.py`. `[]` stands for the elements of a list. A count is a whole
number, a number may have a fraction, a group is read through its fields. Every section also has `status` and
`unknowns`, which reports show and rules cannot name: a fact that is not known makes a rule over it apply.
"""

RULES_HEAD = """# The default rules
Generated from the default pack. `tidegate explain ID` prints the page of a rule; `tidegate policy explain` shows the
rules that apply in a repository, with what it changed. A rule is adjusted by its id in `tidegate.toml`, see
[policy](policy.md).

| rule | asks | effect |
| --- | --- | --- |
"""

FINDINGS_HEAD = """
## Findings
What the collectors' own checks can report. Each has a page as well.

"""

EFFECTS_HEAD = """# The effects of an infrastructure change
Generated from the pages of the effects, in the order of `facts.EffectCode`. The severities are those in production and
by a person; [infra](infra.md#severity) says what lowers and raises them. `tidegate explain infra-data-destroy` prints a
page.

| code | what it means | severity |
| --- | --- | --- |
"""


def facts_page() -> str:
    lines = [FACTS_HEAD]
    for path, field in catalogue().items():
        if path.count(".") == 0 and "[]" not in path:
            lines.append(f"\n## {path}\n{field.description}\n")
            if field.kind == "group":
                lines.append("| path | kind | meaning |\n| --- | --- | --- |")
        else:
            kind = " or ".join(f"`{value}`" for value in field.values) or field.kind
            lines.append(f"| `{path}` | {kind} | {field.description.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    policy = files("tidegate.policy")
    pack = tomllib.loads((policy / "packs" / "default.toml").read_text(encoding="utf-8"))
    rules = {rule["id"]: rule for rule in pack["rule"]}
    pages = sorted(p.name[:-3] for p in (policy / "pages").iterdir() if p.name.endswith(".md"))
    rows = [f"| {_link(name)} | {rule['title']} | {rule['effect']} |" for name, rule in rules.items()]
    findings = [f"- {_link(page)}" for page in pages if page not in rules]
    return RULES_HEAD + "\n".join(rows) + "\n" + FINDINGS_HEAD + "\n".join(findings) + "\n"


def effects_page() -> str:
    rows = []
    for code in get_args(EffectCode):
        name = "infra-" + code.lower().replace("_", "-")
        page = read_page(name)
        meaning = page.partition("\n")[2].partition("\n\n")[0].replace("\n", " ")
        path = f"../src/tidegate/policy/pages/{name}.md"
        rows.append(f"| [{code}]({path}) | {meaning} | {', '.join(severities(page))} |")
    return EFFECTS_HEAD + "\n".join(rows) + "\n"


def severities(page: str) -> list[str]:
    """The severities that the page of an effect names in bold, the gravest first."""
    grave = page.partition("## How grave it is\n")[2].partition("\n## ")[0]
    found = set(re.findall(r"\*\*(\w+)\*\*", grave))
    return [name for name in reversed(ORDER) if name in found]


def _replaced(text: str, block: re.Pattern[str], new: str) -> tuple[str, ...]:
    found = block.search(text)
    return (text,) if found is None else (text[: found.start()], new, text[found.end() :])


def _link(name: str) -> str:
    return f"[{name}](../src/tidegate/policy/pages/{name}.md)"


def openapi_document() -> str:
    """What the service's API is, from its types."""
    described = msgspec.json.encode(openapi.document(ENDPOINTS))
    return msgspec.json.format(described, indent=1).decode() + "\n"


GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/facts.md": facts_page,
    "docs/infra-effects.md": effects_page,
    "docs/rules.md": rules_page,
    **{f"docs/schema/{name}.schema.json": partial(schema_of, name) for name in DOCUMENTS},
    "docs/schema/openapi.json": openapi_document,
}

DEMO: Mapping[str, str] = {"demo": "README.md", "demo: reach": "README.md", "demo: infra": "docs/infra.md"}
"""The marks of the blocks that show what the demo prints, in its order, and the documents that they stand in."""


def demo_outputs() -> dict[str, str]:
    """What each command of the demo prints, by its mark."""
    done = subprocess.run(
        [sys.executable, "-m", "demo.run"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    printed = re.split(r"^\$ tidegate [\w ]+\n|^What to try next", done.stdout, flags=re.MULTILINE)
    return {mark: output.strip("\n") for mark, output in zip(DEMO, printed[1:-1], strict=True)}


def demo_block(mark: str) -> re.Pattern[str]:
    """Where a document shows it."""
    return re.compile(rf"(?<=<!-- {mark} -->\n```\n)(.*?)(?=```)", flags=re.DOTALL)


if __name__ == "__main__":
    for name, make in GENERATED.items():
        (ROOT / name).write_text(make(), encoding="utf-8")
    for mark, output in demo_outputs().items():
        page = ROOT / DEMO[mark]
        kept = page.read_text(encoding="utf-8")
        page.write_text("".join(_replaced(kept, demo_block(mark), f"{output}\n")), encoding="utf-8")
