"""Where to look first: risk before size, size before the alphabet, and never without a reason."""

from __future__ import annotations

import time

from msgspec.structs import replace

from tests.report import samples
from tests.report.samples import file
from tidegate.facts import FileProvenance, Lines, ProvenanceFacts, Unknown
from tidegate.report.order import reading_order


def test_the_riskiest_file_comes_first_with_its_reasons() -> None:
    looks = reading_order(samples.held()[0])
    assert [look.place.path for look in looks] == ["shop/payments/charge.py", "shop/auth/token.py", "shop/page.py"]
    assert looks[0].place.line == 10
    assert looks[0].reasons == ("31 lines by AI", "sources contradict each other", "critical: payments, network")
    assert looks[2].reasons == ("90 lines without attribution",)


def test_a_person_who_answers_for_a_plain_file_is_no_reason_to_look() -> None:
    assert reading_order(samples.passing()[0]) == ()


def test_generated_files_are_left_out_unless_they_are_critical() -> None:
    facts = _only(
        file("go.sum", 900, generated=True), file("vendor/auth.py", 9, vendored=True, critical=True, domains=("auth",))
    )
    assert [look.place.path for look in reading_order(facts)] == ["vendor/auth.py"]


def test_unknown_provenance_makes_every_line_one_of_nobody() -> None:
    facts = _only(file("a.py", 30))
    looks = reading_order(replace(facts, provenance=ProvenanceFacts(unknowns=(Unknown("provenance", "it failed"),))))
    assert looks[0].reasons == ("30 lines without attribution",)


def test_what_a_diff_does_not_show_and_what_judges_others_is_worth_a_look() -> None:
    facts = _only(
        file("tool.bin", 0, kind="binary"),
        file("run.sh", 1, executable_changed=True),
        file("tidegate.toml", 1, kind="config"),
    )
    facts = replace(facts, change=replace(facts.change, policy_files=("tidegate.toml",)))
    reasons = {look.place.path: look.reasons for look in reading_order(facts)}
    assert reasons["tool.bin"] == ("a binary: the diff does not show what is in it",)
    assert reasons["tidegate.toml"] == ("1 line without attribution", "policy is read from it")
    assert "its executable bit changed" in reasons["run.sh"]


def test_at_most_five_and_ties_by_path() -> None:
    facts = _only(*(file(f"{name}.py", 9) for name in "gfedcba"))
    assert [look.place.path for look in reading_order(facts)] == ["a.py", "b.py", "c.py", "d.py", "e.py"]


def test_a_change_that_could_not_be_read_has_no_order() -> None:
    facts = samples.held()[0]
    assert reading_order(replace(facts, change=replace(facts.change, status="unknown"))) == ()


def test_the_order_of_twenty_thousand_files_is_linear_work() -> None:
    facts = _only(*(file(f"src/{number}.py", 9) for number in range(20_000)))
    spans = tuple(samples.span(f"src/{number}.py", 1, 9, "unknown") for number in range(20_000))
    facts = replace(facts, provenance=replace(facts.provenance, spans=spans))
    start = time.process_time()
    assert len(reading_order(facts)) == 5
    assert time.process_time() - start < 2


def _only(*files: object) -> object:
    facts = samples.passing()[0]
    provenance = ProvenanceFacts(
        status="complete",
        lines=Lines(),
        files=tuple(FileProvenance(f.path, f.added, 0, 0, 0, f.added) for f in files),  # type: ignore[attr-defined]
    )
    return replace(facts, change=replace(facts.change, files=files), provenance=provenance)
