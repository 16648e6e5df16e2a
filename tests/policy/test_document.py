"""What is left of a document after everything that does not fit has been taken out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.strategies import DOCUMENTS, realistic_document
from tidegate.facts import SECTIONS, ChangeFacts, Facts, Unknown, is_known, to_document
from tidegate.policy.document import conform, why_unknown
from tidegate.policy.fields import catalogue

JUNK = [None, "text", 7, -1, 2.5, True, [], {}, [None], {"a": 1}, 2**70, float("nan"), float("inf"), b"x", "\ud800"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_fits_stays_as_it_is(name: str) -> None:
    document = DOCUMENTS[name]()
    conformed = conform(document)
    for section in SECTIONS:
        if document[section]["status"] == "complete":
            assert conformed[section] == document[section]
    assert conform(conformed) == conformed


def test_facts_as_collectors_write_them_fit() -> None:
    facts = Facts(now="2026-01-01T00:00:00Z", change=ChangeFacts(status="complete", breadth=2))
    document = conform(to_document(facts))
    assert document["change"]["breadth"] == 2
    assert why_unknown(document, "change.breadth") == ""
    assert why_unknown(document, "risk.impact") == "not collected"


BROKEN: list[tuple[str, Any, str]] = [
    ("change.breadth", None, "it is null"),
    ("change.breadth", "3", "it does not fit: Expected `int`, got `str`"),
    ("change.breadth", True, "it does not fit: Expected `int`, got `bool`"),
    ("change.breadth", -1, "it does not fit: Expected `int` >= 0"),
    ("change.breadth", 2**63, "it does not fit"),
    ("change.kind", "comit", "it does not fit: Invalid enum value 'comit'"),
    ("change.title", "\ud800", "it holds text that is not Unicode"),
    ("change.labels", "security", "it does not fit"),
    ("change.labels", ["a", None], "it does not fit"),
    ("change.intent", {"what": "x"}, "it does not fit: Object missing required field `why`"),
    ("provenance.ai_share", 1.2, "it does not fit: Expected `float` <= 1.0"),
    ("provenance.ai_share", float("nan"), "it does not fit"),
    ("review.lines_per_hour", float("inf"), "it does not fit"),
    ("repository.shallow", 0, "it does not fit: Expected `bool`, got `int`"),
    ("change.files_total", 9, "the list and its total differ"),
    ("change.commits_total", 0, "the list and its total differ"),
    ("review.reviews", [], "the list and its total differ"),
    ("infra.effects", [], "the list and its total differ"),
    ("provenance.source_lines", {"added": 5, "ai": 0, "human": 0, "mixed": 0, "unknown": 0}, "the lines do not add up"),
    ("provenance.lines", {"added": 0, "ai": 0, "human": 0, "mixed": 0, "unknown": 0}, "do not add up to the same"),
]


@pytest.mark.parametrize(("path", "value", "reason"), BROKEN)
def test_a_field_that_does_not_fit_is_taken_out_with_the_reason(path: str, value: Any, reason: str) -> None:
    document = realistic_document()
    section, _, name = path.partition(".")
    document[section][name] = value
    conformed = conform(document)
    assert name not in conformed[section]
    assert reason in why_unknown(conformed, path)
    assert conformed[section]["status"] == "partial"
    assert {u["path"] for u in conformed[section]["unknowns"]} >= {path}


def test_a_total_that_differs_takes_the_list_out_too() -> None:
    document = realistic_document()
    document["change"]["files_total"] += 1
    conformed = conform(document)
    assert "files" not in conformed["change"]
    assert "files_total" not in conformed["change"]


@pytest.mark.parametrize("place", [("files",), ("labels",), ("files", 0, "domains"), ("intent", "missing")])
def test_an_element_that_is_lost_takes_its_field_out(place: tuple[Any, ...]) -> None:
    document = realistic_document()
    elements: Any = document["change"]
    for key in place:
        elements = elements[key]
    elements.pop()
    conformed = conform(document)
    assert place[0] not in conformed["change"]
    assert "the list and its total differ" in why_unknown(conformed, f"change.{place[0]}")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "unknown", "unknowns": [{"path": "change", "reason": "no git"}]}, "no git"),
        ({"status": "unknown"}, "not readable"),
        ({"status": "certain"}, "its status is 'certain'"),
        ({"status": None}, "it has no status"),
        ({"status": "partial", "unknowns": []}, "it is partial and does not say what is missing"),
        ({"unknowns": None}, "its list of unknowns is not readable"),
        ({"unknowns": [{"path": "change.breadth"}]}, "its list of unknowns is not readable"),
        ({"unknowns": [{"path": "change.bredth", "reason": "lost"}]}, "an unknown names no field of it"),
        ({"unknowns": [{"path": "change", "reason": "all lost"}]}, "all lost"),
    ],
)
def test_a_section_that_cannot_be_trusted_is_unknown_as_a_whole(change: dict[str, Any], reason: str) -> None:
    document = realistic_document()
    document["change"] |= change
    if change == {"status": "unknown"}:
        del document["change"]["unknowns"]
    conformed = conform(document)
    assert set(conformed["change"]) == {"status", "unknowns"}
    assert conformed["change"]["status"] == "unknown"
    assert reason in why_unknown(conformed, "change.breadth")


@pytest.mark.parametrize("path", ["change.files", "change.files[].added", "change.intent.why"])
def test_a_part_that_is_unknown_takes_its_field_out_in_facts_and_document(path: str) -> None:
    facts = Facts(now="", change=ChangeFacts(status="partial", unknowns=(Unknown(path, "lost"),)))
    name = path.split(".")[1].removesuffix("[]")
    assert not is_known(facts.change, name)
    assert name not in to_document(facts)["change"]
    assert name not in conform(to_document(facts))["change"]
    assert is_known(facts.change, "breadth")


@pytest.mark.parametrize("raw", [*JUNK, {"schema": "tidegate.facts/2"}, {"schema": "tidegate.facts/1"}])
def test_anything_at_all_makes_a_document_in_which_nothing_holds(raw: object) -> None:
    document = conform(raw)
    assert all(document[name]["status"] == "unknown" for name in SECTIONS)
    assert "now" not in document


@pytest.mark.parametrize("now", ["", "soon", "2026-01-01", "2026-01-01T00:00:00", None, 5])
def test_a_moment_that_is_none_is_taken_out(now: object) -> None:
    document = conform({**realistic_document(), "now": now})
    assert "now" not in document
    assert why_unknown(document, "now") == "the moment of the question is missing"


def test_fields_that_nobody_knows_are_dropped() -> None:
    document = realistic_document()
    document["change"]["secret"] = 1
    document["change"]["files"][0]["secret"] = 1
    document["extra"] = {}
    assert conform(document) == conform(realistic_document())


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_broken_the_rest_fits_and_the_result_is_stable(data: st.DataObject) -> None:
    document = realistic_document()
    for _ in range(data.draw(st.integers(1, 4))):
        section = data.draw(st.sampled_from(SECTIONS))
        target: Any = document[section]
        key = data.draw(st.sampled_from(sorted(target)))
        if data.draw(st.booleans()) and isinstance(target[key], list) and target[key]:
            target, key = target[key], 0
        target[key] = data.draw(st.sampled_from(JUNK))
    before = copy.deepcopy({k: repr(v) for k, v in document.items()})
    conformed = conform(document)
    assert {k: repr(v) for k, v in document.items()} == before
    assert conform(conformed) == conformed
    for section in SECTIONS:
        fields = set(conformed[section]) - {"status", "unknowns", "totals"}
        assert all(f"{section}.{name}" in catalogue() for name in fields)
        assert conformed[section]["status"] != "complete" or not conformed[section]["unknowns"]


def test_the_catalogue_has_every_path_and_nothing_else() -> None:
    paths = catalogue()
    assert "now" in paths
    assert "change.files[].domains[]" in paths
    assert not [p for p in paths if p.split(".")[-1] in ("status", "unknowns") and p.count(".") == 1]
    assert paths["change.kind"].values == ("range", "commit", "staged", "pull-request", "diff")
    assert (paths["provenance.ai_share"].low, paths["provenance.ai_share"].high) == (0, 1)
    assert all(field.description for path, field in paths.items() if path.count(".") == 1 and "[" not in path)
