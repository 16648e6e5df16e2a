"""Coverage files of other tools, per test, as recordings; and files that mean harm."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.reach.record.coverage_json import read_coverage_json
from tidegate.reach.record.coverage_sqlite import read_coverage_data
from tidegate.reach.record.foreign import Places
from tidegate.reach.record.jacoco import read_jacoco
from tidegate.reach.record.lcov import read_lcov
from tidegate.reach.record.raw import Recording, bits
from tidegate.reach.record.v8 import read_v8

PATHS = ("src/pkg/a.py", "src/pkg/b.py", "tests/test_a.py", "lib/app.js", "test/app.js", "java/com/x/Foo.java")
TESTS = (*PATHS, "javatest/com/x/FooTest.java")


def ran(recording: Recording) -> dict[str, list[tuple[str, int, str]]]:
    """For each test, and "" for none, what it executed."""
    piles = {test.name: test.codes for test in recording.tests} | {"": recording.outside}
    return {
        name: sorted((recording.codes[n].path, recording.codes[n].line, recording.codes[n].name) for n in bits(mask))
        for name, mask in piles.items()
    }


# coverage.py


def data_file(path: Path, *, arcs: bool = False, extra: str = "") -> Path:
    """A data file as coverage.py 7 writes it."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE meta (key text, value text, unique (key));
            CREATE TABLE file (id integer primary key, path text, unique (path));
            CREATE TABLE context (id integer primary key, context text, unique (context));
            CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob);
            CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer);
            INSERT INTO file VALUES (1, '/elsewhere/src/pkg/a.py'), (2, '/usr/lib/python3/other.py');
            INSERT INTO context VALUES (1, ''), (2, 'tests/test_a.py::TestX::test_one[a-1]|run'),
                (3, 'tests/test_a.py::TestX::test_one[b]|setup'), (4, 'tests.test_a.test_two'),
                (5, 'tests/test_a.py::test_none|run');
            """
            + extra
        )
        rows = [(1, 1, 1), (1, 2, 3), (1, 3, 12), (1, 4, 3), (2, 2, 9)]
        for file, context, line in rows:
            if arcs:
                database.execute("INSERT INTO arc VALUES (?, ?, ?, ?)", (file, context, line, -1))
                database.execute("INSERT INTO arc VALUES (?, ?, ?, ?)", (file, context, -1, line))
            else:
                numbits = bytearray(line // 8 + 1)
                numbits[line // 8] |= 1 << line % 8
                database.execute("INSERT INTO line_bits VALUES (?, ?, ?)", (file, context, bytes(numbits)))
        database.commit()
    return path


@pytest.mark.parametrize("arcs", [False, True])
def test_coverage_data_with_contexts(tmp_path: Path, arcs: bool) -> None:
    found = read_coverage_data(data_file(tmp_path / ".coverage", arcs=arcs), PATHS)
    assert ran(found) == {
        "": [("src/pkg/a.py", 1, "<line>")],
        "tests/test_a.py:TestX.test_one": [("src/pkg/a.py", 3, "<line>"), ("src/pkg/a.py", 12, "<line>")],
        "tests/test_a.py:test_two": [("src/pkg/a.py", 3, "<line>")],
        "tests/test_a.py:test_none": [],
    }
    assert "other.py" in found.gaps[0]


def test_coverage_json_with_contexts(tmp_path: Path) -> None:
    file = tmp_path / "coverage.json"
    contexts = {"1": [""], "3": ["tests/test_a.py::test_one|run", "tests.test_a.test_two"]}
    file.write_text(json.dumps({"meta": {}, "files": {"src/pkg/a.py": {"contexts": contexts}, "gone.py": {}}}))
    found = read_coverage_json(file, PATHS)
    assert ran(found) == {
        "": [("src/pkg/a.py", 1, "<line>")],
        "tests/test_a.py:test_one": [("src/pkg/a.py", 3, "<line>")],
        "tests/test_a.py:test_two": [("src/pkg/a.py", 3, "<line>")],
    }
    assert "gone.py" in found.gaps[0]


def test_a_view_instead_of_a_table_is_refused(tmp_path: Path) -> None:
    view = """
        DROP TABLE line_bits;
        CREATE VIEW line_bits AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
            SELECT 1 AS file_id, 2 AS context_id, x'ff' AS numbits FROM n;
    """
    with closing(sqlite3.connect(data_file(tmp_path / ".coverage"))) as database:
        database.executescript(view)
    with pytest.raises(InputError, match="a table is missing"):
        read_coverage_data(tmp_path / ".coverage", PATHS)


def test_a_question_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    file = data_file(tmp_path / ".coverage")
    with closing(sqlite3.connect(file)) as database:
        database.executemany("INSERT INTO arc VALUES (1, 2, 1, ?)", [(n,) for n in range(1, 200_000)])
        database.commit()
    with pytest.raises(InputError, match="interrupted"):
        read_coverage_data(file, PATHS, seconds=-1)


# LCOV


def test_lcov_functions_count_before_lines(tmp_path: Path) -> None:
    file = tmp_path / "lcov.info"
    file.write_text(
        "TN:test_app_js\nSF:/ci/lib/app.js\nFN:3,handle\nFN:9,11,listen\nFNDA:2,handle\nFNDA:0,listen\nDA:4,2\n"
        "end_of_record\nTN:other\nSF:src/pkg/a.py\nDA:7,1\nDA:8,0\nend_of_record\n"
        "TN:\nSF:src/pkg/b.py\nDA:1,1\nend_of_record\n"
    )
    assert ran(read_lcov(file, PATHS)) == {
        "": [("src/pkg/b.py", 1, "<line>")],
        "test/app.js:": [("lib/app.js", 3, "handle")],
        ":other": [("src/pkg/a.py", 7, "<line>")],
    }


# JaCoCo

REPORT = """<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="x"><package name="com/x"><class name="com/x/Foo" sourcefilename="Foo.java">
<method name="&lt;init&gt;" desc="()V" line="3"><counter type="INSTRUCTION" missed="0" covered="3"/></method>
<method name="run" desc="()V" line="7"><counter type="INSTRUCTION" missed="1" covered="3"/>
<counter type="LINE" missed="0" covered="1"/></method>
<method name="idle" desc="()V" line="9"><counter type="INSTRUCTION" missed="3" covered="0"/></method>
<counter type="INSTRUCTION" missed="4" covered="6"/></class>
<class name="com/x/Foo$Inner" sourcefilename="Foo.java">
<method name="go" desc="()V" line="20"><counter type="INSTRUCTION" missed="0" covered="1"/></method></class>
</package></report>"""


def test_jacoco_one_report_per_test(tmp_path: Path) -> None:
    (tmp_path / "com.x.FooTest#runs.xml").write_text(REPORT)
    (tmp_path / "com.x.Unknown.xml").write_text('<report name="x"/>')
    assert ran(read_jacoco(tmp_path, TESTS)) == {
        "": [],
        "javatest/com/x/FooTest.java:FooTest.runs": [
            ("java/com/x/Foo.java", 3, "Foo.Foo"),
            ("java/com/x/Foo.java", 7, "Foo.run"),
            ("java/com/x/Foo.java", 20, "Foo.Inner.go"),
        ],
        ":com.x.Unknown": [],
    }


# V8


def test_v8_one_folder_per_test(tmp_path: Path) -> None:
    source = "'ä𝄞';\nfunction one() {\n}\napp.two = () => 1\n"
    start = len("'ä𝄞';\n".encode("utf-16-le")) // 2
    script = {
        "url": "file:///ci/lib/app.js",
        "functions": [
            {"functionName": "", "ranges": [{"startOffset": 0, "endOffset": 50, "count": 1}]},
            {"functionName": "one", "ranges": [{"startOffset": start, "endOffset": start + 18, "count": 2}]},
            {"functionName": "app.two", "ranges": [{"startOffset": 36, "endOffset": 43, "count": 0}]},
        ],
    }
    other = {"url": "file:///ci/node_modules/x/lib/app.js", "functions": script["functions"]}
    folder = tmp_path / "test" / "app.js"
    folder.mkdir(parents=True)
    (folder / "coverage-1.json").write_text(json.dumps({"result": [script, other]}))
    assert ran(read_v8(tmp_path, PATHS, {"lib/app.js": source.encode()}.get)) == {
        "": [],
        "test/app.js:": [("lib/app.js", 1, "<module>"), ("lib/app.js", 2, "one")],
    }


# Foreign paths


@pytest.mark.parametrize(
    ("foreign", "path"),
    [
        ("src/pkg/a.py", "src/pkg/a.py"),
        ("/builds/ci/src/pkg/a.py", "src/pkg/a.py"),
        ("C:\\work\\src\\pkg\\a.py", "src/pkg/a.py"),
        ("pkg/a.py", "src/pkg/a.py"),
        ("/usr/lib/pkg/a.py", ""),
        ("/usr/lib/a.py", ""),
        ("app.js", ""),
        ("../../etc/passwd", ""),
        ("", ""),
    ],
)
def test_foreign_paths_are_found_only_where_one_fits(foreign: str, path: str) -> None:
    assert Places(PATHS).find(foreign) == path


# Files that mean harm


def lolz() -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    return f'<!DOCTYPE report [<!ENTITY l0 "lol">{entities}]><report name="&l8;"/>'


HARM: dict[str, tuple[Callable[[Path], object], bytes]] = {
    "entities": (lambda file: read_jacoco(file, PATHS), lolz().encode()),
    "external": (
        lambda file: read_jacoco(file, PATHS),
        b'<!DOCTYPE report [<!ENTITY x SYSTEM "file:///etc/passwd">]><report>&x;</report>',
    ),
    "nested xml": (lambda file: read_jacoco(file, PATHS), b"<report>" + b"<group>" * 100_000),
    "broken xml": (lambda file: read_jacoco(file, PATHS), b"<report><a></report>"),
    "other xml": (lambda file: read_jacoco(file, PATHS), b"<coverage/>"),
    "nested json": (lambda file: read_coverage_json(file, PATHS), b'{"files":' + b"[" * 100_000),
    "huge line": (
        lambda file: read_coverage_json(file, PATHS),
        b'{"files":{"src/pkg/a.py":{"contexts":{"99999999999999999999":["x"]}}}}',
    ),
    "no contexts": (lambda file: read_coverage_json(file, PATHS), b'{"files":{}}'),
    "no database": (lambda file: read_coverage_data(file, PATHS), b"SQLite format 3\0" + b"\xff" * 4000),
    "not utf-8": (lambda file: read_coverage_json(file, PATHS), b'{"files":{"\xff":{}}}'),
    "lcov number": (lambda file: read_lcov(file, PATHS), b"TN:x\nSF:src/pkg/a.py\nDA:x,1\n"),
    "lcov without tests": (lambda file: read_lcov(file, PATHS), b"SF:src/pkg/a.py\nDA:1,1\nend_of_record\n"),
    "binary": (lambda file: read_lcov(file, PATHS), bytes(range(256)) * 100),
}


@pytest.mark.parametrize("name", HARM)
def test_hostile_files_are_one_clear_error(tmp_path: Path, name: str) -> None:
    read, content = HARM[name]
    file = tmp_path / "report"
    file.write_bytes(content)
    with pytest.raises(InputError):
        read(file)


@pytest.mark.parametrize("read", [read_coverage_data, read_coverage_json, read_lcov, read_jacoco])
def test_missing_files_are_one_clear_error(tmp_path: Path, read: Callable[..., object]) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read(tmp_path / "nowhere", PATHS)
