"""Mutates plans and reads them: each is read or refused in one line, and what is broken is never said to be fine.

    python -m tests.infra.fuzz --runs 100000 --seed 1 [--judge]

`--judge` asks every rule too. The plans are our own, and those of the corpus where TIDEGATE_DATA names it.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.infra.plan_texts import change, document, same, shop, state
from tidegate.errors import InputError
from tidegate.infra.judge import judge
from tidegate.infra.plans import read_plan
from tidegate.infra.rules import RULES
from tidegate.infra.values import Found

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**70, 1.5, "", "x", "x" * 3000, "\u0000", "é\ud83d\ude00", [], {}, [[]], {"a": {}}),
    *([None], [False], [True], {"": ""}, "[", "{}", '{"password": "p"}', "${x}", "no-op", ["delete"], "module.", "a[0"),
    *("1e999", "-----BEGIN PRIVATE KEY-----", "a.b[", ["x", 1, {}], {"references": ["var.x", "module.y"]}),
)
UNSURE = ({"errored": True}, {"complete": False})


def seeds() -> list[dict[str, Any]]:
    """The plans to start from; large ones cut down to a few resources."""
    found = [shop(), document([change("aws_x.y", "create", None, {"name": "n"}), same("aws_z.a", {"id": "1"})])]
    found.append(document([change("a_b.c", "forget", {"id": "i"})], [state("a_b.c", {"id": "i"})], complete=False))
    folder = Path(os.environ.get("TIDEGATE_DATA", "")) / "iac"
    for path in sorted(folder.glob("tfplans/*.json")) + sorted(folder.glob("generated/plans_*/*.json")):
        plan = json.loads(path.read_text("utf-8-sig"))
        changing = [one for one in plan["resource_changes"] if one["change"]["actions"] != ["no-op"]]
        plan["resource_changes"] = changing[:4] + plan["resource_changes"][:2]
        kept = {one.get("address") for one in plan["resource_changes"]}
        for part in (plan.get("prior_state", {}).get("values", {}), plan.get("planned_values", {})):
            root = part.get("root_module", {})
            root["resources"] = [one for one in root.get("resources", []) if one["address"] in kept]
        root = plan.get("configuration", {}).get("root_module", {})
        root["resources"] = root.get("resources", [])[:8]
        found.append(plan)
    return found


def mutated(plan: dict[str, Any], random_: random.Random) -> tuple[bytes, bool]:
    """A mutation of a plan as a file, and whether it says of itself that it is not whole."""
    plan = copy.deepcopy(plan)
    for _ in range(random_.choice((0, 1, 1, 2, 3, 8))):
        with suppress(RecursionError):  # what is nested by one mutation may be too deep for the next to copy
            _mutate(plan, random_)
    unsure = random_.random() < 0.2
    if unsure:
        for key, value in random_.choice(UNSURE).items():
            plan[key] = value
    try:
        raw = json.dumps(plan, ensure_ascii=random_.random() < 0.5).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b'{"resource_changes":' + b"[" * 3000 + b"]" * 3000 + b"}", False
    if random_.random() < 0.3:
        return _broken(raw, random_), False
    return raw, unsure


def read(raw: bytes, unsure: bool, judged: bool = False) -> str:
    """What became of a plan: `read` or `refused`. Raises AssertionError for anything that must not be."""
    try:
        found = read_plan(raw, "plan.json")
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "\n" not in refused, "an error is one line"
        assert refused.startswith("plan.json: "), "an error says where"
        return "refused"
    assert isinstance(found, Found)
    repr(found)
    if unsure:
        assert found.unjudged, "a plan that is not whole is never judged without a word"
    if judged:
        judgement = judge([found], RULES, "human")
        assert judgement.unjudged or not unsure
    return "read"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args(arguments)
    random_ = random.Random(given.seed)
    plans, seen, failures = seeds(), Counter[str](), 0
    for _ in range(given.runs):
        raw, unsure = mutated(random_.choice(plans), random_)
        try:
            seen[read(raw, unsure, given.judge)] += 1
        except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
            failures += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            seen[f"failed: {type(error).__name__} {Path(place.filename).name}:{place.lineno} {str(error)[:80]}"] += 1
    for words, count in seen.most_common():
        sys.stdout.write(f"{count:8d}  {words}\n")
    return 1 if failures else 0


# Private


def _mutate(plan: Any, random_: random.Random) -> None:
    places = list(_places(plan))
    holder, key = random_.choice(places)
    kind = random_.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        other, place = random_.choice(places)
        holder[key] = copy.deepcopy(other[place])
    elif kind == 2 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == 3 and isinstance(holder, dict):
        holder[random_.choice(("", "x", "address", "password", "references", key + "x"))] = holder.pop(key)
    elif kind == 4:
        nested = copy.deepcopy(holder[key])
        for _ in range(random_.choice((1, 3, 50, 90, 400))):
            nested = [nested] if random_.random() < 0.5 else {"n": nested}
        holder[key] = nested
    else:
        holder[key] = copy.deepcopy(random_.choice(ODD))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])


def _broken(raw: bytes, random_: random.Random) -> bytes:
    kind, place = random_.randrange(9), random_.randrange(len(raw))
    end = min(len(raw), place + random_.choice((1, 2, 9, 300)))
    if kind == 0:
        return raw[:place]
    if kind == 1:
        return raw[:place] + raw[end:]
    if kind == 2:
        return raw[:place] + bytes(random_.randrange(256) for _ in range(end - place)) + raw[end:]
    if kind == 3:
        return raw[:place] + raw[place:end] * 2 + raw[end:]
    if kind == 4:
        return raw[:place] + random_.choice((b"\0", b"\xff", b"1e400", b"NaN", b"9" * 5000, b"[" * 5000)) + raw[place:]
    if kind == 5:
        return raw + random_.choice((b"\0", b"\n", b"{}", b"\xef\xbb\xbf"))
    text = raw.decode("utf-8", "replace")
    return text.encode(("utf-16", "utf-16-le", "utf-16-be")[kind - 6])[: random_.choice((None, None, 2 * place + 1))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
