"""git: what reads, records and pushes forward passes; what loses commits, branches or unsaved work is held."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.values import Call, Inner, Said, Tool, flag_letters, plain, unseen

_KNOWN = frozenset(
    "add am annotate apply archive bisect blame branch bundle cat-file check-attr check-ignore check-mailmap "
    "check-ref-format checkout cherry cherry-pick clean clone column commit commit-graph commit-tree config "
    "count-objects credential describe diff diff-files diff-index diff-tree difftool fast-export fast-import fetch "
    "fetch-pack filter-branch filter-repo fmt-merge-msg for-each-ref for-each-repo format-patch fsck gc "
    "get-tar-commit-id grep hash-object help index-pack init instaweb interpret-trailers lfs log ls-files ls-remote "
    "ls-tree mailinfo mailsplit maintenance merge merge-base merge-file merge-index merge-tree mergetool mktag mktree "
    "multi-pack-index mv name-rev notes pack-objects pack-refs patch-id prune pull push range-diff read-tree rebase "
    "reflog remote repack replace request-pull rerere reset restore rev-list rev-parse revert rm send-email "
    "shortlog show show-branch show-index show-ref sparse-checkout stage stash status stripspace submodule subtree "
    "switch symbolic-ref tag unpack-file unpack-objects update-index update-ref update-server-info var verify-commit "
    "verify-pack verify-tag version whatchanged worktree write-tree flow annex lfs-transfer crypt secret town hub "
    "cliff absorb extras ai machete branchless scalar svn p4 cvsimport quiltimport citool gui".split()
)
_GLOBAL = frozenset(("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"))
_RUNS = re.compile(
    r"(?i)alias\.|core\.(?:sshcommand|hookspath|fsmonitor|editor|pager|gitproxy|askpass|alternaterefscommand)|pager\.|"
    r"credential.*helper|diff\..*\.(?:command|textconv)|diff\.external|filter\.|merge\..*\.driver|sequence\.editor|"
    r"gpg\..*program|gpg\.program|protocol\.ext|uploadpack\.|(?:diff|merge)tool\..*cmd|url\..*insteadof|remote\..*\.(?:vcs|uploadpack|receivepack)"
)
_UNDONE = "nothing that the remote has is lost by a new commit: `git revert`, or push to a branch of your own"
_SAVED = "save the work first: `git stash push -u -m WHY`"


def judge(call: Call) -> Iterator[Said]:
    """`git [options] verb ...`."""
    words = list(call.arguments)
    while words and words[0].startswith("-"):
        one = words.pop(0)
        if one in _GLOBAL and words:
            value = words.pop(0)
            if one in ("-c", "--config-env"):
                yield from _configured(call, value)
        elif one.startswith(("-c", "--config-env=")) and len(one) > 2 and not one.startswith("--c"):
            yield from _configured(call, one[2:])
        elif one in ("--version", "--help", "-h", "-v"):
            return
    if not words:
        return
    verb, rest = words[0], tuple(words[1:])
    if unseen(verb):
        yield call.concern("unseen-command", "what git would do is only known when it runs", "write the verb out")
    elif verb not in _KNOWN:
        yield call.concern(
            "unseen-command", f"`git {verb}` is an alias or a program that nobody sees here", "write it out"
        )
    elif "--help" not in rest and (judge_ := _VERBS.get(verb)) is not None:
        yield from judge_(call, rest)


# Private


def _configured(call: Call, text: str) -> Iterator[Said]:
    name, _, value = text.partition("=")
    if unseen(name):
        yield call.concern("unseen-command", "what is configured is only known when it runs", "write it out")
    elif _RUNS.match(name):
        if name.lower().startswith("alias.") and not value.startswith("!"):
            yield Inner(script=f"git {value}")
        elif value.strip() not in (
            "",
            "cat",
            "less",
            "true",
            ":",
            "false",
            "/dev/null",
            "vim",
            "nano",
            "vi",
            "code --wait",
        ):
            if not (name.lower().startswith("credential") and re.fullmatch(r"[\w= -]+", value)):
                yield call.concern("unseen-command", f"{name} has git run something else", "run that by itself")
            yield Inner(script=value.lstrip("!"))


def _config(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    words = plain(rest, frozenset(("-f", "--file", "--blob", "--type", "--default")))
    words = [one for one in words if one not in ("set", "get", "unset", "list")]
    if len(words) > 1:
        yield from _configured(call, f"{words[0]}={words[1]}")


def _push(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if "--dry-run" in rest or "-n" in rest:
        return
    refs = plain(rest, frozenset(("-o", "--push-option", "--repo", "--receive-pack", "--exec")))
    target = refs[-1] if refs else "the branch"
    forced = any(one.startswith("--force") or one in ("--mirror", "--prune", "--delete", "--all-force") for one in rest)
    short = {"--for", "--forc", "--del", "--delet", "--mirr", "--fo", "--mi", "--dele", "--pru", "--prun"} & set(rest)
    if forced or short or flag_letters(rest, "fd"):
        yield call.concern("git-history", "it overwrites or deletes what the remote has", _UNDONE, target)
    elif any(one.startswith(("+", ":")) and len(one) > 1 for one in refs[1:] + refs[:1]):
        yield call.concern("git-history", "its `+` or `:` overwrites or deletes what the remote has", _UNDONE, target)
    elif any(one.startswith("\0") for one in rest) and (call.place.typed or rest[0].startswith("\0")):
        yield call.concern(
            "unseen-command", "what is pushed, and whether by force, is not seen", "write it out", target
        )
    for one in rest:
        if one.startswith(("--receive-pack=", "--exec=")):
            yield Inner(script=one.partition("=")[2])


def _branch(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    forced = flag_letters(rest, "f") or "--force" in rest
    deletes = flag_letters(rest, "d") or "--delete" in rest
    if flag_letters(rest, "D") or (forced and deletes) or (forced and len(plain(rest)) > 0):
        yield call.concern(
            "git-history", "commits that are merged nowhere are lost with it", "use `git branch -d`", rest[-1]
        )


def _reset(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if any(one in ("--hard", "--merge", "--keep") or one.startswith(("--h", "\0")) for one in rest):
        yield call.concern(
            "git-work", "work that is not committed is lost", _SAVED, plain(rest)[-1] if plain(rest) else "HEAD"
        )


def _clean(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if not (flag_letters(rest, "n") or "--dry-run" in rest):
        yield call.concern(
            "git-work", "files that git does not know are deleted", "look first: `git clean -n`", "untracked files"
        )


def _checkout(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    whole = {".", "./", ":/", "*", ":/*"} & set(rest)
    if whole or flag_letters(rest, "f") or "--force" in rest or "--discard-changes" in rest:
        yield call.concern("git-work", "work that is not committed is lost", _SAVED, "the working tree")


def _restore(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    staged_only = ("--staged" in rest or "-S" in rest) and not ("--worktree" in rest or "-W" in rest)
    if not staged_only and {".", "./", ":/", "*"} & set(rest):
        yield call.concern("git-work", "work that is not committed is lost", _SAVED, "the working tree")


def _stash(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if rest[:1] in (("drop",), ("clear",)):
        yield call.concern("git-work", "what was put aside is lost", "apply it: `git stash pop`", "the stash")


def _rewrites(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    yield call.concern(
        "git-history", "it rewrites or loses commits of the whole repository", "ask a person", rest[-1] if rest else ""
    )


def _reflog(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if rest[:1] in (("expire",), ("delete",), ("drop",)):
        yield from _rewrites(call, rest)


def _collect(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if any(one.startswith("--prune") and one != "--prune=2.weeks.ago" for one in rest):
        yield from _rewrites(call, rest)


def _reference(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if len(plain(rest)) > 1 or flag_letters(rest, "d") or "--delete" in rest or "--stdin" in rest:
        yield from _rewrites(call, rest)


def _worktree(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if rest[:1] == ("remove",) and ("--force" in rest or flag_letters(rest, "f")):
        yield call.concern("git-work", "work that is not committed is lost", "remove it without --force", rest[-1])


def _remove(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:  # noqa: ARG001 as all verbs
    yield (
        Inner(("rm", "-r", *(one for one in rest if not one.startswith("-") or one == "--")))
        if "--cached" not in rest
        else Inner(("true",))
    )


def _executes(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    for place, one in enumerate(rest):
        if one in ("-x", "--exec", "--extcmd", "--tree-filter") and place + 1 < len(rest):
            yield Inner(script=rest[place + 1])
        elif one.startswith(("--exec=", "--extcmd=")):
            yield Inner(script=one.partition("=")[2])
        elif one.startswith("-x") and len(one) > 2 and call.arguments and "rebase" in call.arguments:
            yield Inner(script=one[2:])


def _bisect(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:  # noqa: ARG001 as all verbs
    if rest[:1] == ("run",):
        yield Inner(rest[1:])


def _submodule(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    words = [one for one in rest if one not in ("--recursive", "--quiet", "-q")]
    if words[:1] == ["foreach"]:
        yield Inner(script=" ".join(words[1:]))
    elif words[:1] == ["deinit"] and (flag_letters(rest, "f") or "--force" in rest):
        yield call.concern("git-work", "work in the submodule is lost", _SAVED, rest[-1])


def _tag(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if flag_letters(rest, "f") or "--force" in rest:
        yield call.concern("git-history", "a tag that others know is moved", "make a new tag", rest[-1])


def _read_tree(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    if "--reset" in rest and flag_letters(rest, "u"):
        yield call.concern("git-work", "work that is not committed is lost", _SAVED)


def _fetches(call: Call, rest: tuple[str, ...]) -> Iterator[Said]:
    for one in rest:
        if re.match(r"\+[^:]*:(?!refs/(?:remotes|pull)/)\w", one) and not unseen(one):
            yield call.concern("git-history", "its `+` overwrites a branch of yours", "fetch without `+`", one)
        if one.startswith(("ext::", "--upload-pack=")) or one in ("--upload-pack", "-u"):
            if one == "-u" and "clone" not in call.arguments:
                continue
            yield call.concern(
                "unseen-command", "it has git run a program that is not git", "fetch from a plain address"
            )


_VERBS = {
    "push": _push,
    "branch": _branch,
    "reset": _reset,
    "clean": _clean,
    "checkout": _checkout,
    "switch": _checkout,
    "read-tree": _read_tree,
    "restore": _restore,
    "stash": _stash,
    "filter-branch": _rewrites,
    "filter-repo": _rewrites,
    "replace": _rewrites,
    "prune": _rewrites,
    "reflog": _reflog,
    "gc": _collect,
    "update-ref": _reference,
    "symbolic-ref": _reference,
    "worktree": _worktree,
    "rm": _remove,
    "config": _config,
    "rebase": _executes,
    "difftool": _executes,
    "bisect": _bisect,
    "submodule": _submodule,
    "tag": _tag,
    "clone": _fetches,
    "fetch": _fetches,
    "pull": _fetches,
    "ls-remote": _fetches,
}
TOOL = Tool(frozenset(("git", "g", "hub")), judge)
