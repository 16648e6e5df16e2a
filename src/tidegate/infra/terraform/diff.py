"""Two sides of a folder's code as a world: what is made, changed, replaced, moved, forgotten and destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Certainty, Place, Unjudged
from tidegate.infra.forcing import forces
from tidegate.infra.graph import Use, Uses, uses_of
from tidegate.infra.kinds import stateful
from tidegate.infra.same import same, show
from tidegate.infra.terraform.addresses import address_of, within
from tidegate.infra.terraform.cleaning import Cleaner
from tidegate.infra.terraform.resolve import called_locally
from tidegate.infra.terraform.stacks import Piece, Stack
from tidegate.infra.terraform.syntax import Block, Literal
from tidegate.infra.terraform.words import Text
from tidegate.infra.values import Hidden, Later, Resource, ResourceChange, Value, World

SOURCE = "terraform code"


class Match(Struct, frozen=True):
    """One resource on both sides, under the address that it has after; one side is None where it is not there."""

    before: Piece | None
    after: Piece | None
    moved_from: str = ""

    @property
    def address(self) -> str:
        piece = self.after or self.before
        return piece.address if piece is not None else ""


def world_of(before: Stack, after: Stack, name: str, environment: str, library: bool) -> World:
    """The world of a folder. `library` folders are called from others: what they make is possible, not likely."""
    cleaner = Cleaner((before, after))
    old = {address: cleaner.clean(piece) for address, piece in before.pieces.items()}
    new = {address: cleaner.clean(piece) for address, piece in after.pieces.items()}
    forgotten, imported = _forgotten(after), _imported(after)
    swapped = swapped_calls(before, after)
    changes: list[ResourceChange] = []
    for match in matched(before, after):
        if any(within(match.address, one) for one in (*swapped, *after.absent)):
            continue
        if change := _change(match, old, new):
            if change.action == "delete" and any(within(change.address, one) for one in forgotten):
                change = replace(change, action="forget")
            elif change.action == "create" and change.address in imported:
                change = replace(change, action="import")
            changes.append(replace(change, certainty="possible") if library else change)
    return World(
        source=SOURCE,
        name=name,
        changes=tuple(sorted(changes, key=lambda one: one.address)),
        before=_resources(before, old),
        after=_resources(after, new),
        uses_before=_uses(before),
        uses_after=_uses(after),
        environment=environment,
    )


def undecided(world: World) -> Iterator[Unjudged]:
    """Attributes that would replace what holds data, where one side is a literal and the other nobody can read."""
    for change in world.changes:
        if change.action != "update" or stateful(change.type) is None or not change.before or not change.after:
            continue
        for name in sorted({*change.before, *change.after}):
            for path, one, other in _paths(name, change.before.get(name), change.after.get(name)):
                if _settled_elsewhere(one, other) and forces(change.type, path) == "always":
                    written = change.spelled.get(path, path)
                    yield Unjudged(
                        change.address,
                        f"{written} {show(one)} -> {show(other)}: where the value is another, {change.address} is "
                        "destroyed and made anew, and the code does not say which it is",
                        mend="judge the plan (--plan)",
                        place=change.place,
                    )


def unsettled(before: Stack, after: Stack) -> Iterator[Unjudged]:
    """What holds data and stands as often as something says that nobody can read here, and that changes."""
    for match in matched(before, after):
        old, new = match.before, match.after
        held = stateful(new.type) if new is not None else None
        if old is None or new is None or held is None or held.severity not in ("high", "critical"):
            continue
        if new.repeat == "unsettled" and old.over != new.over:
            yield Unjudged(
                new.address,
                f"whether it stays depends on its {_repeats(new.block)}, which changes and which the code does not"
                f" settle; where that comes to nothing, {new.address} is destroyed with {held.holds}",
                mend="judge the plan (--plan)",
                place=new.place,
            )
    for address in swapped_calls(before, after):
        lost = [
            piece.address
            for piece in before.pieces.values()
            if within(piece.address, address)
            and (held := stateful(piece.type))
            and held.severity in ("high", "critical")
        ]
        if lost and called_locally(before.sources[address][0]):
            yield Unjudged(
                address,
                f"its source is elsewhere from now on, so nobody can see here whether {', '.join(lost[:3])} stays",
                mend="judge the plan (--plan)",
                place=Place(before.pieces[lost[0]].block.path),
            )


def swapped_calls(before: Stack, after: Stack) -> tuple[str, ...]:
    """Calls whose source lies in this tree on one side alone: what they make can be seen there and not here."""
    return tuple(
        address
        for address, (source, _) in after.sources.items()
        if address in before.sources and called_locally(source) != called_locally(before.sources[address][0])
    )


def matched(before: Stack, after: Stack) -> Iterator[Match]:
    """Every resource of either side with what it is on the other, as Terraform would take them for one."""
    moves = _moves(after)
    taken: set[str] = set()
    bases: dict[str, list[Piece]] = {}
    for piece in after.pieces.values():
        bases.setdefault(piece.base, []).append(piece)
    for old in before.pieces.values():
        target = _moved(old.address, moves)
        found = after.pieces.get(target)
        if found is None or target in taken:
            found = _instance(old, bases.get(old.base, []) if target == old.address else [], taken)
            found = found or _unsettled(target, bases)
        if found is None:
            yield Match(old, None)
            continue
        taken.add(found.address)
        yield Match(old, found, old.address if found.base != old.base else "")
    for piece in after.pieces.values():
        if piece.address not in taken and not _one_of_many(piece, before):
            yield Match(None, piece)


# Private


def _instance(old: Piece, candidates: list[Piece], taken: set[str]) -> Piece | None:
    """The instance that Terraform takes for this one though its key is another, or that nobody can tell from it."""
    if not candidates:
        return None
    new = candidates[0]
    if "unsettled" in (old.repeat, new.repeat):
        return new
    first = old.repeat == "number" and old.address.endswith("[0]") and new.repeat == "once"
    if first or (old.repeat == "once" and new.repeat == "number"):
        return new if new.address not in taken else None
    return None


def _unsettled(target: str, bases: Mapping[str, list[Piece]]) -> Piece | None:
    """What a moved block names by a key (`a.b[0]`) where code does not settle which instances there are."""
    candidates = bases.get(target[: target.rindex("[")], []) if target.endswith("]") else []
    return candidates[0] if candidates and candidates[0].repeat == "unsettled" else None


def _one_of_many(piece: Piece, before: Stack) -> bool:
    """Whether instances stand now where code did not settle before which there are."""
    old = before.pieces.get(piece.base)
    return old is not None and old.repeat == "unsettled"


def _change(
    match: Match, old: Mapping[str, dict[str, Value]], new: Mapping[str, dict[str, Value]]
) -> ResourceChange | None:
    before, after = match.before, match.after
    piece = after or before
    if piece is None:
        return None
    certainty: Certainty = "possible" if piece.repeat == "unsettled" else "likely"
    place = Place("", 0) if after is None else after.place
    if before is None or after is None:
        return ResourceChange(
            piece.address,
            piece.type,
            "create" if before is None else "delete",
            old[before.address] if before is not None else None,
            new[after.address] if after is not None else None,
            certainty=certainty,
            # Lines count at the head, where a file may still stand that lost the block.
            place=place if after is not None else Place(piece.place.path),
            why="" if after is not None else "the block is no longer in the code",
            spelled=piece.spelled,
        )
    if before.block.broken or after.block.broken:
        return None
    was, is_ = old[before.address], new[after.address]
    if before.type != after.type:
        return ResourceChange(
            after.address,
            before.type,
            "replace",
            was,
            is_,
            forced_by=("source",),
            why=f"it makes {after.type} from now on",
            certainty="possible",
            place=place,
            spelled=before.spelled,
        )
    differing = [name for name in sorted({*was, *is_}) if not _alike(was.get(name), is_.get(name))]
    if not differing and not match.moved_from:
        return None
    forced = tuple(path for name in differing for path in _forcing(after.type, name, was.get(name), is_.get(name)))
    change = ResourceChange(
        after.address,
        after.type,
        "replace" if forced else "update" if differing else "no-op",
        was,
        is_,
        forced_by=forced,
        create_first=_creates_first(after.block),
        moved_from=match.moved_from,
        certainty=certainty,
        place=place,
        spelled={**before.spelled, **after.spelled},
    )
    if forced and not any(_sure(after.type, path, was, is_) for path in forced):
        return replace(change, certainty="possible")
    return change


def _alike(before: Value, after: Value) -> bool:
    """Whether a plan would show nothing. What is only known per instance is not compared with what is known."""
    if same(before, after):
        return True
    texts = [one.words for one in (before, after) if isinstance(one, Later)]
    return len(texts) == 1 and any(word in texts[0] for word in ("each.", "count.index"))


def _forcing(type_: str, name: str, before: Value, after: Value) -> Iterator[str]:
    for path, one, other in _paths(name, before, after):
        if forces(type_, path) in ("always", "conditionally") and not _settled_elsewhere(one, other):
            yield path


def _settled_elsewhere(before: Value, after: Value) -> bool:
    """Whether a literal became a name or the other way round: the same value, nearly always, written elsewhere."""
    return isinstance(before, Later) != isinstance(after, Later) and None not in (before, after)


def _paths(path: str, before: Value, after: Value) -> Iterator[tuple[str, Value, Value]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if not same(before.get(key), after.get(key)):
                yield from _paths(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            if not same(one, other):
                yield from _paths(f"{path}.{place}", one, other)
    elif not isinstance(after, Hidden) or not isinstance(before, Hidden) or before != after:
        yield path, before, after


def _sure(type_: str, path: str, was: Mapping[str, Value], is_: Mapping[str, Value]) -> bool:
    """Whether the values differ whatever the names in them stand for, and the type is replaced for it always."""
    if forces(type_, path) != "always":
        return False
    name = path.partition(".")[0]
    before, after = was.get(name), is_.get(name)
    named = [one for one in (before, after) if isinstance(one, Later)]
    return not named or (len(named) == 2 and all(isinstance(one, Text) for one in named))


def _creates_first(block: Block) -> bool:
    return any(inner.attributes.get("create_before_destroy") == Literal(True) for inner in block.inner("lifecycle"))


def _moves(after: Stack) -> dict[str, str]:
    found = {}
    for call in after.calls:
        if call.block.kind == "moved":
            from_, to = (address_of(call.block.attributes.get(name)) for name in ("from", "to"))
            if from_ and to and not _unlike(from_, to):
                found[call.address + from_] = call.address + to
    return found


def _repeats(block: Block) -> str:
    return "count" if "count" in block.attributes else "for_each"


def _unlike(from_: str, to: str) -> bool:
    """Whether a block moves what holds data to another type, which Terraform refuses nearly always."""
    old, new = _type(from_), _type(to)
    return bool(old and new) and old != new and stateful(old) is not None


def _type(address: str) -> str:
    parts = address.partition("[")[0].split(".")
    return "" if len(parts) < 2 or parts[-2] == "module" else parts[-2]


def _moved(address: str, moves: Mapping[str, str]) -> str:
    """Where a resource is now: moved itself, or with the module or the resource that it is an instance of."""
    for _ in range(len(moves)):
        ends = [place for place, sign in enumerate(address) if sign in ".["]
        head = next((address[:end] for end in (*ends, len(address)) if address[:end] in moves), None)
        if head is None:
            return address
        address = moves[head] + address[len(head) :]
    return address


def _forgotten(after: Stack) -> tuple[str, ...]:
    return tuple(
        call.address + address_of(call.block.attributes.get("from"))
        for call in after.calls
        if call.block.kind == "removed"
        and any(inner.attributes.get("destroy") == Literal(False) for inner in call.block.inner("lifecycle"))
    )


def _imported(after: Stack) -> frozenset[str]:
    blocks = (call for call in after.calls if call.block.kind == "import")
    return frozenset(call.address + address_of(call.block.attributes.get("to")) for call in blocks)


def _resources(stack: Stack, values: Mapping[str, dict[str, Value]]) -> dict[str, Resource]:
    return {
        address: Resource(address, piece.type, values[address], piece.place) for address, piece in stack.pieces.items()
    }


def _uses(stack: Stack) -> Uses:
    instances: dict[str, list[str]] = {}
    for piece in stack.pieces.values():
        instances.setdefault(piece.base, []).append(piece.address)
    return uses_of(
        Use(piece.address, used, through)
        for piece in stack.pieces.values()
        for through, bases in piece.trail.items()
        for base in bases
        for used in instances.get(base, ())[:_MOST_INSTANCES]
    )


_MOST_INSTANCES = 20
