"""The provenance of a change: the ladder, conflicts, and who answers, on real repositories."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.provenance.conftest import Collect
from tests.provenance.test_declared import pull_request
from tests.repos import CLAUDE_TRAILER, Repo, note_text
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Context
from tidegate.facts import Lines, ProvenanceFacts, is_known, to_json
from tidegate.provenance.collect import collect
from tidegate.settings import Identity, Settings

Draw = Callable[[str], Repo]

START = """
commit Start
  file a.py
    . first = 1
branch feature
"""


def spans(facts: ProvenanceFacts) -> list[str]:
    """`path:line-line writer tool evidence`, one for each span."""
    return [f"{s.path}:{s.line}-{s.end_line} {s.writer} {s.tool or '-'} {s.evidence}" for s in facts.spans]


def test_a_line_without_evidence_is_unknown_and_not_human(draw: Draw, provenance: Collect) -> None:
    facts = provenance(draw(START + "commit Add\n  file b.py\n    . one = 1\n    . two = 2\n"))
    assert spans(facts) == ["b.py:1-2 unknown - E0"]
    assert facts.lines == Lines(added=2, unknown=2)
    assert (facts.ai_share, facts.unknown_share, facts.status) == (0.0, 1.0, "complete")
    assert [(a.person, a.lines, a.ai_lines) for a in facts.accountable] == [("Alice Smith <alice@example.com>", 2, 0)]
    assert facts.prompters == ()


def test_a_note_that_passes_its_audit_attests_lines_of_agents_and_of_people(draw: Draw, provenance: Collect) -> None:
    facts = provenance(
        draw(START + "commit Add\n  file b.py\n    a one = 1\n    a two = 2\n    h three = 3\n    . four = 4\n")
    )
    assert spans(facts) == ["b.py:1-2 ai claude E4", "b.py:3-3 human - E4", "b.py:4-4 unknown - E0"]
    assert facts.lines == Lines(added=4, ai=2, human=1, unknown=1)
    assert [(a.tool, a.model, a.lines, a.sessions, a.evidence) for a in facts.agents] == [
        ("claude", "claude-opus-4-6", 2, 1, "E4")
    ]
    assert facts.prompters == ("Alice Smith <alice@example.com>",)
    assert facts.notes_read == 1


def test_where_a_note_is_silent_the_declaration_for_the_commit_speaks(draw: Draw, provenance: Collect) -> None:
    script = f"commit Add\n  trailer {CLAUDE_TRAILER}\n  file b.py\n    a one = 1\n    . two = 2\n    h three = 3\n"
    facts = provenance(draw(START + script))
    assert spans(facts) == ["b.py:1-1 ai claude E4", "b.py:2-2 ai claude E2", "b.py:3-3 human - E4"]
    assert facts.conflicts == ()


def test_a_human_note_against_an_agents_trailer_is_a_conflict_with_both_sides(draw: Draw, provenance: Collect) -> None:
    facts = provenance(
        draw(START + f"commit Add\n  trailer {CLAUDE_TRAILER}\n  file b.py\n    h one = 1\n    h two = 2\n")
    )
    assert spans(facts) == ["b.py:1-2 ai claude E2"]
    (conflict,) = facts.conflicts
    assert (conflict.path, conflict.line, conflict.end_line) == ("b.py", 1, 2)
    assert [(c.writer, c.tool, c.evidence, c.source) for c in conflict.claims] == [
        ("human", "", "E4", "note ai"),
        ("ai", "claude", "E2", "trailer co-authored-by"),
    ]


def test_a_note_and_a_trailer_of_different_agents_contradict_each_other(draw: Draw, provenance: Collect) -> None:
    script = "commit Add\n  trailer Co-authored-by: Codex <codex@openai.com>\n  file b.py\n    a one = 1\n"
    facts = provenance(draw(START + script))
    assert spans(facts) == ["b.py:1-1 ai claude E4"]
    assert [[c.tool for c in conflict.claims] for conflict in facts.conflicts] == [["claude", "codex"]]


def test_two_agents_declared_for_one_commit_are_no_conflict(draw: Draw, provenance: Collect) -> None:
    script = (
        "commit Add\n  trailer Co-authored-by: Codex <codex@openai.com>\n"
        f"  trailer {CLAUDE_TRAILER}\n  file b.py\n    a one = 1\n    . two = 2\n"
    )
    facts = provenance(draw(START + script))
    assert facts.conflicts == ()
    assert {d.tool for d in facts.declarations} == {"codex", "claude"}


def test_a_note_that_was_copied_from_another_commit_is_a_suspicion(draw: Draw, provenance: Collect) -> None:
    repo = draw(
        START + "commit Add\n  file b.py\n    . one = 1\ncommit More\n  file c.py\n    . one = 1\n    . two = 2\n"
    )
    first, second = repo.head("HEAD~1"), repo.head()
    text = note_text(first, {"b.py": {"a": "1"}, "c.py": {"a": "1", "h": "2"}})
    repo.note(first, text)
    repo.note(second, text)
    facts = provenance(repo)
    assert "c.py:1-1 ai claude E1" in spans(facts)
    assert "c.py:2-2 unknown - E0" in spans(facts)
    assert "note-replayed" in {f.rule for f in facts.findings}


def test_a_broken_note_never_makes_a_line_human(draw: Draw, provenance: Collect) -> None:
    repo = draw(START + "commit Add\n  file b.py\n    . one = 1\n")
    repo.note(repo.head(), "b.py\n  h_31dce776f88375 1\n")
    facts = provenance(repo)
    assert spans(facts) == ["b.py:1-1 unknown - E0"]
    assert {f.rule for f in facts.findings} == {"note-unreadable"}


def test_a_suggestion_is_mixed_a_review_and_a_session_attribute_nothing(draw: Draw, provenance: Collect) -> None:
    bot = "gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>"
    script = (
        f"commit One\n  trailer Co-authored-by: {bot}\n  file b.py\n    . one = 1\n"
        "commit Two\n  trailer Codex-Reviewed-By: codex\n  file c.py\n    . one = 1\n"
        "commit Three\n  trailer Claude-Session: https://claude.ai/code/session_abc\n  file d.py\n    . one = 1\n"
        f"commit Four\n  trailer {CLAUDE_TRAILER}\n  trailer Claude-Session: https://claude.ai/code/session_abc\n"
        "  file e.py\n    . one = 1\n"
    )
    facts = provenance(draw(START + script))
    assert spans(facts) == [
        "b.py:1-1 mixed gemini-code-assist E2",
        "c.py:1-1 unknown - E0",
        "d.py:1-1 unknown - E0",
        "e.py:1-1 ai claude E2",
    ]
    assert facts.spans[3].session == "session_abc"
    assert facts.lines.mixed == 1


def test_weak_marks_count_as_the_agents_by_e1(draw: Draw, provenance: Collect) -> None:
    repo = draw(START + "commit Add\n  file b.py\n    . one = 1\n")
    facts = provenance(repo, pull_request=pull_request(author="alice", source="codex/add"))
    assert spans(facts) == ["b.py:1-1 ai codex E1"]
    assert facts.evidence.E1 == 1


def test_a_line_belongs_to_the_commit_that_wrote_it_whatever_came_after(draw: Draw, provenance: Collect) -> None:
    kept = "".join(f"    . kept_{n} = {n}\n" for n in range(8))
    start = f"commit Start\n  file a.py\n{kept}branch feature\n"
    script = (
        f"commit Add\n  file a.py\n{kept}    a second = 2\n    a third = 3\n"
        "commit Move\n  rename a.py lib.py\n"
        f"commit Change\n  file lib.py\n    . zero = 0\n{kept}    . second = 2\n    . third = 33\n"
    )
    facts = provenance(draw(start + script))
    assert spans(facts) == ["lib.py:1-1 unknown - E0", "lib.py:10-10 ai claude E4", "lib.py:11-11 unknown - E0"]


@pytest.mark.parametrize(
    ("lines", "request_", "human", "prompters"),
    [
        ([f"trailer {CLAUDE_TRAILER}"], {}, "Alice Smith <alice@example.com>", ("Alice Smith <alice@example.com>",)),
        (
            [f"trailer {CLAUDE_TRAILER}", "committer Bob Jones <bob@example.com>"],
            {},
            "Bob Jones <bob@example.com>",
            ("Alice Smith <alice@example.com>", "Bob Jones <bob@example.com>"),
        ),
        (
            [f"trailer {CLAUDE_TRAILER}", "committer GitHub <noreply@github.com>"],
            {},
            "Alice Smith <alice@example.com>",
            ("Alice Smith <alice@example.com>",),
        ),
        (
            ["by Claude <noreply@anthropic.com>", "trailer Co-authored-by: Bob Jones <bob@example.com>"],
            {},
            "Bob Jones <bob@example.com>",
            ("Bob Jones <bob@example.com>",),
        ),
        (
            ["by Claude <noreply@anthropic.com>", "body Requested by: @carol"],
            {"author": "dave"},
            "@carol",
            ("@carol", "@dave"),
        ),
        (["by Claude <noreply@anthropic.com>"], {"author": "dave"}, "@dave", ("@dave",)),
        (
            ["by Claude <noreply@anthropic.com>"],
            {"author": "claude[bot]", "author_is_bot": True, "assignees": ("erin",)},
            "@erin",
            ("@erin",),
        ),
        (["by Claude <noreply@anthropic.com>"], {"author": "claude[bot]", "merged_by": "frank"}, "@frank", ()),
        (["by Claude <noreply@anthropic.com>"], {}, "", ()),
    ],
)
def test_someone_answers_for_every_line_or_explicitly_nobody(
    draw: Draw,
    provenance: Collect,
    lines: list[str],
    request_: dict[str, object],
    human: str,
    prompters: tuple[str, ...],
) -> None:
    repo = draw(START + "commit Add\n" + "".join(f"  {line}\n" for line in lines) + "  file b.py\n    . one = 1\n")
    facts = provenance(repo, pull_request=pull_request(**request_) if request_ else None)
    assert facts.spans[0].writer == "ai"
    assert facts.spans[0].human == human
    assert facts.prompters == prompters
    assert facts.unaccountable_lines == (0 if human else 1)
    assert is_known(facts, "prompters") == bool(human)


def test_people_are_named_by_the_identity_map_so_that_approvers_can_be_compared(
    draw: Draw, provenance: Collect
) -> None:
    settings = Settings(people={"ali": Identity(name="Alice", emails=("alice@example.com",), accounts=("alice",))})
    repo = draw(START + f"commit Add\n  trailer {CLAUDE_TRAILER}\n  file b.py\n    a one = 1\n")
    facts = provenance(repo, settings=settings, pull_request=pull_request(author="Alice"))
    assert (facts.prompters, facts.authors) == (("ali",), ("ali",))
    assert [a.person for a in facts.accountable] == ["ali"]


def transcript(path: Path, *edits: tuple[str, str]) -> Path:
    records = [{"type": "session_meta", "payload": {"id": "codex-1", "cwd": "/elsewhere"}}]
    records.append({"type": "turn_context", "payload": {"model": "gpt-5-codex"}})
    for name, text in edits:
        patch = f"*** Begin Patch\n*** Add File: {name}\n" + "".join(f"+{line}\n" for line in text.split("\n"))
        call = {
            "type": "function_call",
            "name": "apply_patch",
            "arguments": json.dumps({"input": f"{patch}*** End Patch"}),
        }
        records.append({"type": "response_item", "payload": call})
    path.write_text("\n".join(json.dumps(r) for r in records))
    return path


def test_a_transcript_that_the_caller_gives_is_replayed(draw: Draw, provenance: Collect, tmp_path: Path) -> None:
    repo = draw(START + "commit Add\n  file b.py\n    . first_line = 1\n    . by_hand = 2\n    . last_line = 3\n")
    given = transcript(tmp_path / "x.jsonl", ("b.py", "first_line = 1\nlast_line = 3"))
    facts = provenance(repo, transcripts=(given,))
    assert spans(facts) == ["b.py:1-1 ai codex E3", "b.py:2-2 unknown - E0", "b.py:3-3 ai codex E3"]
    assert {s.session for s in facts.spans} == {"codex-1", ""}


def test_a_transcript_of_another_agent_than_the_trailer_names_is_a_conflict(
    draw: Draw, provenance: Collect, tmp_path: Path
) -> None:
    repo = draw(START + f"commit Add\n  trailer {CLAUDE_TRAILER}\n  file b.py\n    . first_line = 1\n")
    facts = provenance(repo, transcripts=(transcript(tmp_path / "x.jsonl", ("b.py", "first_line = 1")),))
    assert [[c.tool for c in conflict.claims] for conflict in facts.conflicts] == [["codex", "claude"]]


def test_an_entire_checkpoint_of_the_commit_is_replayed(draw: Draw, provenance: Collect, tmp_path: Path) -> None:
    repo = draw(START)
    repo.git("checkout", "-q", "--orphan", "entire/checkpoints/v1")
    repo.git("rm", "-rqf", ".")
    folder = repo.path / "01" / "23456789ab" / "0"
    folder.mkdir(parents=True)
    transcript(folder / "full.jsonl", ("b.py", "first_line = 1\nlast_line = 3"), ("c.py", "other_line = 9"))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Checkpoint")
    repo.git("checkout", "-q", "feature")
    repo.commit("Add\n\nEntire-Checkpoint: 0123456789ab", {"b.py": "first_line = 1\nown_line = 2\nlast_line = 3\n"})
    repo.commit("Not of that session", {"c.py": "other_line = 9\n"})
    facts = provenance(repo)
    assert spans(facts) == [
        "b.py:1-1 ai codex E3",
        "b.py:2-2 unknown - E0",
        "b.py:3-3 ai codex E3",
        "c.py:1-1 unknown - E0",
    ]
    assert facts.spans[0].source == "Entire checkpoint"


def test_staged_lines_are_unknown_until_a_transcript_speaks(draw: Draw, provenance: Collect, tmp_path: Path) -> None:
    repo = draw(START)
    repo.write("b.py", "first_line = 1\nsecond_line = 2\n")
    repo.git("add", "-A")
    facts = provenance(repo, staged=True)
    assert spans(facts) == ["b.py:1-2 unknown - E0"]
    assert facts.status == "partial"
    assert not is_known(facts, "prompters")
    assert is_known(facts, "lines")
    facts = provenance(repo, staged=True, transcripts=(transcript(tmp_path / "x", ("b.py", "second_line = 2")),))
    assert spans(facts) == ["b.py:1-1 unknown - E0", "b.py:2-2 ai codex E3"]


def test_a_bare_diff_says_what_it_cannot_know(tmp_path: Path) -> None:
    diff = tmp_path / "x.diff"
    diff.write_text("diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n one = 1\n+two = 2\n")
    change = read_change(read_ends(Question(diff=diff), None), None, Settings())
    facts = collect(change, Context(None, Settings(), "2026-05-01T12:00:00Z"))
    assert facts.lines == Lines(added=1, unknown=1)
    assert facts.status == "partial"
    assert not is_known(facts, "declarations")
    assert all(unknown.reason for unknown in facts.unknowns)


def test_binary_files_and_links_have_no_lines(draw: Draw, provenance: Collect) -> None:
    repo = draw(START)
    (repo.path / "link").symlink_to("a.py")
    repo.commit("Add", {"x.bin": b"\0\1\2" * 50})
    facts = provenance(repo)
    assert (facts.lines.added, facts.spans, facts.status) == (0, (), "complete")


def test_the_same_change_gives_the_same_bytes(draw: Draw, provenance: Collect) -> None:
    script = "commit Add\n  file b.py\n    a one = 1\n    . two = 2\n  file c.py\n    h three = 3\n"
    repo = draw(START + script)
    assert to_json(provenance(repo)) == to_json(provenance(repo))


def test_the_sums_agree(draw: Draw, provenance: Collect) -> None:
    script = (
        f"commit One\n  file b.py\n    a one = 1\n    . two = 2\n  file tests/test_b.py\n    h three = 3\n"
        f"commit Two\n  trailer {CLAUDE_TRAILER}\n  file d.py\n    . one = 1\n  file README.md\n    . words\n"
    )
    facts = provenance(draw(START + script))
    total = facts.lines
    assert total.added == total.ai + total.human + total.mixed + total.unknown == 5
    assert sum(getattr(facts.evidence, level) for level in ("E5", "E4", "E3", "E2", "E1", "E0")) == total.added
    assert sum(s.end_line - s.line + 1 for s in facts.spans) == total.added
    assert sum(f.added for f in facts.files) == total.added
    assert sum(a.lines for a in facts.agents) == total.ai + total.mixed
    assert facts.source_lines.added == 4
