"""The order in which hunks are read, what stands beside them, and how reading them is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import json

from tests.repos import build
from tests.server.conftest import Made
from tests.server.console.house import Shop, make_shop
from tests.store.world import at
from tidegate.change.diff import read_diff
from tidegate.change.git import open_repository
from tidegate.change.scrutiny import LookedAt, Looker, LooksDocument
from tidegate.facts import (
    ChangeFacts,
    Effect,
    Facts,
    FileFact,
    Finding,
    Infra,
    Place,
    ProvenanceFacts,
    SpanFact,
    Verification,
)
from tidegate.server.hunks import MOST_LINES, ReadHunk, reading_order
from tidegate.server.scrutiny import looks_document, scrutinise
from tidegate.store import accounts
from tidegate.store.looks import PAGE, Look, View, add_seconds, open_page, understand

NOW = "2026-03-01T09:00:00Z"


def _file(path: str, *, critical: bool = False, generated: bool = False) -> FileFact:
    domains = ("auth",) if critical else ()
    return FileFact(path, path, "modified", "source", "", 1, 0, generated, False, False, domains, critical)


def _span(path: str, line: int, writer: str) -> SpanFact:
    return SpanFact(path, line, line + 9, writer, "", "", "", "", "", "author", "E4", "", "")  # type: ignore[arg-type]


def _facts(files: list[FileFact], spans: tuple[SpanFact, ...] = (), **sections: object) -> Facts:
    change = ChangeFacts(status="complete", files=tuple(files))
    provenance = ProvenanceFacts(status="complete", spans=spans)
    return Facts(now=NOW, change=change, provenance=provenance, **sections)  # type: ignore[arg-type]


def _order(facts: Facts) -> list[str]:
    return [hunk.path for hunk in reading_order(facts, (), {})]


def test_what_hurts_most_if_it_is_wrong_comes_first_and_not_the_alphabet() -> None:
    names = ["a-generated", "b-plain", "c-unknown", "d-agent", "e-effect", "f-critical"]
    files = [_file(name, critical=name == "f-critical", generated=name == "a-generated") for name in names]
    spans = (_span("c-unknown", 1, "unknown"), _span("d-agent", 1, "ai"), _span("b-plain", 1, "human"))
    effect = Effect("DNS_CHANGE", "medium", "zone", "it moves", True, place=Place("e-effect", 1))
    facts = _facts(files, spans, infra=Infra(status="complete", effects=(effect,), effects_total=1))
    assert _order(facts) == ["f-critical", "e-effect", "d-agent", "c-unknown", "b-plain", "a-generated"]


def test_findings_settle_what_is_alike_otherwise() -> None:
    findings = tuple(
        Finding("r", severity, "m", Place(path, 1))  # type: ignore[arg-type]
        for path, severity in (("a", "low"), ("b", "critical"), ("c", "medium"))
    )
    facts = _facts([_file(name) for name in "abcd"], verification=Verification(status="complete", findings=findings))
    assert _order(facts) == ["b", "c", "a", "d"]


def test_a_hunk_is_what_is_read_at_once(tmp_path: Path) -> None:
    """Runs near one another are one hunk, with their surroundings; its id counts lines at the head."""
    before = [f"line {number}" for number in range(1, 61)]
    after = before.copy()
    after[9], after[13], after[39] = "ten", "fourteen", "forty"
    del after[49]
    hunks = _diff(tmp_path, {"f.txt": before}, {"f.txt": after})
    assert [hunk.id for hunk in hunks] == ["f.txt:10-14", "f.txt:40-40", "f.txt:49-49"]
    lines = [line for stretch in hunks[0].stretches for line in stretch.lines]
    assert [(line.sign, line.number, line.text) for line in lines[:5]] == [
        (" ", 7, "line 7"),
        (" ", 8, "line 8"),
        (" ", 9, "line 9"),
        ("-", 10, "line 10"),
        ("+", 10, "ten"),
    ]
    assert lines[-1].text == "line 17"
    gone = [line for stretch in hunks[2].stretches for line in stretch.lines if line.sign == "-"]
    assert [(line.number, line.text) for line in gone] == [(50, "line 50")]


def test_files_without_lines_are_there_too(tmp_path: Path) -> None:
    hunks = _diff(tmp_path, {"a.txt": ["x"], "gone.txt": ["y"]}, {"a.txt": ["x"], "b.bin": ["\0"], "empty.txt": []})
    by_path = {hunk.path: hunk for hunk in hunks}
    assert by_path["b.bin"].id == "b.bin:0-0"
    assert "binary" in by_path["b.bin"].missing
    assert by_path["empty.txt"].missing == ""
    assert by_path["gone.txt"].deleted == 1


def test_a_hunk_that_is_too_long_says_what_it_leaves_out(tmp_path: Path) -> None:
    (hunk,) = _diff(tmp_path, {"a.txt": []}, {"a.txt": [str(n) for n in range(MOST_LINES + 7)]})
    assert sum(len(stretch.lines) for stretch in hunk.stretches) == MOST_LINES
    assert "7 more lines" in hunk.missing


def test_every_remark_stands_at_one_hunk(tmp_path: Path) -> None:
    """Also one between two hunks, and one of the file as a whole."""
    before = [f"line {number}" for number in range(1, 101)]
    after = before.copy()
    after[9], after[49], after[89] = "ten", "fifty", "ninety"
    places = (0, 1, 10, 25, 31, 50, 60, 95)
    findings = tuple(Finding(f"r{line}", "low", "m", Place("f.txt", line)) for line in places)
    hunks = _diff(tmp_path, {"f.txt": before}, {"f.txt": after}, Verification(status="complete", findings=findings))
    where = {hunk.id: sorted(remark.line for remark in hunk.remarks) for hunk in hunks}
    assert where == {"f.txt:10-10": [0, 1, 10, 25], "f.txt:50-50": [31, 50, 60], "f.txt:90-90": [95]}


def test_where_the_copy_is_missing_the_lines_are_said_to_be_missing(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    hunks = reading_order(shop.assessment.facts, (), {})
    assert {hunk.path for hunk in hunks} == {file.path for file in shop.assessment.facts.change.files}
    assert all("not at hand" in hunk.missing for hunk in hunks)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("hunks") / "shop")


def test_scrutiny_counts_what_was_never_opened(shop: Shop) -> None:
    hunks = reading_order(shop.assessment.facts, (), {})
    first, second = hunks[0].id, hunks[1].id
    looks = [_look(first, 90.0, understood=True), _look(second, 1.0), _look(PAGE, 999.0), _look("elsewhere:1-2", 50.0)]
    found = scrutinise(hunks, looks)
    assert (found.hunks, found.opened, found.seconds) == (len(hunks), 1, 91.0)
    assert first not in found.never_opened
    assert second in found.never_opened, "it was scrolled past"
    assert first not in found.unsettled
    assert second in found.unsettled
    lines = sum(hunk.added + hunk.deleted for hunk in hunks)
    assert found.lines_per_hour == round(lines / 91 * 3600, 1)
    assert scrutinise(hunks, []).lines_per_hour is None


def test_an_assessment_is_handed_what_was_looked_at_here(made: Made) -> None:
    """By the accounts of whoever looked, in whole seconds, and nothing where nobody did."""
    service, change, head = made.service, made.world.change, f"{1:040x}"
    with service.database.write() as connection:
        assert looks_document(connection, change, head) is None
        accounts.add_identity(connection, made.world.ada, "forge", "github.com", "ada-hub", at(0))
        accounts.add_identity(connection, made.world.ada, "email", "", "ada@example.com", at(0))
        view = View(change, made.world.ada, head)
        open_page(connection, view, at(1))
        add_seconds(connection, view, {"a:b.py:3-9": 20.7, "c.py:1-1": 0.4}, at(2))
        understand(connection, view, "a:b.py:3-9", at(2))
        said = looks_document(connection, change, head)
        assert looks_document(connection, change, "f" * 40) is None
    assert said is not None
    assert json.decode(said, type=LooksDocument) == LooksDocument(
        head=head,
        lookers=(Looker((LookedAt("a:b.py", 3, 9, 20.0, True),), ("ada-hub",), ("ada@example.com",)),),
    )


def _look(hunk: str, seconds: float, *, understood: bool = False) -> Look:
    return Look(1, 1, "h", hunk, seconds, NOW, NOW, NOW if understood else None)


def _diff(
    folder: Path, before: dict[str, list[str]], after: dict[str, list[str]], verified: Verification | None = None
) -> tuple[ReadHunk, ...]:
    repo = build(folder / "repo", "commit Start\n")
    for tree, gone in ((before, {}), (after, before)):
        changed: dict[str, str | bytes | None] = {path: None for path in gone if path not in tree}
        changed |= {path: "".join(f"{line}\n" for line in lines) for path, lines in tree.items()}
        repo.commit("Next", changed)
    with open_repository(folder / "repo") as repository:
        files = read_diff(repository, repo.head("HEAD~1^{tree}"), repo.head("HEAD^{tree}")).files
        contents = {path.encode(): [line.encode() for line in lines] for path, lines in after.items()}
    facts = _facts([_file(file.path.decode()) for file in files], verification=verified or Verification())
    hunks = reading_order(facts, files, contents)
    return tuple(sorted(hunks, key=lambda hunk: (hunk.path, hunk.line)))
