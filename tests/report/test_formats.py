"""Several outputs at once: all of them whole, or none."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.report import samples
from tests.report.hostile import hostile_text
from tidegate.cli.check import check
from tidegate.errors import InputError
from tidegate.policy.verdict import STAGES
from tidegate.report.formats import FORMATS, Output, parse_outputs, write_outputs
from tidegate.report.style import Style


@pytest.mark.parametrize(
    ("specs", "outputs"),
    [
        ([], [("text", None)]),
        (["sarif=x.sarif"], [("text", None), ("sarif", "x.sarif")]),
        (["sarif=x.sarif", "json=y.json"], [("text", None), ("sarif", "x.sarif"), ("json", "y.json")]),
        (["report.txt"], [("text", "report.txt")]),
        (["-"], [("text", None)]),
        (["json=-"], [("json", None)]),
        (["json=a=b.json"], [("text", None), ("json", "a=b.json")]),
    ],
)
def test_what_an_output_asks_for(specs: list[str], outputs: list[tuple[str, str | None]]) -> None:
    expected = tuple(Output(name, Path(path) if path else None) for name, path in outputs)
    assert parse_outputs(specs) == expected


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["sarfi=x"], "there is no format 'sarfi'; did you mean sarif?"),
        (["json="], "names no file"),
        (["json=-", "sarif=-"], "two outputs go to standard output"),
        (["json=x", "sarif=x"], "two outputs go to x"),
    ],
)
def test_an_output_that_cannot_be_is_refused(specs: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_outputs(specs)
    assert message in str(caught.value)


def test_files_and_standard_output_in_one_run(tmp_path: Path) -> None:
    printed: list[str] = []
    outputs = parse_outputs([f"sarif={tmp_path / 'x.sarif'}", f"json={tmp_path / 'y.json'}"])
    write_outputs(outputs, *samples.held(), Style(colour=True), printed.append)
    assert json.loads((tmp_path / "x.sarif").read_bytes())["version"] == "2.1.0"
    assert json.loads((tmp_path / "y.json").read_bytes())["outcome"] == "hold"
    assert printed[0].startswith("\x1b[1;33mHELD")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.sarif", "y.json"]


def test_a_text_file_has_no_colour(tmp_path: Path) -> None:
    path = tmp_path / "check.txt"
    write_outputs((Output("text", path),), *samples.held(), Style(colour=True), print)
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_a_folder_that_does_not_exist_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    printed: list[str] = []
    outputs = parse_outputs([f"json={tmp_path / 'y.json'}", f"sarif={tmp_path / 'no' / 'x.sarif'}"])
    with pytest.raises(InputError, match="the folder does not exist"):
        write_outputs(outputs, *samples.held(), Style(), printed.append)
    assert list(tmp_path.iterdir()) == []
    assert printed == []


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder"):
        write_outputs((Output("json", tmp_path),), *samples.held(), Style(), print)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path) -> None:
    printed: list[str] = []
    outputs = parse_outputs([f"json={tmp_path / 'y.json'}", "sarif=/dev/full"])
    with pytest.raises(InputError, match="cannot be written: No space left"):
        write_outputs(outputs, *samples.held(), Style(), printed.append)
    assert list(tmp_path.iterdir()) == []
    assert printed == []


def test_a_name_that_cannot_be_leaves_nothing(tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    ring.symlink_to(ring)
    for bad in (tmp_path / ("x" * 300), ring):
        with pytest.raises(InputError):
            write_outputs((Output("json", tmp_path / "y.json"), Output("sarif", bad)), *samples.held(), Style(), print)
    assert [path.name for path in tmp_path.iterdir()] == ["ring"]


def test_an_old_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "x.json", tmp_path / "link.json"
    path.write_text("old" * 100_000, encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    write_outputs((Output("json", link),), *samples.passing(), Style(), print)
    assert link.is_symlink()
    assert json.loads(path.read_bytes())["outcome"] == "pass"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_outputs((Output("json", pipe),), *samples.passing(), Style(), print)
    reader.join(10)
    assert json.loads(read[0])["outcome"] == "pass"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("sample", [samples.held, samples.passing, samples.blocked, samples.bare_diff, samples.hostile])
def test_every_format_is_deterministic_text_that_ends_in_a_line_break(name: str, sample: object) -> None:
    first, second = (FORMATS[name](*sample(), Style()) for _ in range(2))  # type: ignore[operator]
    assert first == second
    assert first.endswith("\n")
    first.encode("utf-8")


@settings(max_examples=30)
@given(hostile_text)
def test_no_format_writes_what_a_terminal_or_a_log_acts_on(text: str) -> None:
    facts, verdict = samples.hostile(text)
    for name, render in FORMATS.items():
        written = render(facts, verdict, Style())
        assert "##[" not in written, name
        if name == "json":
            continue  # JSON escapes control characters itself; what else is in it belongs to the reader
        odd = {character for character in written if not character.isprintable()} - {"\n", "\u200b"}
        assert not odd, name


def test_the_help_of_check_names_every_format_and_stage() -> None:
    option = {parameter.name: parameter for parameter in check.params}
    assert all(name in (option["format_"].help or "") for name in FORMATS)
    assert tuple(option["stage"].type.choices) == STAGES
