"""Tests of Python: which functions are tests, and what pytest and unittest run for them.

Fixtures are found as pytest finds them: in the class, in the module and what it imports, in the `conftest.py` of the
folder and of those above it. A test's parameter means what its fixture gives.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.linking.evaluate import Evaluator
from tidegate.reach.linking.table import FileTable
from tidegate.reach.linking.values import NOTHING, Place, Value, Values, merged
from tidegate.reach.symbols import Definition, Reference

SET_UP = (
    "setUp tearDown setUpClass tearDownClass asyncSetUp asyncTearDown setUpTestData setup_method teardown_method "
    "setup_class teardown_class setup teardown"
).split()
MODULE_SET_UP = ("setup_module", "teardown_module", "setup_function", "teardown_function", "setUpModule")


def is_test_file(path: str) -> bool:
    """Whether pytest, unittest or Django would collect tests from this file."""
    name = path.rpartition("/")[2]
    return name.startswith("test") or name.endswith(("_test.py", "_tests.py"))


def is_test(table: FileTable, number: int) -> bool:
    """Whether the definition is a test: a function or method named test..., not inside another function."""
    definition = table.definitions[number]
    if definition.kind not in ("function", "method") or not definition.name.rpartition(".")[2].startswith("test"):
        return False
    parent = table.definitions[definition.parent]
    return parent.kind in ("module", "class") and is_test_file(table.path)


class Fixtures:
    """Finds fixtures by name. `conftests` are the numbers of the files named conftest.py, by their folder."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._conftests = {
            path.rpartition("/")[0]: number
            for number, path in enumerate(evaluator.paths)
            if path.endswith("conftest.py") and path.rpartition("/")[2] == "conftest.py"
        }
        self._of_file: dict[int, tuple[dict[str, list[Place]], list[Place]]] = {}
        self._rests_on: dict[int, int] = {}
        self._values: dict[Place, Values] = {}

    def hint(self, evaluator: Evaluator, table: FileTable, scope: int, name: str) -> Values:
        """What a parameter of a test or a fixture means: what the fixture of its name gives."""
        if name in ("self", "cls", "request") or not self.takes_fixtures(table, scope):
            return NOTHING
        found: list[Value] = []
        for place in self.find(table, scope, name):
            found.extend(self._given(evaluator, place))
        return merged(found)

    def _given(self, evaluator: Evaluator, place: Place) -> Values:
        table = evaluator.table(place[0])
        if table is None:
            return NOTHING
        generator = "generator" in table.definitions[place[1]].flags
        values = evaluator.returned(place[0], place[1], None)
        return merged([v[1] if generator and v[0] == "l" else v for v in values])

    def takes_fixtures(self, table: FileTable, number: int) -> bool:
        """Whether pytest fills the parameters of this function."""
        return is_test(table, number) or _is_fixture(table.definitions[number])

    def find(self, table: FileTable, scope: int, name: str) -> tuple[Place, ...]:
        """The fixture of this name as the definition sees it; its own name means the one farther out."""
        own = (table.index, scope)
        cls = table.cls[scope]
        if cls >= 0:
            for place in self._evaluator.order((table.index, cls))[0]:
                for found in self._in(place[0])[0].get(name, ()):
                    other = self._evaluator.table(found[0])
                    if other and other.cls[found[1]] == place[1] and found != own:
                        return (found,)
        for number in self._files(table):
            places = [p for p in self._in(number)[0].get(name, ()) if p != own and self._is_free(p)]
            if places:
                self._evaluator.mask |= 1 << number
                return tuple(places[-1:])
        return ()

    def automatic(self, table: FileTable, number: int) -> Iterator[Place]:
        """The fixtures that run for a test without being named."""
        cls = table.cls[number]
        classes = self._evaluator.order((table.index, cls))[0] if cls >= 0 else ()
        for file in (*self._files(table), *{place[0] for place in classes}):
            for place in self._in(file)[1]:
                other = self._evaluator.table(place[0])
                if other is None:
                    continue
                owner = other.cls[place[1]]
                if owner < 0 or (place[0], owner) in classes:
                    yield place

    def _is_free(self, place: Place) -> bool:
        table = self._evaluator.table(place[0])
        return table is not None and table.cls[place[1]] < 0

    def _files(self, table: FileTable) -> Iterator[int]:
        yield table.index
        folder = table.path.rpartition("/")[0]
        while True:
            number = self._conftests.get(folder)
            if number is not None and number != table.index:
                yield number
            if not folder:
                return
            folder = folder.rpartition("/")[0]

    def _in(self, file: int) -> tuple[dict[str, list[Place]], list[Place]]:
        """The fixtures that a file defines or imports, by name, and those that run by themselves."""
        known = self._of_file.get(file)
        if known is None:
            outer, self._evaluator.mask = self._evaluator.mask, 1 << file
            known = self._of_file[file] = ({}, [])
            self._collect(file, *known)
            self._rests_on[file] = self._evaluator.mask
            self._evaluator.mask |= outer
        else:
            self._evaluator.mask |= self._rests_on.get(file, 1 << file)
        return known

    def _collect(self, file: int, by_name: dict[str, list[Place]], automatic: list[Place]) -> None:
        table = self._evaluator.table(file)
        if table is None:
            return
        calls = {r.within: r for r in table.symbols.references if r.kind == "decorate" and "fixture" in r.chain}
        for number, definition in enumerate(table.definitions):
            if _is_fixture(definition):
                name = _fixture_name(definition, calls.get(number))
                by_name.setdefault(name, []).append((file, number))
                if any(a.startswith("autouse") for a in (calls[number].arguments if number in calls else ())):
                    automatic.append((file, number))
        for binding in table.symbols.bindings:
            if binding.kind == "import" and binding.scope == 0:
                self._imported(file, binding.name, binding.value, by_name, automatic)

    def _imported(
        self, file: int, name: str, chain: str, by_name: dict[str, list[Place]], automatic: list[Place]
    ) -> None:
        if name == "*":
            for module in self._evaluator.chain(file, 0, chain.removesuffix(".*")):
                if module[0] == "p":
                    for other in self._evaluator.files_of(module[1], module[2]):
                        theirs, running = self._in(other)
                        for key, places in theirs.items():
                            by_name.setdefault(key, []).extend(places)
                        automatic.extend(running)
            return
        for value in self._evaluator.chain(file, 0, chain):
            if value[0] != "d":
                continue
            table = self._evaluator.table(value[1])
            if table and _is_fixture(table.definitions[value[2]]):
                by_name.setdefault(name, []).insert(0, (value[1], value[2]))


def _is_fixture(definition: Definition) -> bool:
    return definition.kind in ("function", "method") and any(
        d.removesuffix("()").rpartition(".")[2] in ("fixture", "yield_fixture") for d in definition.decorators
    )


def _fixture_name(definition: Definition, call: Reference | None) -> str:
    for argument in call.arguments if call else ():
        if argument.startswith('name="'):
            return argument[6:-1]
    return definition.name.rpartition(".")[2]
