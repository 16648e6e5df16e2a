"""Writes the documents that follow from the code: facts, rules and schemas. `make docs` runs it."""

from __future__ import annotations

import tomllib
from functools import partial
from importlib.resources import files

from tests.conftest import ROOT
from tidegate.policy.fields import catalogue
from tidegate.report.schema import DOCUMENTS, render_schema

FACTS_HEAD = """# The facts of a change
What rules can name, generated from `src/tidegate/facts.py`. `[]` stands for the elements of a list. A count is a whole
number, a number may have a fraction, a group is read through its fields. Every section also has `status` and
`unknowns`, which reports show and rules cannot name: a fact that is not known makes a rule over it apply.

The sections `infra`, `verification`, `risk` and `history` are collected by no one yet. A rule may name their
fields; it cannot be answered, and holds.
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


def _link(name: str) -> str:
    return f"[{name}](../src/tidegate/policy/pages/{name}.md)"


GENERATED = {
    "docs/facts.md": facts_page,
    "docs/rules.md": rules_page,
    **{f"docs/schema/{name}.schema.json": partial(render_schema, name) for name in DOCUMENTS},
}

if __name__ == "__main__":
    for name, make in GENERATED.items():
        (ROOT / name).write_text(make(), encoding="utf-8")
