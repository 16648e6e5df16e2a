"""Changes in disguise and their harmless twins, planned by OpenTofu and Terraform themselves, and how they are judged.

    python -m bench.infra.pairs              judge the plans that are kept, and print the table
    python -m bench.infra.pairs NAME...      what is said of these pairs
    python -m bench.infra.pairs --write      make the plans again, with both tools (they are installed into .cache/)

A pair is a small configuration in `evasions/*.txt`: `<| before | dangerous | harmless |>` are its three versions. The
dangerous one must be said to be medium or more with one of the codes that the pair names, or to be beyond judgement;
of the harmless one nothing above low may be said, and nothing may be left unjudged.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tidegate.facts import Infra
from tidegate.infra.collect import facts_of
from tidegate.infra.judge import judge
from tidegate.infra.plans import read_plan
from tidegate.infra.rules import RULES

if TYPE_CHECKING:
    from tests.infra.world.lab import Cli, Lab

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "tests" / "infra" / "pairs.json.xz"
CLIS = ("opentofu", "terraform")
GRAVE = ("medium", "high", "critical")
UNJUDGED = "cannot-judge"

Twin: TypeAlias = Literal["dangerous", "harmless"]
TWINS: tuple[Twin, ...] = ("dangerous", "harmless")
_CHOICE = re.compile(r"<\|(.*?)\|>", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """One configuration in three versions. `says` are the codes of which one is right for the dangerous one.

    `options` are those of the plan, `hands` what people do to the cloud before it (type, which, values), `forget` what
    is taken out of the state first, `only` the one tool that knows the words.
    """

    name: str
    group: str
    about: str
    says: tuple[str, ...]
    files: Mapping[str, str]
    options: Mapping[str, tuple[str, ...]]
    hands: Mapping[str, tuple[tuple[str, Any, Any], ...]]
    forget: tuple[str, ...] = ()
    only: str = ""

    def version(self, place: int) -> dict[str, str]:
        """The files before (0), dangerous (1) and harmless (2)."""
        return {name: _CHOICE.sub(lambda one: _choice(self, one[1], place), text) for name, text in self.files.items()}


@dataclass(frozen=True)
class Judged:
    """A pair as one tool planned it: what is said of its twins."""

    pair: Pair
    cli: str
    dangerous: Infra
    harmless: Infra

    @property
    def caught(self) -> bool:
        """Whether the dangerous twin is held, and for the right reason."""
        if UNJUDGED in self.pair.says and self.dangerous.unjudged:
            return True
        return any(one.severity in GRAVE and one.code in self.pair.says for one in self.dangerous.effects)

    @property
    def flagged(self) -> bool:
        """Whether the harmless twin is held."""
        return self.harmless.severity in GRAVE or bool(self.harmless.unjudged)


def pairs() -> list[Pair]:
    """Every pair, in the order of the files."""
    paths = sorted((HERE / "evasions").glob("*.txt"))
    parts = ((path.stem, re.split(r"^=== ", path.read_text(), flags=re.MULTILINE)[1:]) for path in paths)
    return [_pair(group, text) for group, texts in parts for text in texts]


def judged() -> Iterator[Judged]:
    """The kept plans, judged."""
    plans = json.loads(lzma.decompress(KEPT.read_bytes()))
    for pair in pairs():
        for cli in CLIS:
            twins = plans.get(pair.name, {}).get(cli)
            if twins is not None:
                yield Judged(pair, cli, *(_facts(twins[twin], f"{pair.name}.{twin}") for twin in TWINS))


def missing() -> list[str]:
    """The pairs of which no plan of a tool is kept that knows their words."""
    plans = json.loads(lzma.decompress(KEPT.read_bytes()))
    wanted = [(pair.name, cli) for pair in pairs() for cli in CLIS if pair.only in ("", cli)]
    return [f"{name} by {cli}" for name, cli in wanted if cli not in plans.get(name, {})]


def main(arguments: list[str]) -> int:
    chosen = [one for one in arguments if not one.startswith("--")]
    if "--write" in arguments:
        write(chosen)
    found = [one for one in judged() if not chosen or one.pair.name in chosen]
    for one in found:
        if chosen or not one.caught or one.flagged:
            _show(one)
    return _table(found)


def write(chosen: list[str]) -> None:
    """Plan all pairs, or those of these names, with both tools and keep the plans."""
    from tests.infra.world.lab import Lab
    from tests.infra.world.tools import install

    kept = json.loads(lzma.decompress(KEPT.read_bytes())) if KEPT.exists() else {}
    known = pairs()
    kept = {pair.name: kept.get(pair.name, {}) for pair in known}
    tools = install()
    clis: tuple[Cli, ...] = ("opentofu", "terraform")
    for cli in clis:
        with Lab(tools, cli) as lab:
            for pair in known:
                if pair.only in ("", cli) and (not chosen or pair.name in chosen):
                    kept[pair.name][cli] = {twin: _plan(lab, pair, twin) for twin in TWINS}
                    print(f"  {cli} {pair.name}", file=sys.stderr)
    text = json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()
    KEPT.write_bytes(lzma.compress(text, preset=9))


# Private


def _choice(pair: Pair, text: str, place: int) -> str:
    parts = re.split(r"(?:^|(?<=\s))\|(?=\s|$)", text)
    if len(parts) != 3:
        raise ValueError(f"{pair.name}: {len(parts)} versions instead of three in {text.strip()!r}")
    return parts[place].strip()


def _pair(group: str, text: str) -> Pair:
    head, _, code = text.partition("\n---\n")
    name, about, *lines = head.splitlines()
    files = re.split(r"^--- (\S+)\n", code, flags=re.MULTILINE)
    options: dict[str, tuple[str, ...]] = {}
    hands: dict[str, list[tuple[str, Any, Any]]] = {}
    words: dict[str, tuple[str, ...]] = {}
    for line in lines:
        if line.startswith("by hand "):
            twin, type_, rest = line.removeprefix("by hand ").split(" ", 2)
            which, end = json.JSONDecoder().raw_decode(rest)
            hands.setdefault(twin, []).append((type_, which, json.loads(rest[end:])))
        elif line.startswith("options "):
            _, twin, *given = line.split()
            options[twin] = tuple(given)
        else:
            key, *values = line.split()
            words[key] = tuple(values)
    return Pair(
        name=name.strip(),
        group=group,
        about=about,
        says=words["says"],
        files={"main.tf": files[0], **dict(zip(files[1::2], files[2::2], strict=True))},
        options=options,
        hands={twin: tuple(done) for twin, done in hands.items()},
        forget=words.get("forget", ()),
        only=" ".join(words.get("only", ())),
    )


def _plan(lab: Lab, pair: Pair, twin: Twin) -> Any:
    lab.clear()
    lab.write(pair.version(0))
    lab.apply()
    for address in pair.forget:
        lab.run("state", "rm", address)
    for type_, which, values in pair.hands.get(twin, ()):
        lab.by_hand(type_, which, values)
    lab.write(pair.version(1 + TWINS.index(twin)))
    return lab.plan(*pair.options.get(twin, ()))


def _facts(plan: Any, name: str) -> Infra:
    return facts_of(judge([read_plan(json.dumps(plan).encode(), f"{name}.json")], RULES, "human"), "human")


def _show(one: Judged) -> None:
    missed, flagged = "" if one.caught else "  NOT CAUGHT", "  FLAGGED" if one.flagged else ""
    print(f"== {one.pair.group}/{one.pair.name} by {one.cli}{missed}{flagged}  ({' '.join(one.pair.says)})")
    for twin, infra in (("dangerous", one.dangerous), ("harmless", one.harmless)):
        for effect in infra.effects:
            print(f"   {twin:9} {effect.severity:8} {effect.code:20} {effect.address}: {effect.reason}")
        for unknown in infra.unjudged:
            print(f"   {twin:9} cannot judge {unknown.address}: {unknown.reason}")


def _table(found: list[Judged]) -> int:
    groups = ["", *dict.fromkeys(one.pair.group for one in found)]
    for group in groups:
        for cli in CLIS:
            mine = [one for one in found if one.cli == cli and group in ("", one.pair.group)]
            caught, flagged = sum(one.caught for one in mine), sum(one.flagged for one in mine)
            print(f"{group or 'all':12} {cli:10} pairs {len(mine):3}  caught {caught:3}  flagged twins {flagged:3}")
    return int(any(one.flagged or not one.caught for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
