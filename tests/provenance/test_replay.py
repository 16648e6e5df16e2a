"""Lines found again in transcripts: the session's own, and nobody else's."""

from __future__ import annotations

import random

import pytest

from tidegate.provenance.replay import Replay, Target
from tidegate.provenance.transcripts.values import Edit, Transcript


def session(*edits: Edit, id_: str = "s1", tool: str = "claude", folder: str = "/Users/ann/shop") -> Transcript:
    return Transcript(tool, id_, "m", f"2026-05-0{id_[-1]}T00:00:00Z", folder, edits)


def edit(path: str, *blocks: str, by_user: tuple[str, ...] = ()) -> Edit:
    return Edit(path, tuple(tuple(b.split("\n")) for b in blocks), frozenset(by_user), "m", "sha256:p")


def found(transcript: Transcript, text: str, path: str = "src/a.py", others: tuple[str, ...] = ()) -> str:
    """One letter a line: `a` the agent's, `m` mixed, `.` nobody's."""
    lines = text.split("\n")
    shown = ["."] * len(lines)
    replay = Replay([transcript], (path, *others))
    for claim in replay.claims(path, [Target(n, line.encode()) for n, line in enumerate(lines, 1)]):
        for number in range(claim.first, claim.last + 1):
            shown[number - 1] = "m" if claim.origin.writer == "mixed" else "a"
            assert claim.origin.evidence == "E3"
    return "".join(shown)


A = "/Users/ann/shop/src/a.py"


def test_lines_of_an_edit_are_the_sessions() -> None:
    assert found(session(edit(A, "def f():\n    return 1")), "import os\ndef f():\n    return 1\nprint(2)") == ".aa."


def test_a_line_that_says_little_counts_only_inside_a_run() -> None:
    block = "def f():\n    x = {\n    }\n    return x"
    assert found(session(edit(A, block)), block) == "aaaa"
    assert found(session(edit(A, block)), "def g():\n    }\n    y = 2\n}") == "...."


def test_white_space_is_not_compared() -> None:
    assert found(session(edit(A, "if x:\n  return  1")), "    if x:\r\n\treturn 1\r") == "aa"


def test_what_the_user_changed_is_mixed() -> None:
    block = "total = price * count\nreturn total - discount"
    assert found(session(edit(A, block, by_user=("return total - discount",))), block) == "am"


def test_one_line_of_an_edit_is_found_once() -> None:
    text = "log.info('start of it')\nother()\nlog.info('start of it')"
    assert found(session(edit(A, "log.info('start of it')")), text) == "a.."


def test_the_longest_run_is_taken_not_the_first_line_that_looks_alike() -> None:
    text = "return None\n\ndef mine():\n    work()\n    return None"
    assert found(session(edit(A, "def mine():\n    work()\n    return None")), text) == "..aaa"


def test_a_long_line_that_was_moved_is_still_found() -> None:
    text = "second_function_of_the_module()\nfirst_function_of_the_module()"
    block = "first_function_of_the_module()\nsecond_function_of_the_module()"
    assert found(session(edit(A, block)), text) == "aa"


@pytest.mark.parametrize(
    ("written", "path", "others", "expected"),
    [
        ("/Users/ann/shop/src/a.py", "src/a.py", (), "a"),
        ("/elsewhere/src/a.py", "src/a.py", (), "a"),
        ("C:\\shop\\src\\a.py", "src/a.py", (), "a"),
        ("src/a.py", "src/a.py", (), "a"),
        ("/Users/ann/shop/src/a.py", "a.py", (), "."),
        ("/Users/ann/shop/a.py", "src/a.py", (), "."),
        ("/Users/ann/shop/src/a.py", "lib/src/a.py", (), "."),
        ("/Users/ann/shop/src/a.py", "shop/src/a.py", (), "a"),
        ("/Users/ann/shop/src/a.py", "shop/src/a.py", ("src/a.py",), "."),
        ("/Users/ann/shop/src/bb.py", "src/b.py", (), "."),
    ],
)
def test_a_file_is_the_same_by_its_path_below_the_folder(
    written: str, path: str, others: tuple[str, ...], expected: str
) -> None:
    assert found(session(edit(written, "something_telling()")), "something_telling()", path, others) == expected


def test_a_long_run_is_found_in_a_file_that_was_moved_and_a_short_one_is_not() -> None:
    run = "\n".join(f"telling_line_number_{n} = {n}" for n in range(6))
    assert found(session(edit("/Users/ann/shop/old/name.py", run)), f"{run}\nmine_alone = 1") == "aaaaaa."
    short = "\n".join(run.split("\n")[:4])
    assert found(session(edit("/Users/ann/shop/old/name.py", run)), f"{short}\nmine_alone = 1") == "....."


def test_two_sessions_may_claim_one_line_and_the_later_comes_first() -> None:
    early = session(edit(A, "something_telling()"), id_="s1")
    late = session(edit(A, "something_telling()"), id_="s2", tool="codex")
    claims = Replay([early, late], ["src/a.py"]).claims("src/a.py", [Target(1, b"something_telling()")])
    assert [c.origin.tool for c in claims] == ["codex", "claude"]


def test_transcripts_of_other_changes_claim_almost_nothing() -> None:
    """Sessions of one project write alike: the same files, words and shapes. Shuffled, they may not match."""
    random.seed(5)
    names = ["order", "price", "customer", "basket", "refund", "ledger", "voucher", "parcel"]
    verbs = ["load", "check", "merge", "send", "count", "close"]

    def text(n: int) -> str:
        out = []
        for _ in range(12):
            name, verb, other = random.choice(names), random.choice(verbs), random.choice(names)
            out += [
                f"def {verb}_{name}_{n}({other}_id):",
                f"    {name} = {verb}({other}_id, limit={random.randint(1, 99)})",
            ]
            out += [f"    if {name} is None:", "        return None", f"    return {name}.{verb}_{other}({n})", ""]
        return "\n".join(out)

    texts = [text(n) for n in range(20)]
    sessions = [session(edit(A, t)) for t in texts]
    own = wrong = told = 0
    for index, of_change in enumerate(texts):
        lines = of_change.split("\n")
        telling = [n for n, line in enumerate(lines) if len(line.replace(" ", "")) > 20]
        told += len(telling)
        own += sum(found(sessions[index], of_change)[n] == "a" for n in telling)
        wrong += sum(found(sessions[(index + 7) % 20], of_change)[n] == "a" for n in telling)
    assert own == told
    assert wrong / told < 0.05


def test_a_file_of_one_line_repeated_takes_no_time() -> None:
    import time

    block = "\n".join(["the same line again"] * 5000)
    started = time.process_time()
    found(session(*[edit(A, block) for _ in range(5)]), block)
    assert time.process_time() - started < 5
