"""What annotations and decorators ask (Spring, JAX-RS, Quarkus, NestJS), and the rules of Spring Security."""

from __future__ import annotations

import re

from tidegate.verify.access.text import Braced
from tidegate.verify.access.values import Guard, Unit, guard_of, opens, put, shown


def read(code: Braced, units: dict[str, Unit]) -> None:
    """Puts the annotated classes and methods of a file to the others, and what rules say of paths."""
    _annotated(code, units)
    if "atchers(" in code.plain or "anyRequest()" in code.plain or "anyExchange()" in code.plain:
        _matchers(code, units)


# Private

_MARK = re.compile(r"@([A-Za-z][\w.]*)")
_HEAD = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|open|override|"
    r"suspend|async|sealed|data|readonly)\s+)*"
    r"(?:(class|interface|object)\s+(\w+)|"
    r"(?:fun\s+)?(?:<[^<>()]*>\s*)?(?:[\w.<\[][\w.<>\[\],?& ]{0,200}?\s{1,200})?(\w+)\s*(?:<[^<>()]*>)?\()"
)
_ASKING = re.compile(
    r"(?i)^(?:PreAuthorize|PostAuthorize|Secured|RolesAllowed|DenyAll|PermitAll|Authenticated|UseGuards|Roles?|Auth\w*|Permissions?\w*|"
    r"RequireP?e?r?m?\w*|Public|SkipAuth\w*|NoAuth\w*|AllowAnonymous\w*|Anonymous\w*|IsPublic|Admin\w*|Has\w*(?:Role|Permission|Authority)\w*|"
    r"Requires?(?:Role|Permission|Auth|User|Guest)\w*|SaCheck\w*|CheckP?e?r?m?\w*|Log|\w*PreAuthorize|Gql\w*Auth\w*|\w*Guard)$"
)
_NONE = frozenset(("Log", "Check", "Require"))


def _annotated(code: Braced, units: dict[str, Unit]) -> None:
    held: tuple[Guard, ...] = ()
    owner, ends, waiting, opened = "", -1, list[Guard](), ""
    at = 0
    while (match := _MARK.search(code.plain, at)) is not None:
        end = match.end()
        if code.plain[end : end + 1] == "(":
            closed = code.close(end, 4_000)
            end = closed + 1 if closed > 0 else end
        name, text = match[1].rpartition(".")[2], code.spoken[match.start() : end]
        if _ASKING.match(name) and name not in _NONE:
            guard = guard_of(text.removeprefix("@"), code.line(match.start()))
            if opens(text.removeprefix("@")):
                opened = shown(text)
            elif guard is not None:
                # What names a role asks nobody without the guard that reads it.
                waiting.append(Guard(shown(text), guard.line, 2 if name == "UseGuards" else guard.level))
        at = end
        rest = re.compile(r"\s*@").match(code.plain, end)
        if rest is not None:
            continue
        head = _HEAD.match(code.plain, end)
        if head is not None and head[2]:
            brace = code.plain.find("{", head.end())
            ends = code.close(brace) if brace >= 0 else -1
            held, owner = tuple(waiting), head[2]
            put(units, Unit(f"class {owner}", owner, code.line(head.start(2)), held, opened))
        elif head is not None and head[3]:
            inside = match.start() < ends
            name = f"{owner}.{head[3]}" if inside else head[3]
            # In Spring what stands at a method replaces what stands at its class; in NestJS both hold. Either asks.
            put(
                units,
                Unit(f"method {name}", name, code.line(head.start(3)), (*waiting, *(held if inside else ())), opened),
            )
        waiting, opened = [], ""


_MATCHER = re.compile(
    r"\.(requestMatchers|antMatchers|mvcMatchers|pathMatchers|regexMatchers|anyRequest|anyExchange)\("
)
_RULE = re.compile(
    r"\s*\.(permitAll|authenticated|fullyAuthenticated|hasRole|hasAnyRole|hasAuthority|hasAnyAuthority|denyAll|access|anonymous|hasIpAddress)\("
)


def _matchers(code: Braced, units: dict[str, Unit]) -> None:
    for match in _MATCHER.finditer(code.plain):
        end = code.close(match.end() - 1, 4_000)
        rule = _RULE.match(code.plain, end + 1) if end > 0 else None
        if rule is None:
            continue
        closed = code.close(rule.end() - 1, 2_000)
        words = code.spoken[rule.start(1) : closed + 1]
        paths = re.findall(r"\"([^\"]*)\"", code.spoken[match.end() : end]) or [
            match[1] if match[1].startswith("any") else code.spoken[match.end() : end]
        ]
        line = code.line(rule.start(1))
        for path in paths:
            guard = (
                None
                if rule[1] in ("permitAll", "anonymous")
                else Guard(shown(words), line, 1 if "uthenticated" in rule[1] else 2)
            )
            put(
                units,
                Unit(
                    f"rule {path}",
                    f"the rule for {shown(path)}",
                    line,
                    (guard,) if guard else (),
                    "" if guard else rule[1],
                ),
            )
