"""Reads a SARIF log as a stream and keeps what may be about the changed lines.

Format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html. The structure is checked where it is
read, not by the schema, which costs a hundred times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from tidegate.verify.json_stream import JsonStream
from tidegate.verify.reports import Report
from tidegate.verify.sarif.rules import Rule, read_rule

_CANDIDATES_LIMIT = 50_000
_RULES_LIMIT = 50_000


class Spot(Struct, frozen=True):
    """Where a result is, as it is written: a URI with its base or the index of an artifact, and lines (0: unsaid)."""

    uri: str
    base: str
    artifact: int
    first: int
    last: int
    offset: int = -1


class Result(Struct, frozen=True):
    """One result that may be about a changed line. `level` and `message` are empty where the rule tells them."""

    rule: str
    component: int
    index: int
    level: str
    kind: str
    rank: float
    message: str
    message_id: str
    arguments: tuple[str, ...]
    security: str
    suppressed: bool
    spots: tuple[Spot, ...]


class Run(Struct, frozen=True):
    """One run of one tool. `rules` are those of each component, the driver first. `trouble` is why it may be short."""

    tool: str
    rules: tuple[tuple[Rule, ...], ...]
    overrides: Mapping[str, str]
    bases: Mapping[str, tuple[str, str]]
    artifacts: Mapping[int, Spot]
    results: tuple[Result, ...]
    trouble: str = ""


def read_log(report: Report, lines: Mapping[str, frozenset[int]], ends: Mapping[str, int]) -> tuple[Run, ...]:
    """The runs of a log. `lines` are the changed lines by the last name of their file; 0 stands for a whole file.

    `ends` are the numbers of lines of those files: what lies behind them is of another version, and is kept too.

    Raises InputError for what is no SARIF 2.1.0.
    """
    if report.kind != "json":
        raise report.refused("it is no SARIF", "name the SARIF file that the scanner wrote")
    stream = JsonStream(report.texts(), report.name)
    runs: list[Run] = []
    version: object = None
    found = False
    for key in stream.members():
        if key == "version":
            version = stream.value()
        elif key == "runs":
            found = True
            stream.expect("[", "`runs`")
            for _ in stream.elements():
                stream.expect("{", "a run")
                runs.append(_Reading(report, stream, lines, ends).run())
        else:
            stream.skip()
    stream.end()
    if not found:
        raise report.refused("it is JSON, but no SARIF: it has no `runs`", "name the SARIF file that the scanner wrote")
    if not isinstance(version, str) or not version.startswith("2.1.0"):
        raise report.refused(f"it is SARIF {str(version)[:20]}, not 2.1.0", "have the scanner write SARIF 2.1.0")
    return tuple(runs)


# Private


class _Reading:
    """One run while it is read: its members may come in any order."""

    def __init__(
        self, report: Report, stream: JsonStream, lines: Mapping[str, frozenset[int]], ends: Mapping[str, int]
    ) -> None:
        self._report = report
        self._stream = stream
        self._lines = lines
        self._ends = ends
        self._tool = ""
        self._driver: tuple[Rule, ...] = ()
        self._extensions: list[tuple[Rule, ...]] = []
        self._overrides: dict[str, str] = {}
        self._bases: dict[str, tuple[str, str]] = {}
        self._artifacts: dict[int, Spot] = {}
        self._results: list[Result] = []
        self._trouble = ""
        self._number = 0

    def run(self) -> Run:
        stream = self._stream
        for key in stream.members():
            if key == "results":
                self._read_results()
            elif key == "tool":
                self._read_tool()
            elif key == "artifacts":
                self._read_artifacts()
            elif key == "originalUriBaseIds":
                self._read_bases(self._object(stream.value(), key))
            elif key == "invocations":
                self._read_invocations(stream.value())
            elif key == "externalPropertyFileReferences":
                if "results" in self._object(stream.value(), key):
                    self._trouble = "its results are in other files"
            else:
                stream.skip()
        if not self._tool:
            raise self._report.refused("a run in it names no tool")
        components = (self._driver, *self._extensions)
        results = tuple(self._results)
        return Run(self._tool, components, self._overrides, self._bases, self._artifacts, results, self._trouble)

    def _read_tool(self) -> None:
        for key in self._stream.members():
            if key == "driver":
                self._tool, self._driver = self._component()
            elif key == "extensions":
                self._extensions = [self._component()[1] for _ in self._stream.elements()]
            else:
                self._stream.skip()

    def _component(self) -> tuple[str, tuple[Rule, ...]]:
        name, rules = "", []
        for key in self._stream.members():
            if key == "name":
                name = str(self._stream.value())[:100]
            elif key == "rules":
                for _ in self._stream.elements():
                    rules.append(read_rule(self._object(self._stream.value(), "a rule")))
                    if len(rules) > _RULES_LIMIT:
                        raise self._report.refused(f"it has more than {_RULES_LIMIT:,} rules")
            else:
                self._stream.skip()
        return name, tuple(rules)

    def _read_artifacts(self) -> None:
        for index, _ in enumerate(self._stream.elements()):
            artifact = self._object(self._stream.value(), "an artifact")
            spot = self._spot({"artifactLocation": artifact.get("location")})
            if _name_of(spot.uri) in self._lines:
                self._artifacts[index] = spot

    def _read_bases(self, bases: Mapping[str, Any]) -> None:
        for name, location in bases.items():
            found = self._object(location, "originalUriBaseIds")
            self._bases[name] = (_text(found.get("uri")), _text(found.get("uriBaseId")))

    def _read_invocations(self, value: object) -> None:
        for one in self._list(value, "invocations"):
            invocation = self._object(one, "an invocation")
            if invocation.get("executionSuccessful") is False:
                self._trouble = "it says that its run failed"
            for override in self._list(invocation.get("ruleConfigurationOverrides"), "ruleConfigurationOverrides"):
                found = self._object(override, "an override")
                rule = self._object(found.get("descriptor"), "a descriptor").get("id")
                configuration = self._object(found.get("configuration"), "a configuration")
                if isinstance(rule, str):
                    self._overrides[rule] = _text(configuration.get("level"))

    def _read_results(self) -> None:
        if self._stream.is_null():
            self._trouble = "it could not give its results"
            return
        self._stream.expect("[", "`results`")
        for _ in self._stream.elements():
            self._number += 1
            result = self._result(self._object(self._stream.value(), "a result"))
            if result is not None:
                self._results.append(result)
                if len(self._results) > _CANDIDATES_LIMIT:
                    what = f"it has more than {_CANDIDATES_LIMIT:,} results about the changed lines"
                    raise self._report.refused(what, "leave out rules that say so little")

    def _result(self, found: Mapping[str, Any]) -> Result | None:
        """The result, None where it cannot be about a changed line."""
        spots = tuple(
            spot
            for location in self._list(found.get("locations"), "locations")
            if self._may_count(spot := self._spot(self._object(location, "a location").get("physicalLocation")))
        )
        if not spots or found.get("baselineState") == "absent":
            return None
        rule = self._object(found.get("rule"), "a rule")
        component = self._object(rule.get("toolComponent"), "a toolComponent").get("index")
        message = self._object(found.get("message"), "a message")
        level, kind = _text(found.get("level")), _text(found.get("kind")) or "fail"
        if level not in ("", "none", "note", "warning", "error"):
            raise self._wrong(f"its level is {level[:30]!r}")
        return Result(
            rule=_text(found.get("ruleId")) or _text(rule.get("id")),
            component=component + 1 if type(component) is int and component >= 0 else 0,
            index=_index(found.get("ruleIndex", rule.get("index"))),
            level=level,
            kind=kind,
            rank=float(rank) if isinstance(rank := found.get("rank"), (int, float)) and 0 <= rank <= 100 else -1.0,
            message=_text(message.get("text")) or _text(message.get("markdown")),
            message_id=_text(message.get("id")),
            arguments=tuple(_text(one) for one in self._list(message.get("arguments"), "arguments")[:20]),
            security=_security(self._object(found.get("properties"), "properties")),
            suppressed=self._suppressed(found.get("suppressions")),
            spots=spots,
        )

    def _suppressed(self, value: object) -> bool:
        suppressions = [self._object(one, "a suppression") for one in self._list(value, "suppressions")]
        return any(one.get("status", "accepted") == "accepted" for one in suppressions)

    def _spot(self, physical: object) -> Spot:
        location = self._object(physical, "physicalLocation")
        artifact = self._object(location.get("artifactLocation"), "artifactLocation")
        region = self._object(location.get("region"), "region")
        first = self._line(region.get("startLine"))
        last = self._line(region.get("endLine")) or first
        # Some tools end a line at the first column of the next.
        if last > first and region.get("endColumn") == 1:
            last -= 1
        offset = region.get("charOffset")
        return Spot(
            uri=_text(artifact.get("uri")),
            base=_text(artifact.get("uriBaseId")),
            artifact=_index(artifact.get("index")),
            first=first,
            last=max(first, last),
            offset=offset if type(offset) is int and offset >= 0 else -1,
        )

    def _line(self, value: object) -> int:
        if value is None:
            return 0
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not 0 <= value < 2**31:
            raise self._wrong(f"its line is {str(value)[:30]}")
        return value

    def _may_count(self, spot: Spot) -> bool:
        if not spot.uri:
            return spot.artifact >= 0
        lines = self._lines.get(_name_of(spot.uri))
        if lines is None:
            return False
        if spot.first > self._ends[_name_of(spot.uri)]:
            return True
        if not spot.first:
            return spot.offset >= 0 or 0 in lines
        if spot.last - spot.first > len(lines):
            return any(spot.first <= line <= spot.last for line in lines)
        return any(line in lines for line in range(spot.first, spot.last + 1))

    def _object(self, value: object, what: str) -> Mapping[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(f"{what} is no object")
        return value

    def _list(self, value: object, what: str) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(f"{what} is no list")
        return value

    def _wrong(self, what: str) -> Exception:
        where = f"in result {self._number} " if self._number else ""
        return self._report.refused(f"it is no SARIF 2.1.0: {where}{what}")


def _security(properties: Mapping[str, Any]) -> str:
    return _text(properties.get("security-severity"))


def _text(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value[:2000] if isinstance(value, str) else ""


def _index(value: object) -> int:
    return value if type(value) is int and value >= 0 else -1


def _name_of(uri: str) -> str:
    return unquote(uri).replace("\\", "/").rpartition("/")[2]
