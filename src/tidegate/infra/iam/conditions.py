"""Conditions of a policy statement: read, freed of what is always true, and compared for which is the stricter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.infra.iam.globs import covers, is_wild, meets

Kind: TypeAlias = Literal["exact", "nocase", "glob", "address", "less", "more", "null", "other"]

_KINDS: Mapping[str, tuple[Kind, bool]] = {
    "stringequals": ("exact", True),
    "stringnotequals": ("exact", False),
    "stringequalsignorecase": ("nocase", True),
    "stringnotequalsignorecase": ("nocase", False),
    "stringlike": ("glob", True),
    "stringnotlike": ("glob", False),
    "arnequals": ("glob", True),
    "arnlike": ("glob", True),
    "arnnotequals": ("glob", False),
    "arnnotlike": ("glob", False),
    "ipaddress": ("address", True),
    "notipaddress": ("address", False),
    "bool": ("nocase", True),
    "numericequals": ("exact", True),
    "numericnotequals": ("exact", False),
    "numericlessthan": ("less", True),
    "numericlessthanequals": ("less", True),
    "numericgreaterthan": ("more", True),
    "numericgreaterthanequals": ("more", True),
    "dateequals": ("exact", True),
    "null": ("null", True),
}
_ALWAYS_THERE = {
    "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid", "aws:currenttime", "aws:epochtime",
    "aws:securetransport", "aws:requestedregion", "aws:sourceip", "aws:viaawsservice", "aws:useragent",
}  # fmt: skip


class Condition(Struct, frozen=True):
    """One clause, with one key. `values` are in order. `each` is ForAllValues or ForAnyValue, "" for neither."""

    operator: str
    key: str
    values: tuple[str, ...]
    each: Literal["", "any", "all"] = ""
    if_exists: bool = False
    shown: str = ""

    @property
    def kind(self) -> Kind:
        return _KINDS.get(self.operator, ("other", True))[0]

    @property
    def positive(self) -> bool:
        return _KINDS.get(self.operator, ("other", True))[1]

    @property
    def without_key(self) -> bool:
        """Whether a request that does not have the key at all meets it."""
        if self.kind == "null":
            return "true" in self.values
        return self.if_exists or self.each == "all" or (not self.positive and self.each != "any")

    def __str__(self) -> str:
        return self.shown


def clause(operator: str, key: str, values: Iterable[str]) -> Condition:
    """One clause as it is written: `ForAnyValue:StringLikeIfExists`, `aws:SourceVpc`, its values."""
    lower = operator.strip().lower()
    each: Literal["", "any", "all"] = ""
    if ":" in lower:
        head, _, lower = lower.partition(":")
        each = "all" if head == "forallvalues" else "any"
    kept = tuple(sorted(set(values)))
    shown = f"{operator} {key} {', '.join(kept[:3])}" + (f" and {len(kept) - 3} more" if len(kept) > 3 else "")
    if_exists = lower.endswith("ifexists")
    base = lower.removesuffix("ifexists")
    if _KINDS.get(base, ("other",))[0] == "nocase" or base == "null":
        kept = tuple(sorted({one.lower() for one in kept}))
    return Condition(base, key.strip().lower(), kept, each, if_exists, shown)


def settled(found: Iterable[Condition]) -> tuple[Condition, ...]:
    """Clauses without those that are always met, in one order."""
    kept = {_plain(one) for one in found if not _always(one)}
    return tuple(sorted(kept, key=lambda one: (one.key, one.operator, one.values, one.each, one.if_exists)))


def implies(strict: tuple[Condition, ...], loose: tuple[Condition, ...]) -> bool:
    """Whether every request that meets all of `strict` meets all of `loose`. In doubt it does not."""
    return all(any(_implies(one, other) for one in strict) for other in loose)


# Private


def _identity(one: Condition) -> tuple[Any, ...]:
    return one.operator, one.key, one.values, one.each, one.if_exists


def _implies(strict: Condition, loose: Condition) -> bool:
    if strict.key != loose.key:
        return False
    if _identity(strict) == _identity(loose):
        return True
    if strict.without_key and not loose.without_key:
        return False
    if loose.kind == "null" or strict.kind == "null":
        return not loose.without_key if loose.kind == "null" else "true" in strict.values
    if strict.each == "any" and loose.each == "all":
        return False
    return _values(strict, loose)


def _values(strict: Condition, loose: Condition) -> bool:
    if strict.kind in ("less", "more") or loose.kind in ("less", "more"):
        return _order(strict, loose)
    if "other" in (strict.kind, loose.kind) or ("address" in (strict.kind, loose.kind) and strict.kind != loose.kind):
        return False
    if strict.positive and loose.positive:
        return _all_in(strict, loose.values, loose.kind)
    if strict.positive:
        return not any(_touch(one, other, strict.kind) for one in strict.values for other in loose.values)
    if loose.positive:
        return loose.kind == "glob" and "*" in loose.values
    return _all_in(loose, strict.values, strict.kind)


def _all_in(inner: Condition, outer: tuple[str, ...], kind: Kind) -> bool:
    if kind == "address":
        return _addresses_in(inner.values, outer)
    if kind == "nocase":
        return {one.lower() for one in inner.values} <= set(outer)
    if kind == "glob":
        return all(any(covers(two, one) for two in outer) for one in inner.values)
    wild = inner.kind == "glob" and any(is_wild(one) for one in inner.values)
    return inner.kind != "nocase" and not wild and set(inner.values) <= set(outer)


def _touch(one: str, other: str, kind: Kind) -> bool:
    if kind == "address":
        import ipaddress

        try:
            first, second = (ipaddress.ip_network(text, strict=False) for text in (one, other))
        except ValueError:
            return True
        return first.version == second.version and first.overlaps(second)
    return meets(one.lower(), other.lower())


def _addresses_in(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    import ipaddress

    try:
        wanted = [ipaddress.ip_network(one.strip(), strict=False) for one in inner]
        given = [ipaddress.ip_network(one.strip(), strict=False) for one in outer]
    except ValueError:
        return set(inner) <= set(outer)
    four = list(ipaddress.collapse_addresses(one for one in given if isinstance(one, ipaddress.IPv4Network)))
    six = list(ipaddress.collapse_addresses(one for one in given if isinstance(one, ipaddress.IPv6Network)))
    return all(
        any(one.subnet_of(two) for two in four)
        if isinstance(one, ipaddress.IPv4Network)
        else any(one.subnet_of(two) for two in six)
        for one in wanted
    )


def _order(strict: Condition, loose: Condition) -> bool:
    if strict.kind != loose.kind:
        return False
    try:
        first, second = [float(one) for one in strict.values], [float(one) for one in loose.values]
    except ValueError:
        return False
    if not first or not second:
        return False
    inclusive = strict.operator.endswith("equals") and not loose.operator.endswith("equals")
    if strict.kind == "less":
        return max(first) < max(second) or (max(first) == max(second) and not inclusive)
    return min(first) > min(second) or (min(first) == min(second) and not inclusive)


def _always(one: Condition) -> bool:
    there = one.without_key or one.key in _ALWAYS_THERE
    if one.kind == "null":
        return set(one.values) >= {"true", "false"} or (one.key in _ALWAYS_THERE and one.values == ("false",))
    if not one.positive:
        return not one.values
    if one.kind == "glob":
        return there and any(set(value) == {"*"} for value in one.values)
    if one.kind == "address":
        return there and _addresses_in(("0.0.0.0/0",), one.values)
    return one.operator == "bool" and there and {"true", "false"} <= set(one.values)


def _plain(one: Condition) -> Condition:
    """`StringLike KEY *` asks no more than that the key is there."""
    if one.kind == "glob" and one.positive and any(set(value) == {"*"} for value in one.values):
        return Condition("null", one.key, ("false",), "", False, one.shown)
    return one
