"""Reads JaCoCo's XML reports, one for each test: a file `com.foo.BarTest.xml` or `com.foo.BarTest#testX.xml`.

Format: https://www.jacoco.org/jacoco/trunk/coverage/report.dtd. A method was executed when one of its instructions was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.parsers import expat

from tidegate.reach.record.foreign import Filling, Places, read_bounded, refused
from tidegate.reach.record.raw import Recording

KIND = "JaCoCo report"
FILES_LIMIT = 100_000
_DEPTH_LIMIT = 64


def read_jacoco(where: Path, paths: Iterable[str]) -> Recording:
    """Which test executed which method: `where` is one report or a folder of reports. Raises InputError."""
    places = Places(paths)
    files = sorted(where.rglob("*.xml")) if where.is_dir() else [where]
    if len(files) > FILES_LIMIT:
        raise refused(where, KIND, f"it has more than {FILES_LIMIT} files")
    filling = Filling(where, "jacoco")
    for file in files:
        test = _test_of(file.name.removesuffix(".xml"), places)
        filling.test(test)
        _Report(file, test, filling, places).read()
    return filling.recording()


# Private


class _Report:
    """One report, read as a stream of elements."""

    def __init__(self, file: Path, test: str, filling: Filling, places: Places) -> None:
        self._file = file
        self._test = test
        self._filling = filling
        self._places = places
        self._depth = 0
        self._is_report = False
        self._package = ""
        self._source = ""
        self._class = ""
        self._method: tuple[str, int] | None = None

    def read(self) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        # JaCoCo writes none: a document with entities of its own can grow without end, or name files.
        parser.EntityDeclHandler = self._entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            parser.Parse(read_bounded(self._file), True)
        except expat.ExpatError as error:
            raise refused(self._file, KIND, error) from error
        if not self._is_report:
            raise refused(self._file, KIND, "its root is no <report>")

    def _entity(self, *_: object) -> None:
        raise refused(self._file, KIND, "it declares entities")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise refused(self._file, KIND, "it is nested too deeply")
        if self._depth == 1:
            self._is_report = name == "report"
        elif name == "package":
            self._package = attributes.get("name", "")
        elif name == "class":
            self._open_class(attributes)
        elif name == "method" and self._source:
            line = attributes.get("line", "0")
            self._method = (attributes.get("name", ""), int(line) if line.isdecimal() and len(line) < 10 else 0)
        elif name == "counter" and self._method is not None and _executed(attributes):
            self._ran(*self._method)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "method":
            self._method = None
        elif name == "class":
            self._source = ""

    def _open_class(self, attributes: Mapping[str, str]) -> None:
        self._class = attributes.get("name", "").rpartition("/")[2].replace("$", ".")
        foreign = "/".join(filter(None, (self._package, attributes.get("sourcefilename", ""))))
        self._source = self._places.find(foreign)
        if not self._source:
            self._filling.strange(foreign)

    def _ran(self, name: str, line: int) -> None:
        own = self._class.rpartition(".")[2] if name == "<init>" else name
        qualified = self._class if name == "<clinit>" else f"{self._class}.{own}"
        self._filling.ran(self._test, self._source, line, qualified)


def _executed(counter: Mapping[str, str]) -> bool:
    return counter.get("type") == "INSTRUCTION" and counter.get("covered", "0") != "0"


def _test_of(name: str, places: Places) -> str:
    qualified, _, method = name.partition("#")
    folder = qualified.split("$", 1)[0].replace(".", "/")
    for suffix in (".java", ".kt", ".scala", ".groovy"):
        path = places.find(folder + suffix)
        if path:
            inside = qualified.rpartition(".")[2].replace("$", ".")
            return f"{path}:{inside}.{method}" if method else f"{path}:{inside}"
    return f":{name}"
