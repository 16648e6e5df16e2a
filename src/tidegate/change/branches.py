"""Which branch is checked out, where it wants to go, and what the remote is called: refs and configuration as data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from tidegate.change.git import Repository

HEADS = "refs/heads/"
REMOTES = "refs/remotes/"


class Target(NamedTuple):
    """A branch that a change can want to go to. `name` is how git shows it, `branch` its name at the remote."""

    name: str
    branch: str
    oid: str
    why: str


class Ref(NamedTuple):
    """What a ref points to; `leads_to` is the ref that a symbolic one stands for."""

    oid: str
    leads_to: str


class Branches(Struct, frozen=True):
    """`head` is "" when detached; `default` is "" when the remote's HEAD is not recorded here; targets best first."""

    head: str
    default: str
    remote: str
    url: str
    targets: tuple[Target, ...]


NO_BRANCHES = Branches(head="", default="", remote="", url="", targets=())


def read_branches(repository: Repository) -> Branches:
    """The branches that matter to a change at HEAD. Three processes."""
    config = repository.read_config()
    head = _head_branch(repository)
    upstream = _upstream(config, head)
    remote = _remote(config, head)
    names = [name for name in (upstream, *_usual(remote)) if name]
    refs = read_refs(repository, names)
    recorded = refs.get(f"{REMOTES}{remote}/HEAD")
    default = recorded.leads_to.removeprefix(f"{REMOTES}{remote}/") if recorded and recorded.leads_to else ""
    return Branches(
        head=head,
        default=default,
        remote=remote if config.get(f"remote.{remote}.url") else "",
        url=(config.get(f"remote.{remote}.url") or ("",))[0],
        targets=tuple(_targets(refs, head, upstream, remote, default)),
    )


def repository_name(url: str) -> str:
    """owner/name in a remote's URL, without host, user, password or `.git`; "" for a path on this machine."""
    match = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]+/+(.*)", url)
    if match is None and "://" not in url and not url.startswith((".", "/", "~")):
        match = re.fullmatch(r"(?:[^@/:]+@)?[^@/:]{2,}:/*(.*)", url)
    if match is None or url.lower().startswith("file:"):
        return ""
    path = re.sub(r"[?#].*", "", match[1]).strip("/")
    return path.removesuffix(".git").strip("/")


def read_refs(repository: Repository, names: Sequence[str]) -> dict[str, Ref]:
    """Those of the refs that exist. A name that cannot be a ref's is not asked for."""
    asked = [name for name in names if not re.search(r"[\0-\x20\x7f~^:?*\[\\]", name)]
    output = repository.run("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)", "--", *asked)
    refs: dict[str, Ref] = {}
    for line in output.decode("utf-8", "surrogateescape").splitlines():
        name, oid, leads_to = line.split("\0")
        if name in asked:
            refs[name] = Ref(oid, leads_to)
    return refs


# Private


def _head_branch(repository: Repository) -> str:
    answer = repository.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).decode("utf-8", "surrogateescape").strip()
    return answer.removeprefix(HEADS) if answer.startswith(HEADS) else ""


def _upstream(config: Mapping[str, Sequence[str]], head: str) -> str:
    """The ref that follows the branch's upstream, as `git rev-parse @{upstream}` finds it; "" for none."""
    remote = (config.get(f"branch.{head}.remote") or ("",))[-1]
    merge = (config.get(f"branch.{head}.merge") or ("",))[-1]
    if not head or not remote or not merge.startswith("refs/"):
        return ""
    if remote == ".":
        return merge
    for refspec in config.get(f"remote.{remote}.fetch", ()):
        source, _, destination = refspec.removeprefix("+").partition(":")
        if source == merge and destination:
            return destination
        before, star, after = source.partition("*")
        if star and merge.startswith(before) and merge.endswith(after) and len(merge) >= len(before) + len(after):
            return destination.replace("*", merge[len(before) : len(merge) - len(after)], 1)
    return ""


def _remote(config: Mapping[str, Sequence[str]], head: str) -> str:
    own = (config.get(f"branch.{head}.remote") or ("",))[-1]
    if own and own != "." and f"remote.{own}.url" in config:
        return own
    named = [key[len("remote.") : -len(".url")] for key in config if re.fullmatch(r"remote\..+\.url", key, re.DOTALL)]
    return "origin" if "origin" in named or not named else named[0]


def _usual(remote: str) -> list[str]:
    far = [f"{REMOTES}{remote}/{name}" for name in ("HEAD", "main", "master")]
    return [*far, f"{HEADS}main", f"{HEADS}master"]


def _targets(refs: Mapping[str, Ref], head: str, upstream: str, remote: str, default: str) -> list[Target]:
    """Where the branch can want to go, best first. A remote copy of the branch itself is where it was pushed to, not
    where it goes, unless there is nothing else."""
    found: list[Target] = []
    for name in (upstream, *_usual(remote)):
        if name not in refs or name == f"{HEADS}{head}":
            continue
        oid, leads_to = refs[name]
        full = leads_to or name
        if name == upstream:
            why = f"upstream of {head}"
        elif name.endswith("/HEAD"):
            why = f"default branch of {remote}"
        else:
            why = "no upstream is set"
        found.append(Target(_short(full), _branch(full, remote), oid, why))
    usual = head == default or (not default and head in ("main", "master"))
    elsewhere = [target for target in found if target.branch != head or usual]
    return [*elsewhere, *(target for target in found if target not in elsewhere)]


def _short(ref: str) -> str:
    return ref.removeprefix(HEADS).removeprefix(REMOTES)


def _branch(ref: str, remote: str) -> str:
    return ref.removeprefix(HEADS).removeprefix(f"{REMOTES}{remote}/")
