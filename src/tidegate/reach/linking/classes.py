"""Classes: where each is written, which may be several places, and in which order its members are looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.linking.table import FileTable
from tidegate.reach.linking.values import CLASS_KINDS, Place, Values
from tidegate.reach.symbols import Binding

if TYPE_CHECKING:
    from tidegate.reach.linking.evaluate import Evaluator

_ROOTS = frozenset(["object", "Generic", "t.Generic", "typing.Generic", "Protocol"])


class Classes:
    """Answers for the classes of an evaluator's files. `running` is what is being evaluated now."""

    def __init__(self, evaluator: Evaluator, running: set[object]) -> None:
        self._evaluator = evaluator
        self._running = running
        self._orders: dict[Place, tuple[tuple[Place, ...], bool, int]] = {}
        self._wholes: dict[Place, tuple[Place, int]] = {}
        self._parts: dict[Place, tuple[tuple[Place, ...], int]] = {}

    def whole(self, place: Place) -> Place:
        """The class that a part of it in another file belongs to; the place itself where it is no part."""
        known = self._wholes.get(place)
        if known is not None:
            self._evaluator.mask |= known[1]
            return known[0]
        table = self._evaluator.table(place[0])
        if table is None:
            return place
        if self._evaluator.languages[place[0]].open_world:
            same = self._same_name(place, table)
            found = same[0] if same else place
            mask = 1 << place[0] | 1 << found[0]
            self._wholes[place] = (found, mask)
            self._evaluator.mask |= mask
        elif place[1] in table.partial:
            key = ("whole", place)
            if key in self._running:
                return place
            self._running.add(key)
            outer, self._evaluator.mask = self._evaluator.mask, 1 << place[0]
            found = self._whole(place, table)
            self._running.discard(key)
            self._wholes[place] = (found, self._evaluator.mask)
            self._evaluator.mask |= outer
        else:
            found = place
        return found

    def _whole(self, place: Place, table: FileTable) -> Place:
        file, definition = place[0], table.definitions[place[1]]
        name, scope = definition.name.rpartition(".")[2], max(definition.parent, 0)
        values: Values = ()
        for entry in table.names.get((scope, name), ()):
            if isinstance(entry, Binding):
                values += self._evaluator.chain(file, entry.within, entry.value)
        if not values and definition.bases and definition.bases[0].rpartition(".")[2] == name:
            values = self._evaluator.chain(file, scope, definition.bases[0])
        if not values and scope in table.stars:
            values = self._evaluator.from_stars(file, table.stars[scope], name)
        values = values or self._evaluator.around.find(table, file, name)
        return next(((v[1], v[2]) for v in values if v[0] == "c"), place)

    def _same_name(self, place: Place, table: FileTable) -> list[Place]:
        """The classes of this name where one class may be written in several files."""
        found = []
        for other in self._evaluator.world.get(
            (self._evaluator.languages[place[0]].name, table.definitions[place[1]].name), ()
        ):
            theirs = self._evaluator.table(other[0])
            if theirs is not None and theirs.definitions[other[1]].kind in CLASS_KINDS:
                found.append(other)
        return found

    def parts(self, whole: Place) -> tuple[Place, ...]:
        """Every place where the class is written, the whole one first."""
        known = self._parts.get(whole)
        if known is None:
            outer, self._evaluator.mask = self._evaluator.mask, 0
            found = self._find_parts(whole)
            for place in found:
                self._evaluator.mask |= 1 << place[0]
            known = self._parts[whole] = (found, self._evaluator.mask)
            self._evaluator.mask = outer
        self._evaluator.mask |= known[1]
        return known[0]

    def _find_parts(self, whole: Place) -> tuple[Place, ...]:
        table = self._evaluator.table(whole[0])
        if table is None:
            return (whole,)
        language = self._evaluator.languages[whole[0]]
        if language.open_world:
            return tuple(dict.fromkeys([whole, *self._same_name(whole, table)]))
        found = [whole]
        name = table.definitions[whole[1]].name.rpartition(".")[2]
        for file in self._evaluator.partial.get((language.name, name), ()):
            theirs = self._evaluator.table(file)
            for index in theirs.partial if theirs is not None else ():
                place = (file, index)
                same = theirs and theirs.definitions[index].name.rpartition(".")[2] == name
                if same and place != whole and self.whole(place) == whole:
                    found.append(place)
        return tuple(found)

    def order(self, place: Place) -> tuple[tuple[Place, ...], bool]:
        """The classes that a member is looked up in, the own one first, and whether some base is not known here."""
        known = self._orders.get(place)
        if known is not None:
            self._evaluator.mask |= known[2]
            return known[0], known[1]
        table = self._evaluator.table(place[0])
        if table is None:
            return (place,), True
        whole = self.whole(place)
        key = ("order", whole)
        if key in self._running:
            return (whole,), False
        self._running.add(key)
        outer, self._evaluator.mask = self._evaluator.mask, 1 << place[0]
        parts = self.parts(whole)
        found = list(parts)
        external = False
        for part in parts:
            self._evaluator.mask |= 1 << part[0]
            external = self._inherit(part, parts, found) or external
        self._running.discard(key)
        answer = tuple(dict.fromkeys(found))
        self._orders[place] = (answer, external, self._evaluator.mask)
        self._evaluator.mask |= outer
        return answer, external

    def _inherit(self, part: Place, parts: tuple[Place, ...], found: list[Place]) -> bool:
        """Adds what the bases of one part of a class bring; whether some base is not known here."""
        table = self._evaluator.table(part[0])
        if table is None:
            raise LookupError(part)
        definition = table.definitions[part[1]]
        external = False
        for base in definition.bases:
            values = (
                [v for v in self._evaluator.chain(part[0], max(definition.parent, 0), base) if v[0] in "ciy"]
                if base
                else []
            )
            classes = [v for v in values if v[0] == "c"]
            if not classes:
                external = external or base not in _ROOTS
            for value in classes:
                if (value[1], value[2]) in parts:
                    continue
                above, more = self.order((value[1], value[2]))
                external = external or more
                found[:] = [*[p for p in found if p not in above or p in parts], *above]
        return external
