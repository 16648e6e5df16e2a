"""The shop of the demonstration: its changes apply, and its repository says who wrote them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from demo.incident.changes import BAD, GOOD, Edit
from demo.incident.repository import SERVICES, SOURCES, Shop

from tidegate.change.git import open_repository
from tidegate.provenance.notes import read_notes


@pytest.mark.parametrize("edit", [*BAD, *GOOD], ids=lambda edit: edit.title)
def test_an_edit_applies_once_and_compiles(edit: Edit) -> None:
    text = (SOURCES / f"{edit.service}.py").read_text()

    for old, new in edit.parts:
        assert text.count(old) == 1
        text = text.replace(old, new)
    compile(text, edit.service, "exec")


def test_all_good_edits_and_any_bad_one_go_together(tmp_path: Path) -> None:
    """Else a seed that draws them would fail."""
    for edit in BAD:
        texts = {service: (SOURCES / f"{service}.py").read_text() for service in SERVICES}
        for each in (*GOOD, edit):
            for old, new in each.parts:
                assert texts[each.service].count(old) == 1, (edit.title, each.title)
                texts[each.service] = texts[each.service].replace(old, new)


def test_the_same_seed_gives_the_same_repository_with_its_notes(tmp_path: Path) -> None:
    one, other = Shop(tmp_path / "one", 7), Shop(tmp_path / "other", 7)
    written = one.write(BAD[0], agent=True)

    assert written == other.write(BAD[0], agent=True)
    with open_repository(one.path) as repository:
        ((_, note),) = read_notes(repository, "refs/notes/ai", [written.commit])
    assert written.model.encode() in note


def test_a_release_is_the_tree_of_its_revision(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", 1)
    before = shop.head()
    shop.write(GOOD[0])
    shop.lay(before, tmp_path / "release")

    done = subprocess.run(
        [sys.executable, "-c", "import shop.catalog as c; print(c.find({'id': '8'})['discount'])"],
        cwd=tmp_path / "release",
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"10\n"
    assert GOOD[0].parts[0][1] not in (tmp_path / "release" / "shop" / "catalog.py").read_text()
