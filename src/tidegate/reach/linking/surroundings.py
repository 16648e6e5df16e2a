"""What a file sees without an import: its package (Go, Java), or everything that is taken in or there (Ruby, C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.linking.table import FileTable
from tidegate.reach.linking.values import NOTHING, WIDTH, Place, Values, merged

if TYPE_CHECKING:
    from tidegate.reach.linking.evaluate import Evaluator


class Surroundings:
    """Finds names of an evaluator's files that these do not have themselves."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._packages: dict[tuple[int, ...], tuple[dict[str, list[int]], int]] = {}
        self._visible: dict[int, tuple[int, ...]] = {}
        self._taken: dict[int, tuple[frozenset[int], int]] = {}

    def find(self, table: FileTable, file: int, name: str) -> Values:
        """A name that the file itself does not have: seen through the package or the whole world."""
        language = self._evaluator.languages[file]
        package = self._visible.get(file)
        if package is None:
            layout = self._evaluator.layouts.get(language.name)
            seen = layout.visible(table.path) if layout is not None else ()
            others = sorted(self._evaluator.number[path] for path in seen if path in self._evaluator.number)
            package = self._visible[file] = tuple(sorted({file, *others})) if others else ()
        if package:
            found = self.of_package(package, name)
            if found:
                return found
        return self._of_world(file, name) if language.open_world else NOTHING

    def _of_world(self, file: int, name: str) -> Values:
        """A name that any file may give. Where several do, those that this one takes in are meant."""
        places = self._evaluator.world.get((self._evaluator.languages[file].name, name), ())
        if len(places) > 1:
            taken = self._takes_in(file)
            near = [place for place in places if place[0] in taken]
            if any(not self._is_declared_only(place) for place in near):
                places = tuple(near)
        files = dict.fromkeys(place[0] for place in places)
        return merged([value for other in list(files)[:WIDTH] for value in self._evaluator.module_name(other, name)])

    def _is_declared_only(self, place: Place) -> bool:
        table = self._evaluator.table(place[0])
        return table is None or "abstract" in table.definitions[place[1]].flags

    def _takes_in(self, file: int) -> frozenset[int]:
        """The files that a file includes or requires, and what these do."""
        known = self._taken.get(file)
        if known is None:
            found, waiting = {file}, [file]
            while waiting:
                at = waiting.pop()
                table = self._evaluator.table(at)
                for star in table.stars.get(0, ()) if table is not None else ():
                    spec = star.value[1:-3] if star.value.endswith(">.*") else ""
                    for other in self._evaluator.files_of(spec, at) if spec else ():
                        if other not in found:
                            found.add(other)
                            waiting.append(other)
            mask = 0
            for number in found:
                mask |= 1 << number
            known = self._taken[file] = (frozenset(found), mask)
        self._evaluator.mask |= known[1]
        return known[0]

    def of_package(self, files: tuple[int, ...], name: str) -> Values:
        """A name that one of these files declares. What the others import is their own affair."""
        known = self._packages.get(files)
        if known is None:
            known = self._packages[files] = self._package(files)
        bearers = known[0].get(name)
        if bearers is None:
            self._evaluator.mask |= known[1]
            return NOTHING
        return merged([value for bearer in bearers for value in self._evaluator.module_name(bearer, name)])

    def _package(self, files: tuple[int, ...]) -> tuple[dict[str, list[int]], int]:
        names: dict[str, list[int]] = {}
        mask = 0
        for file in files:
            table = self._evaluator.table(file)
            mask |= 1 << file
            for name in table.declared() if table is not None else ():
                names.setdefault(name, []).append(file)
        return names, mask
