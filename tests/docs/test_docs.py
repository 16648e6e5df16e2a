"""The README and docs/ cannot lie: links lead somewhere, commands exist, shown output is the output."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.generate import DEMO, GENERATED, demo_block, demo_outputs
from tidegate.cli.main import COMMANDS, HELP

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/tidegate/policy/pages/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_has_a_help_line_and_stands_in_the_readme() -> None:
    assert list(COMMANDS) == list(HELP)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"tidegate {command}" in readme, command


def test_documents_show_what_the_demo_prints() -> None:
    for mark, output in demo_outputs().items():
        shown = demo_block(mark).search((ROOT / DEMO[mark]).read_text(encoding="utf-8"))
        assert shown is not None, f"{DEMO[mark]} holds a block marked <!-- {mark} -->"
        assert shown[1].strip() == output.strip(), "run: make docs"


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a developer's machine in any file that git tracks."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    pattern = re.compile(rb"(?<![\w.])/(work|farm|root|home/[a-z]+)/[a-z]")
    for name in filter(None, tracked.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__).resolve():
            found = pattern.search(path.read_bytes())
            assert found is None, f"{name}: {found and found[0]!r}"


@pytest.mark.parametrize("name", GENERATED)
def test_generated_documents_are_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name](), "run: make docs"
