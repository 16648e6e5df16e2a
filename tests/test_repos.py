"""The builder itself: what it draws is what git then holds."""

from pathlib import Path

from tests.repos import build


def test_a_script_becomes_commits_notes_and_branches(tmp_path: Path) -> None:
    repo = build(
        tmp_path,
        """
        commit Start
          file a.txt
            . one
        branch feature
        commit Add two lines
          by Bob Jones <bob@example.com>
          trailer Co-authored-by: Claude <noreply@anthropic.com>
          file a.txt
            . one
            a two
            h three
        checkout main
        commit Meanwhile
          file b.txt
            . b
        checkout feature
        merge main
        """,
    )
    subjects = set(repo.git("log", "--format=%s|%an", "feature").splitlines())
    assert subjects == {
        "Merge main|Alice Smith",
        "Add two lines|Bob Jones",
        "Meanwhile|Alice Smith",
        "Start|Alice Smith",
    }
    note = repo.git("notes", "--ref=ai", "show", "HEAD^1")
    assert note.startswith("a.txt\n  s_")
    assert "\n  h_" in note
    assert repo.git("show", "HEAD:a.txt") == "one\ntwo\nthree"


def test_every_run_gives_the_same_ids(tmp_path: Path) -> None:
    script = "commit Start\n  file a.txt\n    a one\n"
    assert build(tmp_path / "1", script).head() == build(tmp_path / "2", script).head()
