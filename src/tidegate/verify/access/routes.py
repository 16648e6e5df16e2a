"""What asks before routes that a call registers (Express, Fastify, Koa, Hono, gin, echo, chi, net/http), and in the
bodies of the functions of such files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.change.guards import ASKS, NO_QUESTION
from tidegate.verify.access.text import LONGEST_CALL, Braced
from tidegate.verify.access.values import Guard, Unit, guard_of, level_of, opens, put, shown


def read(code: Braced, units: dict[str, Unit]) -> None:
    """Puts the routes, procedures and asking functions of a file to the others."""
    wide = _wide(code)
    groups = _groups(code)
    for match in _CALL.finditer(code.plain):
        opened = match.end() - 1
        end = code.close(opened, LONGEST_CALL)
        if end > 0:
            _route(code, match, list(code.arguments(opened, end)), (wide, groups), units)
    for match in _CHAIN.finditer(code.plain):
        _chain(code, match, wide, units)
    for match in _PROCEDURE.finditer(code.plain):
        guard = guard_of(match[2], code.line(match.start(2)))
        name = shown(match[1])
        put(
            units,
            Unit(f"procedure {name}", f"the procedure {name}", code.line(match.start()), (guard,) if guard else ()),
        )
    _functions(code, units)


# Private

_Wide = dict[str, list[tuple[int, Guard]]]
_Groups = list[tuple[int, int, tuple[Guard, ...], str]]
_VERB = r"get|post|put|patch|delete|del|all|any|head|options|handle|handlefunc|handler|route|use|register|resource"
_CALL = re.compile(
    rf"(?i)(?<![\w$.])([\w$]+(?:\.[\w$]+|\.With\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\))*)\.({_VERB})\s*(?:<[^>()\n]*>)?\((?=\s*[\"'`])"
)
_CHAIN = re.compile(r"(?<![\w$])([\w$]+)\.route\(")
_USE = re.compile(r"(?<![\w$.])([\w$]+)\.(?:use|Use|addHook|UseBefore)\(")
_GROUP = re.compile(r"(?<![\w$.])([\w$]+)\.(?:Group|group|Route|PathPrefix)\(")
_ASSIGNED = re.compile(r"(?:const|let|var)?\s*([\w$]+)\s*:?=\s*$")
_PROCEDURE = re.compile(r"(?m)^\s*([\w$]+)\s*:\s*(\w*[pP]rocedure)\b")
_NO_HANDLER = re.compile(r"=>|\bfunction\b|\bfunc\s*\(|\{\s*$")
_HEADERS = re.compile(r"(?i)\bheaders?\b|withCredentials|\bparams\s*:|\bbody\s*:")


def _wide(code: Braced) -> _Wide:
    """What each router asks before all of its routes: `router.use(requireAuth)`."""
    found: _Wide = {}
    for match in _USE.finditer(code.plain):
        end = code.close(match.end() - 1, LONGEST_CALL)
        arguments = list(code.arguments(match.end() - 1, end)) if end > 0 else []
        if arguments and match[0].endswith("addHook("):
            arguments = arguments[1:]
        if not arguments or arguments[0][0][:1] in "\"'`":
            continue
        for text, at in arguments:
            if len(text) <= 200 and not _NO_HANDLER.search(text) and (guard := guard_of(text, code.line(at))):
                found.setdefault(match[1], []).append((match.start(), guard))
    return found


def _groups(code: Braced) -> _Groups:
    """The spans of groups of routes with what they ask, and the names that groups are given."""
    found: _Groups = []
    for match in _GROUP.finditer(code.plain):
        end = code.close(match.end() - 1)
        if end < 0:
            continue
        guards = tuple(_asking(code, list(code.arguments(match.end() - 1, end))))
        start = code.plain.rfind("\n", 0, match.start()) + 1
        named = _ASSIGNED.search(code.plain[start : match.start()])
        found.append((match.end(), end, guards, named[1] if named else ""))
    return found


def _asking(code: Braced, arguments: list[tuple[str, int]]) -> Iterator[Guard]:
    for text, at in arguments:
        if text[:1] in "\"'`" or (_NO_HANDLER.search(text) and not text.startswith(("{", "["))):
            continue
        if text.startswith("{"):
            hooks = re.findall(
                r"(?:preHandler|onRequest|preValidation|beforeHandler|middlewares?|config)\s*:\s*(\[[^\]]*\]|[\w.$]+(?:\([^)]*\))?|\{[^}]*\})",
                text,
            )
            text = " ".join(hooks)
        if text and len(text) <= 400 and (guard := guard_of(text, code.line(at))) is not None:
            yield guard


def _route(
    code: Braced,
    match: re.Match[str],
    arguments: list[tuple[str, int]],
    around: tuple[_Wide, _Groups],
    units: dict[str, Unit],
) -> None:
    wide, groups = around
    if len(arguments) < 2 or _HEADERS.search(arguments[1][0][:200]):
        return
    path = arguments[0][0].strip("\"'`")
    if not (path.startswith("/") or path in ("", "*") or re.match(r"(?:GET|POST|PUT|PATCH|DELETE) /", path)):
        return
    receiver = match[1].split(".")[0]
    own = list(_asking(code, arguments[1:-1]))
    last, at = arguments[-1]
    wrapper = re.match(r"([\w.$]+)\(", last)
    if wrapper and not _NO_HANDLER.match(last) and (guard := guard_of(wrapper[1], code.line(at))) is not None:
        own.append(guard)
    elif match[2].lower() == "use" or not _NO_HANDLER.search(last):
        own += _asking(code, [arguments[-1]]) if match[2].lower() == "use" else []
    if match[2].lower() == "use" and len(arguments) == 2 and own:
        own = own[:1]
    with_ = re.search(r"\.With\((.*)\)$", match[1])
    if with_ and (guard := guard_of(with_[1], code.line(match.start()))):
        own.append(guard)
    if "=>" in last or "func" in last[:12]:
        own += _inside(code, at, at + len(last))
    held = [guard for at_, guard in wide.get(receiver, ()) if at_ < match.start()]
    for start, end, guards, name in groups:
        if start <= match.start() < end or (name and name == receiver):
            held += guards
    key = f"{match[2].upper()} {path}"
    opened = next((text for text, _ in arguments[1:-1] if len(text) < 80 and opens(text)), "")
    put(units, Unit(f"{receiver} {key}", key, code.line(match.start()), (*own, *held), opened))


def _chain(code: Braced, match: re.Match[str], wide: _Wide, units: dict[str, Unit]) -> None:
    """`router.route("/x").get(auth, handler).post(...)`."""
    end = code.close(match.end() - 1, LONGEST_CALL)
    path = code.spoken[match.end() : end].strip().strip("\"'`")
    held = [guard for at, guard in wide.get(match[1], ()) if at < match.start()]
    while end > 0:
        verb = re.compile(r"\s*\.(get|post|put|patch|delete|all)\(").match(code.plain, end + 1)
        if verb is None:
            return
        end = code.close(verb.end() - 1, LONGEST_CALL)
        if end < 0:
            return
        arguments = list(code.arguments(verb.end() - 1, end))
        own = tuple(_asking(code, arguments[:-1]))
        key = f"{verb[1].upper()} {path}"
        put(units, Unit(f"{match[1]} {key}", key, code.line(verb.start(1)), (*own, *held)))


_FUNCTION = re.compile(
    r"(?m)^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s+(\w+)\s*\(|"
    r"^(?:export\s+)?(?:const|let|var)\s+(\w+)\s*(?::[^=\n]{1,80})?=\s*(?:async\s*)?\(|"
    r"^func\s+(?:\([^)\n]*\)\s*)?(\w+)\s*(?:\[[^\]\n]*\])?\("
)
_WRAPPED = re.compile(r"(?m)^export\s+(?:default\s+(?=\w+\()|(?:const|let)\s+(\w+)\s*(?::[^=\n]{1,80})?=\s*)(\w+)\(")
_NAMED_GUARD = re.compile(
    r"(?i)^(?:is_?(?:admin|auth\w*|owner|allowed|logged_?in|superuser)|(?:require|ensure|check|verify|authenticate|authori[sz]e|"
    r"protect)\w*(?:auth|perm|access|admin|owner|role|login|user|token|session|api_?key)?\w*|\w*auth_?(?:middleware|guard|required)|"
    r"has_?(?:role|permission|access)\w*|can_?(?:view|edit|delete|access|manage)\w*|middleware)$"
)
_REFUSES = re.compile(
    r"\b40[13]\b|Unauthori[sz]ed|Forbidden|FORBIDDEN|UNAUTHORIZED|\bthrow\b|return\s+false|"
    r"redirect\(|\bAbort\w*\(|next\(\s*\w|return\s+\w*[eE]rr"
)
_STATED = re.compile(
    r"(?m)^[ \t]*(?:await\s+|if\s+\w+\s*:?=\s*|if\s+!?\(?\s*!?(?:await\s+)?|"
    r"(?:const|let|var)?\s*[\w{}, ]*\s*:?=\s*(?:await\s+)?)?"
    r"((?:\w+\.)*(?:require|ensure|verify|check|assert|enforce|authori[sz]e)\w*"
    r"(?:[Aa]uth|[Pp]erm|[Aa]ccess|[Aa]dmin|[Oo]wner|[Rr]ole|[Ll]ogin|[Ss]ession|[Uu]ser)\w*)\("
)
_BODY = 2_500


def _functions(code: Braced, units: dict[str, Unit]) -> None:
    for match in _FUNCTION.finditer(code.plain):
        name = match[1] or match[2] or match[3]
        end = code.close(match.end() - 1, LONGEST_CALL)
        opened = code.plain.find("{", end, end + 300) if end > 0 else -1
        if opened < 0:
            continue
        closed = code.close(opened, 60_000)
        if closed < 0:
            continue
        # A type after the parameters may have braces of its own: the body is the next one then.
        more = re.compile(r"\s*(?:>|\))*\s*(?:=>)?\s*\{").match(code.plain, closed + 1)
        if more is not None:
            opened, closed = more.end() - 1, code.close(more.end() - 1, 60_000)
        body = code.spoken[opened : closed + 1]
        refuses = len(_REFUSES.findall(body)) if _NAMED_GUARD.match(name) else None
        put(
            units,
            Unit(f"function {name}", name, code.line(match.start()), tuple(_inside(code, opened, closed)), "", refuses),
        )
    for match in _WRAPPED.finditer(code.plain):
        guard = guard_of(match[2], code.line(match.start(2))) if level_of(match[2]) else None
        name = match[1] or "the default export"
        put(units, Unit(f"export {name}", name, code.line(match.start()), (guard,) if guard else ()))


def _inside(code: Braced, start: int, end: int) -> Iterator[Guard]:
    """What a body asks before it goes on: a condition that turns people away, or a call that does nothing else."""
    stop = min(end, start + _BODY)
    body = code.spoken[start:stop]
    for match in re.finditer(r"\bif\b[^\n{]{3,200}\{?", body):
        then = body[match.end() : match.end() + 160].split("}")[0] + match[0]
        if ASKS.search(match[0]) and not NO_QUESTION.search(match[0]) and _REFUSES.search(then):
            text = match[0].rstrip("{ ")
            yield Guard(shown(text), code.line(start + match.start()), 2 if level_of(text) == 2 else 1)
    for match in _STATED.finditer(body):
        yield Guard(shown(match[1]), code.line(start + match.start(1)), 2)
    for match in re.finditer(
        r"\b(getServerSession|await auth|getSession|getCurrentUser|validateRequest|currentUser)\s*\(", body
    ):
        if _REFUSES.search(body[match.end() : match.end() + 300]):
            yield Guard(match[1], code.line(start + match.start()), 1)
