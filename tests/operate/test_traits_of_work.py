"""What a diff does to the time that work takes, in several languages."""

from __future__ import annotations

import pytest

from tidegate.operate.evidence.traits import find_traits


def _says(path: str, diff: str) -> str:
    return "; ".join(trait.says for trait in find_traits((path,), diff))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", "+    time.sleep(0.06)"),
        ("a.go", "+\ttime.Sleep(2 * time.Second)"),
        ("a.go", "+\tcase <-time.After(time.Second):"),
        ("a.js", "+  await new Promise(done => setTimeout(done, 100))"),
        ("A.java", "+    Thread.sleep(100);"),
    ],
)
def test_a_change_that_waits(path: str, line: str) -> None:
    assert "waits on purpose" in _says(path, f"@@ -1 +1 @@\n{line}\n")
    assert "waits on purpose" not in _says(path, f"@@ -1 +1 @@\n-{line[1:]}\n{line} more\n")


@pytest.mark.parametrize(
    "added",
    [
        ["for item in items:", "    found.append(item)", "    found = sorted(found)"],
        ["for (const a of all) {", "  for (const b of all) {", "  }", "}"],
        ["for _, one := range all {", "\tfor _, other := range all {", "\t}", "}"],
    ],
)
def test_a_change_that_makes_several_passes_for_every_item(added: list[str]) -> None:
    diff = "@@ -1 +1 @@\n-old = all\n" + "".join(f"+{line}\n" for line in added)

    assert "more than one pass" in _says("a.py", diff)


@pytest.mark.parametrize(
    "added",
    [
        ["for item in items:", "    found.append(item)"],
        ["found = sorted(items)"],
        ["for item in sorted(items):", "    found.append(item)"],
    ],
)
def test_one_pass_is_one_pass(added: list[str]) -> None:
    diff = "@@ -1 +1 @@\n-old = all\n" + "".join(f"+{line}\n" for line in added)

    assert "more than one pass" not in _says("a.py", diff)
