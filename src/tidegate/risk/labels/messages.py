"""Whether a commit repairs a defect, from what its message says.

Half of the commits that call themselves fixes repair no defect of the product (Herbold et al. 2022): they mend typos,
tests, builds, style, or their own review. Those are the known traps, and each of them has a test.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.risk.labels.issues import advisories, closed_issues, fixed_issues
from tidegate.risk.labels.named import blamed_commits
from tidegate.risk.labels.reverts import read_revert
from tidegate.risk.labels.traps import is_trap, is_trap_place, is_trap_title, is_vague, speaks_of_trap
from tidegate.risk.late import Late

FixSource: TypeAlias = Literal["", "revert", "fixes-trailer", "issue-fix", "fix"]


class FixKind(Struct, frozen=True):
    """Whether a commit is a fix and how the message says so; false as a condition where it is none.

    `confidence` is the probability that it repairs a defect of the product, `why` the reason in words (also of a no),
    `issues` what it closes.
    """

    source: FixSource
    confidence: float
    why: str
    issues: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.source != ""


NO_FIX = FixKind("", 0.0, "says nothing of a repair")


def is_fix(message: str) -> FixKind:
    """Whether a commit with this message repairs a defect of the product, and of what kind the repair is.

    A revert counts as one, a reland does not. Merges and commits that squash into others (`fixup!`) are none.
    """
    if not _HINT.search(message):
        return NO_FIX
    subject = _subject(message)
    if _NONE.match(subject):
        return FixKind("", 0.0, "a merge, a release or a commit to be squashed")
    revert = read_revert(message)
    if revert is not None:
        return _of_revert(revert.restores, revert.confidence)
    kind = _CONVENTIONAL.match(subject)
    title = subject[kind.end() :] if kind else subject
    if is_trap_title(subject):
        return FixKind("", 0.0, "about tests, documents, style or the build")
    typed = _typed(kind) if kind else ""
    blamed = blamed_commits(message)
    if blamed and _TRAILER.search(message) and not (typed == "fix" and is_trap(title)):
        return FixKind("fixes-trailer", blamed[0].confidence, "names the commit that it fixes", closed_issues(message))
    if typed == "none":
        return FixKind("", 0.0, "its type says that it is none")
    return _by_words(message, title, says_fix=typed == "fix")


# Private

_HINT = re.compile(
    r"fix|bug|crash|regress|defect|resolv|repair|broke|unbreak|leak|deadlock|correct|revert|re-?land|re-?appl|panic"
    r"|segfault|overflow|race|\bnpe\b|null ?pointer|hang|corrupt|vulnerab|cve-|ghsa-|infinite|off.by.one"
    r"|use.after.free|double.free|back(?:ed)? ?out|🐛|🚑|🔒|exception",
    re.IGNORECASE,
)
_NONE = Late(
    r"(?:fixup|squash|amend)! |merge(?:d|s)? (?:pull|branch|remote|tag|commit|in|from|into|origin|upstream|pr\b"
    r"|with|[\w/.-]+ into)\b"
    r"|(?:bump|release|prepare|preparing|upgrade|update) (?:\w+ ){0,4}?(?:to |from |version |release "
    r"|v)?v?[0-9]+\.[0-9]"
    r"|(?:bump|upgrade) |v?[0-9]+\.[0-9]+(?:\.[0-9]+)*\S{0,12}$|automatic merge|wip\b|\[maven-release",
    re.IGNORECASE,
)
_CONVENTIONAL = Late(
    r"(?P<type>[A-Za-z][A-Za-z-]{1,14})(?:\((?P<scope>[^)\n]{0,60})\)(?:!?:|\s)|!?:)\s*"
    r"|\[(?P<tag>[^\]\n]{1,40})\]:?\s+"
)
_FIX_TYPES = frozenset("fix fixes fixed bugfix bug hotfix hot-fix security sec bugs patch fixing regression".split())
_NO_TYPES = frozenset(
    """feat feature features docs doc style refactor perf test tests testing build ci chore release deps dep
    dependencies wip improvement improve add enh enhancement i18n l10n typo lint format cleanup clean maint tst bld sty
    ben dx ux example examples demo benchmark bench bump config meta infra tooling types typing typings""".split()
)
_NO_SCOPES = Late(
    r"^(?:ci|cd|build|builds|docs?|documentation|readme|changelog|tests?|testing|e2e|spec|specs|lint|linter|eslint"
    r"|typo"
    r"|typos|deps?|deps-dev|dependencies|style|format|formatting|release|dev|bench\w*|examples?|website|www|blog"
    r"|workflows?"
    r"|actions?|gha|github|travis|tox|pre-commit|storybook|typing|types|comments?|license|repo|tooling|scripts?|demo"
    r"|evals?|fixtures?|coverage|i18n|translations?|renovate|dependabot|codecov|makefile|meta)$",
    re.IGNORECASE,
)
_TRAILER = Late(r"^[ \t]*(?:fixes|regressed-by|broken-by)[ \t]*:", re.IGNORECASE | re.MULTILINE)

# `fix` as a verb or as the thing made. "prefix", "fixture", "--fix", "auto-fix", "fixed-width" hold none.
_FIX = Late(
    r"(?<![\w/.`'\"$@=-])(?P<fix>fix(?:e[sd]|ing)?|fixs|bug-?fix(?:es|ed|ing)?|hot-?fix(?:es|ed)?|unbreak"
    r"|unbroke)(?![\w/(=\"'`]|-(?!up|ed)|\.[a-z])",
    re.IGNORECASE,
)
_ADJECTIVE = Late(
    r"^(?:[ -](?:width|size[ds]?|point|length|position\w*|amount|number|rate|interval|time|seed|version|price|cost"
    r"|header"
    r"|footer|sidebar|set|value|bit|delay|array|buffer|order|string|header|column|row|layout|height|offset|date"
    r"|schema"
    r"|window|prefix|precision|income|pool|ip|port|thread|memory|list|table|navbar|menu|block|format|field|timeout"
    r"|capacity))\b",
    re.IGNORECASE,
)
_BEFORE_ADJECTIVE = Late(r"\b(?:a|an|the|with|use|using|to|of|for|by|from|at|pin|into|in|on|as|support|add|new)$")
_NO_VERB = Late(
    r"(?:\b(?:code|quick|suggested|apply|auto|possible|one-click|prefix|lint|eslint|run|with|--|actions?|can|may"
    r"|could|will) )$"
    r"|\b(?:todo|xxx|fixme)[: ]+$",
    re.IGNORECASE,
)
_BUG = Late(
    r"(?<![\w-])(?:bugs?|defects?|regressions?)(?![\w-]| #?[0-9]| report| template| tracker| bounty"
    r"|zilla)",
    re.IGNORECASE,
)
_NUMBERED = Late(r"^(?:bug|issue|ticket) *#?[0-9]+\b", re.IGNORECASE)
_PROBLEM = Late(
    r"\b(?:crash(?:e[sd]|ing)?|seg ?faults?|segmentation faults?|(?:memory|resource|fd|handle|goroutine|connection"
    r"|thread)?"
    r" ?leak(?:s|ed|ing|age)?|dead-?locks?|data races?|race conditions?|races?|use[- ]after[- ]free|double[- ]free"
    r"|null ?pointer\w*|npe|nil pointer\w*|off[- ]by[- ]one|infinite(?:ly)? (?:loop\w*|recurs\w*)|(?:buffer|stack"
    r"|integer|heap)"
    r" ?(?:over|under)(?:flow|run|read)s?|overflows?|corrupt(?:ion|s|ed|ing)?|panics?|hangs?|freez(?:e|es|ing)"
    r"|data loss|vulnerabilit\w+|xss|redos"
    r"|regressions?|unhandled \w+|\w*(?:Error|Exception)s?\b(?! ?(?:class|type|message|handl|page|code))"
    r"|undefined behaviou?r"
    r"|memory corruption|out[- ]of[- ]bounds|breakage|broken)\b"
)
_CURE = Late(
    r"\b(?:avoid|prevent|stop|do(?:es)?n['’]?t|do not|does not|no longer|guard against|guard|correct|resolve"
    r"|eliminate"
    r"|address|work ?around|workaround|protect against|repair|cure|remedy|patch|plug|close|mitigate|solve"
    r"|handle|recover from|survive)(?:s|es|ed|ing)?\b",
    re.IGNORECASE,
)
_CORRECT = Late(
    r"^(?:correct(?:s|ed|ing|ly)?|repair(?:s|ed|ing)?|resolve[sd]?|solve[sd]?|un-?break)\s+\S", re.IGNORECASE
)
_ADDING = Late(
    r"^(?:add(?:s|ed|ing)?|implement\w*|support\w*|introduc\w*|allow\w*|enabl\w*|new|creat\w+|feat\w*|refactor\w*"
    r"|renam\w*"
    r"|mov(?:e|es|ed|ing)\b|improve\w*|use[sd]?\b|updat\w*|remov\w*|drop\w*|deprecat\w*|document\w*|clean\w*"
    r"|simplif\w*"
    r"|optimi[sz]\w*|port\b|convert\w*|switch\w*|migrat\w*|expose\w*|make\b|provide\w*|extend\w*|rewrite|rework\w*"
    r"|bump\w*)\b",
    re.IGNORECASE,
)
_KEYED = Late(r"^\[?(?P<key>(?:[A-Z][A-Z0-9]{1,11}-|#|GH-)[0-9]{1,7})\]?[:. -]\s*")
_IN_BODY = Late(
    r"\b(?:this|which|that|it|commit|change|patch)? ?(?:fix(?:e[sd])?|resolves?|corrects?) (?:a|an|the|this|that"
    r"|another|some)"
    r" (?:\w+[ -]){0,3}(?:bug|crash|issue|regression|problem|leak|deadlock|race)\b",
    re.IGNORECASE,
)
_FROM_FORK = "Merge commit from fork"
_NOISE = Late(r"^\[svn r[0-9]+\] *|\(?\b(?:todo|fixme)\b[^)\n]*\)?", re.IGNORECASE)
_EMOJI = {"🐛": "fix: ", "🚑": "fix: ", "🚑️": "fix: ", ":bug:": "fix: ", ":ambulance:": "fix: ", "🔒": "", ":lock:": ""}


def _subject(message: str) -> str:
    lines = [line.strip() for line in message.lstrip().split("\n", 4)[:4]]
    subject = _NOISE.sub("", lines[0][:500])
    if subject == _FROM_FORK:  # how GitHub lands what was mended in a private fork for an advisory: squashed
        subject = next((line.lstrip("*- ")[:500] for line in lines[1:] if line), subject)
    for sign, word in _EMOJI.items():
        if subject.startswith(sign):
            return word + subject[len(sign) :].lstrip("\ufe0f ")
    return subject


def _of_revert(restores: bool, confidence: float) -> FixKind:
    if restores:
        return FixKind("", 0.0, "brings back what was undone")
    return FixKind("revert", confidence, "undoes an earlier commit")


def _typed(kind: re.Match[str]) -> str:
    """What a conventional type or a tag says: fix, none, or nothing known (a subsystem, say)."""
    name = (kind["type"] or kind["tag"] or "").lower()
    if kind["scope"] and (speaks_of_trap(kind["scope"]) or "annotation" in kind["scope"].lower()):
        return "none"
    if kind["scope"] and any(_NO_SCOPES.match(part.strip()) for part in re.split("[,/|]", kind["scope"])):
        return "none"
    if name in _FIX_TYPES:
        return "fix"
    return "none" if name in _NO_TYPES else ""


def _by_words(message: str, title: str, *, says_fix: bool) -> FixKind:
    issues = fixed_issues(message)
    closed = issues or closed_issues(message)
    advised = advisories(message)
    confidence, why = _title_says(title, says_fix=says_fix)
    if why.startswith("trap"):
        return FixKind("", 0.0, "mends " + why.removeprefix("trap: "))
    if confidence:
        if advised:
            return FixKind("issue-fix", 0.95, f"closes {advised[0]}", (*advised, *closed))
        if closed and confidence > 0.4:
            return FixKind("issue-fix", min(0.95, confidence + 0.1), f"{why} and closes {closed[0]}", closed)
        return FixKind("fix", confidence, why)
    keyed = _KEYED.match(title)
    if keyed and _PROBLEM.search(title) and not _ADDING.match(title[keyed.end() :]):
        return FixKind("issue-fix", 0.7, f"closes {keyed['key']}, which speaks of a failure", (keyed["key"],))
    if advised and not _ADDING.match(title):
        return FixKind("issue-fix", 0.8, f"names {advised[0]}", (*advised, *closed))
    if speaks_of_trap(title) or is_trap_place(title):
        return NO_FIX
    if issues and not _ADDING.match(title):
        return FixKind("issue-fix", 0.55, f"says that it fixes {issues[0]}", issues)
    if _IN_BODY.search(message.partition("\n")[2]) and not _ADDING.match(title):
        return FixKind("fix", 0.55, "its description says that it fixes something", closed)
    return NO_FIX


def _title_says(title: str, *, says_fix: bool) -> tuple[float, str]:
    """How sure the title is, and why; a `why` of "trap: ..." is a no that nothing else may overrule."""
    found = _find_fix(title)
    if says_fix or found is not None:
        before, after = (title[: found.start()], title[found.end() :]) if found else ("", title)
        if is_trap(after) or is_trap(title if not found else before, behind=True):
            return 0.0, "trap: " + (after or title).strip()[:60]
        if is_trap_place(title):
            return 0.0, "trap: something outside the product"
        if is_vague(before, after):
            return 0.4, "calls itself a fix and says not of what"
        if says_fix:
            return 0.9, "its type is fix"
        early = found is not None and (
            not before.strip() or before.rstrip().endswith((":", "]", "-", "—", "–", ",", "|"))
        )
        if not early and _ADDING.match(title):
            return 0.4, "fixes something beside"
        return (0.8, "its subject begins with a fix") if early else (0.65, "its subject speaks of a fix")
    return _other_words(title)


def _other_words(title: str) -> tuple[float, str]:
    if is_trap_place(title):
        return 0.0, ""
    match = _CORRECT.match(title)
    if match and is_trap(title[match.end() - 1 :]):
        return 0.0, "trap: " + title[:60]
    problem, cure = _PROBLEM.search(title), _CURE.search(title)
    if problem and cure:
        return 0.65, f"keeps something from happening: {problem[0].strip()}"
    if match:
        return 0.55, "corrects something"
    if _BUG.search(title) and not speaks_of_trap(title) and not _NUMBERED.match(title) and not _ADDING.match(title):
        return 0.5, "its subject speaks of a bug"
    return 0.0, ""


def _find_fix(title: str) -> re.Match[str] | None:
    for match in _FIX.finditer(title):
        before, after = title[: match.start()].rstrip(), title[match.end() :]
        word = match["fix"].lower()
        if word == "fixed" and before and (_ADJECTIVE.match(after) or _BEFORE_ADJECTIVE.search(before.lower())):
            continue
        if word == "fixed" and not before and _ADJECTIVE.match(after):
            continue
        if before and _NO_VERB.search(before + " "):
            continue
        return match
    return None
