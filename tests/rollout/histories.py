"""Histories of deployments whose truth is known, because they were made from it.

A seeded generator writes a real repository, object by object, and keeps beside it which logical change every commit
belongs to and what every deployment brought. It plants copies, squashes, reverts of reverts, fixes and hot-fixes, and
things that look like them and are none. Nothing of the code under test is used to make them.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.rollout.cycles import Cycle
from tidegate.rollout.values import Deployment

START = 1_770_000_000
HOUR = 3600
DAY = 24 * HOUR
FILES = ("api.py", "billing.py", "cart.py", "config.toml", "search.py")
PEOPLE = ("Alice Smith <alice@example.com>", "Bob Jones <bob@example.com>", "Cara Diaz <cara@example.com>")
NOUNS = ("parser", "ledger", "basket", "export", "login page", "search index", "invoice", "cache", "upload", "webhook")
VERBS = ("Add", "Extend", "Rework", "Speed up", "Split", "Show", "Store", "Rename", "Support", "Measure")


@dataclass(frozen=True)
class Edit:
    """Replaces `removed` by `added` in a file; with nothing to remove, puts it behind the line `after`."""

    path: str
    after: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass
class Made:
    """A commit: its content (of a copy that of the original), the chain that it belongs to, and how it was made."""

    oid: str
    message: str
    author: str
    authored: int
    at: int
    edits: tuple[Edit, ...]
    contents: tuple[int, ...]
    chain: int
    tickets: tuple[str, ...] = ()
    reverts: str = ""

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


@dataclass
class Branch:
    """A branch: its files, its commits in order, and the content that it holds."""

    files: dict[str, list[str]]
    tip: str
    made: list[Made] = field(default_factory=list)
    contents: frozenset[int] = frozenset()

    def copy(self) -> Branch:
        return Branch({p: list(lines) for p, lines in self.files.items()}, self.tip, list(self.made), self.contents)


@dataclass(frozen=True)
class Truth:
    """What must be found of one chain: its commits, the deployments that moved it, and the redeploys. With `open`
    nothing in the history says whether it is one change or several, and that must be said."""

    commits: frozenset[str]
    deployments: tuple[str, ...]
    redeploys: int
    open: bool = False


def found_in(cycles: Iterable[Cycle]) -> set[Truth]:
    """What was found, to be held against the truth: chains that are said to be perhaps one are taken together."""
    told = tuple(cycles)
    found = {Truth(frozenset(one.commits), one.deployments, one.redeploys) for one in told if not one.perhaps}
    for group in {frozenset((one.root, *one.perhaps)) for one in told if one.perhaps}:
        parts = [one for one in told if one.root in group]
        commits = frozenset(oid for one in parts for oid in one.commits)
        moved = tuple(sorted({name for one in parts for name in one.deployments}))
        found.add(Truth(commits, moved, max(one.redeploys for one in parts), open=True))
    return found


class History:
    """One history, written under `path`. `plants` counts what was planted, by its name."""

    def __init__(self, path: Path, seed: int, steps: int = 40) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.clock = START
        self.plants: dict[str, int] = {}
        self.deployments: list[Deployment] = []
        self.held: list[tuple[Deployment, frozenset[int], frozenset[int]]] = []
        self.known: dict[str, frozenset[str]] = {}
        self.chain_of: dict[str, int] = {}
        self.chain_contents: dict[int, set[int]] = {}
        self.repairs: list[tuple[str, int]] = []
        self.abandoned: set[int] = set()
        self._unique = 0
        self._written: set[str] = set()
        for folder in ("objects", "refs/heads"):
            (path / ".git" / folder).mkdir(parents=True)
        (path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        files = {name: [f"{name} line {n}: {self._word()}" for n in range(120)] for name in FILES}
        self.main = Branch(files, "")
        self.main.tip = self._commit(self.main, (), "Begin", PEOPLE[0])
        self.begin = self.main.tip
        self.known[self.begin] = frozenset()
        self.running = (self.begin, frozenset[int]())
        self.release: Branch | None = None
        for _ in range(steps):
            self._step()
        self._deploy(self.main)
        (path / ".git" / "refs/heads/main").write_text(f"{self.main.tip}\n")

    def truths(self) -> set[Truth]:
        """Every chain with something that was deployed."""
        deployed: set[str] = set()
        for one, _, _ in self.held:
            deployed |= self.known[one.revision]
        by_chain: dict[int, set[str]] = {}
        for oid in deployed:
            by_chain.setdefault(self.chain_of[oid], set()).add(oid)
        found = set()
        for chain, commits in by_chain.items():
            contents = self.chain_contents[chain]
            moved = tuple(one.id for one, before, after in self.held if (before ^ after) & contents)
            if moved:
                repaired = chain in self._repaired(deployed)
                nowhere = chain in self.abandoned and len(commits) > 1
                found.add(Truth(frozenset(commits), moved, len(moved) - 1 if repaired else 0, nowhere))
        return found

    # Private

    def _repaired(self, deployed: set[str]) -> set[int]:
        return {chain for oid, chain in self.repairs if oid in deployed}

    def _step(self) -> None:
        self.clock += self.random.choice((1, 3, 8, 20, 30)) * HOUR
        moves = [
            *[self._feature] * 5,
            *[self._pull] * 2,
            self._squash,
            *[self._fix] * 5,
            *[self._revert] * 3,
            *[self._again] * 3,
            *[self._pick] * 3,
            self._cut,
            self._merge_back,
            *[self._look_alike] * 6,
            *[self._deploy_some] * 8,
            *[self._roll_back] * 2,
        ]
        self.random.choice(moves)()

    def _plant(self, name: str) -> None:
        self.plants[name] = self.plants.get(name, 0) + 1

    def _word(self) -> str:
        self._unique += 1
        return f"{self.random.choice(NOUNS)} {self._unique}"

    def _subject(self) -> str:
        return f"{self.random.choice(VERBS)} the {self._word()}"

    def _new(self, branch: Branch, path: str = "", lines: int = 0) -> Edit | None:
        """An edit of lines that no change has touched, with some room around it."""
        path = path or self.random.choice(FILES)
        content = branch.files[path]
        old = [n for n in range(6, len(content) - 6) if all(f"{path} line" in line for line in content[n - 5 : n + 6])]
        if not old:
            return None
        at = self.random.choice(old)
        added = tuple(f"    {self._word()}" for _ in range(lines or self.random.randint(1, 5)))
        if self.random.random() < 0.5:
            return Edit(path, content[at], (), added)
        return Edit(path, "", (content[at],), added)

    def _can(self, branch: Branch, edits: tuple[Edit, ...]) -> bool:
        trial = branch.copy()
        return self._apply(trial, edits)

    def _apply(self, branch: Branch, edits: tuple[Edit, ...]) -> bool:
        for edit in edits:
            lines = branch.files[edit.path]
            if edit.removed:
                starts = [n for n, line in enumerate(lines) if line == edit.removed[0]]
                if len(starts) != 1 or tuple(lines[starts[0] : starts[0] + len(edit.removed)]) != edit.removed:
                    return False
                lines[starts[0] : starts[0] + len(edit.removed)] = edit.added
            else:
                if lines.count(edit.after) != 1:
                    return False
                at = lines.index(edit.after) + 1
                lines[at:at] = edit.added
        return True

    def _land(
        self,
        branch: Branch,
        edits: tuple[Edit, ...],
        message: str,
        *,
        chain: int = 0,
        like: Made | None = None,
        contents: tuple[int, ...] = (),
        tickets: tuple[str, ...] = (),
        repairs: bool = False,
        reverts: str = "",
    ) -> Made:
        """A commit on a branch. Without a chain it begins its own; `like` is the commit that it is a copy of."""
        assert self._apply(branch, edits)
        author = like.author if like else self.random.choice(PEOPLE)
        authored = like.authored if like else self.clock
        self.clock += self.random.randint(60, 900)
        parent = branch.tip
        branch.tip = self._commit(branch, (parent,), message, author, authored)
        self._unique += 1
        contents = contents or (like.contents if like else (self._unique,))
        chain = chain or self._unique
        self.chain_of[branch.tip] = chain
        self.chain_contents.setdefault(chain, set()).update(contents)
        made = Made(branch.tip, message, author, authored, self.clock, edits, contents, chain, tickets, reverts)
        branch.made.append(made)
        branch.contents |= set(contents)
        self.known[branch.tip] = self.known[parent] | {branch.tip}
        if repairs:
            self.repairs.append((branch.tip, chain))
        return made

    def _merge(self, into: Branch, other: Branch, message: str, chain: int) -> None:
        """A merge without edits of its own; the files of `into` were brought up to date before."""
        self.clock += self.random.randint(60, 900)
        parents = (into.tip, other.tip)
        into.tip = self._commit(into, parents, message, self.random.choice(PEOPLE))
        self.chain_of[into.tip] = chain
        self.known[into.tip] = self.known[parents[0]] | self.known[parents[1]] | {into.tip}

    def _ticket(self) -> str:
        self._unique += 1
        return self.random.choice((f"SHOP-{self._unique}", f"#{self._unique}"))

    # What changes are made of

    def _feature(self) -> None:
        edit = self._new(self.main)
        if edit is None:
            return
        tickets = (self._ticket(),) if self.random.random() < 0.6 else ()
        subject = self._subject()
        if self.random.random() < 0.3:
            self._unique += 1
            subject += f" (#{self._unique})"
            tickets = (*tickets, f"#{self._unique}")
        body = f"\n\nRefs: {tickets[0]}" if tickets and not subject.endswith(f"({tickets[0]})") else ""
        self._land(self.main, (edit,), subject + body, tickets=tickets)

    def _pull(self) -> None:
        """A merge of a branch of two or three commits, one of which may mend the one before."""
        branch = self.main.copy()
        first: Made | None = None
        for number in range(self.random.randint(2, 3)):
            edit = self._new(branch)
            if edit is None:
                return
            subject = self._subject() if number != 1 else f"Fix the tests of the {self._word()}"
            made = self._land(branch, (edit,), subject, chain=first.chain if first else 0)
            first = first or made
        assert first is not None
        into = self.main
        into.files, into.contents = branch.files, branch.contents
        into.made = branch.made
        self._unique += 1
        self._merge(into, branch, f"Merge pull request #{self._unique} from alice/topic-{self._unique}", first.chain)
        self._plant("merge of a branch")

    def _squash(self) -> None:
        """A branch that ran as a preview, then came as one commit."""
        branch = self.main.copy()
        made: list[Made] = []
        for _ in range(self.random.randint(2, 3)):
            edit = self._new(branch)
            if edit is None:
                self.abandoned |= {one.chain for one in made}
                return
            made.append(self._land(branch, (edit,), self._subject(), chain=made[0].chain if made else 0))
            if self.random.random() < 0.5:
                self._deploy(branch)
        self._deploy(branch)
        edits = tuple(edit for one in made for edit in one.edits)
        contents = tuple(content for one in made for content in one.contents)
        if self.random.random() < 0.5:
            self._feature()  # the target has moved on
        if not self._can(self.main, edits):
            self.abandoned.add(made[0].chain)
            return
        self._unique += 1
        listed = "\n\n" + "\n".join(f"* {one.subject}" for one in made) if self.random.random() < 0.5 else ""
        more = self._new(self.main) if listed and self.random.random() < 0.3 else None
        own: tuple[int, ...] = ()
        if more is not None and self._can(self.main, (*edits, more)):
            self._unique += 1
            edits, own = (*edits, more), (self._unique,)
            listed += f"\n* {self._subject()}"
        subject = f"{self._subject()} (#{self._unique})"
        self._land(self.main, edits, subject + listed, chain=made[0].chain, contents=(*contents, *own))
        self._plant("squash of a preview")

    def _young(self, branch: Branch, days: float = 13.0) -> list[Made]:
        return [one for one in branch.made if self.clock - one.at < days * DAY and not one.reverts]

    def _inside(self, branch: Branch, target: Made) -> Edit | None:
        """An edit of the lines that a commit wrote, as far as they are still there."""
        for edit in target.edits:
            for line in edit.added:
                if branch.files[edit.path].count(line) == 1:
                    return Edit(edit.path, "", (line,), (f"    {self._word()}", f"    {self._word()}"))
        return None

    def _fix(self) -> None:
        branch = self.release if self.release and self.random.random() < 0.4 else self.main
        targets = self._young(branch)
        if not targets:
            return
        target = self.random.choice(targets[-6:])
        word = f"the {self._word()}"
        how = self.random.choice(("lines", "lines", "trailer", "ticket", "words", "hotfix"))
        inside, elsewhere = self._inside(branch, target), self._new(branch)
        if how in ("lines", "hotfix") and inside is not None:
            message = f"Fix a crash in {word}" if how == "lines" else f"hotfix: {word} fails on empty input"
            edit: Edit | None = inside
        elif how == "trailer":
            short = self.random.choice((12, 40))
            message, edit = (
                f'Mind an empty line in {word}\n\nFixes: {target.oid[:short]} ("{target.subject}")',
                elsewhere,
            )
        elif how == "words":
            message, edit = f"Fix {word}\n\nA regression introduced by {target.oid[:10]}.", elsewhere
        elif how == "ticket" and target.tickets:
            message, edit = f"Fix the wrong sum in {word}\n\nRefs: {self.random.choice(target.tickets)}", elsewhere
        else:
            return
        if edit is None:
            return
        self._land(branch, (edit,), message, chain=target.chain, repairs=True)
        self._plant(f"fix by {how}" + (" on a release branch" if branch is self.release else ""))

    def _undo(self, target: Made) -> tuple[Edit, ...]:
        return tuple(Edit(e.path, e.after, e.added, e.removed) for e in reversed(target.edits))

    def _revert(self) -> None:
        targets = [one for one in self._young(self.main, 10) if self._can(self.main, self._undo(one))]
        if not targets:
            return
        target = self.random.choice(targets[-8:])
        how = self.random.choice(("git", "git", "subject", "silent"))
        message = {
            "git": f'Revert "{target.subject}"\n\nThis reverts commit {target.oid}.',
            "subject": f'Revert "{target.subject}"\n\nIt made the {self._word()} slow.',
            "silent": f"Take the {self._word()} out for now",
        }[how]
        self._land(self.main, self._undo(target), message, chain=target.chain, repairs=True, reverts=target.oid)
        self._plant(f"revert, {how}")

    def _again(self) -> None:
        """What was reverted comes again, or the revert of a revert is reverted once more."""
        undone = {one.reverts for one in self.main.made}  # only what has gone can come back
        reverts = [one for one in self.main.made if one.reverts and one.oid not in undone]
        reverts = [one for one in reverts if self._can(self.main, self._undo(one))]
        if not reverts:
            return
        revert = self.random.choice(reverts[-4:])
        original = next((one for one in self.main.made if one.oid == revert.reverts), None)
        if original is None:
            return
        how = self.random.choice(("revert of revert", "reapply", "reland", "same patch"))
        if how == "same patch" and len(original.edits) > 1:
            return
        message = {
            "revert of revert": f'Revert "{revert.subject}"\n\nThis reverts commit {revert.oid}.',
            "reapply": f'Reapply "{original.subject}"\n\nThis reverts commit {revert.oid}.',
            "reland": f"Reland: {original.subject}",
            "same patch": f"Bring the {self._word()} back",
        }[how]
        if how != "revert of revert" and original.reverts:
            return
        self._land(self.main, self._undo(revert), message, chain=revert.chain, repairs=True, reverts=revert.oid)
        self._plant(how)

    # Branches

    def _cut(self) -> None:
        if self.release is None:
            self.release = self.main.copy()

    def _pick(self) -> None:
        """A commit of one branch on the other, with git's trailer or without."""
        if self.release is None:
            return
        here, there = self.random.choice(((self.main, self.release), (self.release, self.main)))
        missing = [one for one in here.made if not set(one.contents) & there.contents and self._can(there, one.edits)]
        missing = [one for one in missing if len(one.contents) == 1]
        if not missing:
            return
        one = self.random.choice(missing[-6:])
        trailer = f"\n\n(cherry picked from commit {one.oid})" if self.random.random() < 0.5 else ""
        self._land(
            there,
            one.edits,
            one.message + trailer,
            chain=one.chain,
            like=one,
            repairs=one.oid in dict(self.repairs),
            reverts=one.reverts,
        )
        there.made[-1].tickets = one.tickets
        self._plant("pick with its trailer" if trailer else "pick without a word")

    def _merge_back(self) -> None:
        """The release branch comes into the main one, as it is."""
        if self.release is None:
            return
        missing = [one for one in self.release.made if not set(one.contents) & self.main.contents]
        copied = [
            one
            for one in self.release.made
            if one.oid not in {m.oid for m in self.main.made} and set(one.contents) & self.main.contents
        ]
        edits = tuple(edit for one in missing for edit in one.edits)
        if not missing or copied or not self._can(self.main, edits):
            self.release = None if self.random.random() < 0.5 else self.release
            return
        assert self._apply(self.main, edits)
        self.main.contents |= self.release.contents
        self.main.made += missing
        self._unique += 1
        chain = self._unique
        self.chain_contents[chain] = set()
        self._merge(self.main, self.release, "Merge branch 'release/1.2'", chain)
        self.release = None
        self._plant("merge of a release branch")

    # What looks alike and is none

    def _look_alike(self) -> None:
        young = self._young(self.main)
        old = [one for one in self.main.made if self.clock - one.at > 15 * DAY]
        kind = self.random.choice(
            ("feature on young lines", "fix of old lines", "fix beside", "typo", "ticket", "see", "same line", "words")
        )
        edit = self._new(self.main)
        message = self._subject()
        if kind == "feature on young lines" and young:
            edit = self._inside(self.main, self.random.choice(young))
        elif kind == "fix of old lines" and old:
            edit, message = self._inside(self.main, self.random.choice(old)), f"Fix a crash in the {self._word()}"
        elif kind == "fix beside" and young:
            edit = self._new(self.main, self.random.choice(young).edits[0].path)
            message = f"Fix the colours of the {self._word()}"
        elif kind == "typo" and young:
            edit, message = self._inside(self.main, self.random.choice(young)), f"Fix a typo in the {self._word()}"
        elif kind == "ticket" and any(one.tickets for one in young):
            ticket = self.random.choice([one for one in young if one.tickets]).tickets[0]
            message = f"Fix the {self._word()}\n\nRefs: {ticket}{self._unique}9"
        elif kind == "see" and young:
            message = f"{self._subject()}\n\nSee {self.random.choice(young).oid[:12]} for how it began."
        elif kind == "same line" and len(young) > 1:
            one = self.random.choice(young)
            if len(one.edits) == 1 and edit is not None:
                edit = Edit(edit.path, edit.after, edit.removed, tuple(f"{line} too" for line in one.edits[0].added))
            message = one.subject
        elif kind == "words":
            message = f"Go back to the old wording of the {self._word()}\n\nUsers asked to undo it."
        else:
            return
        if edit is not None and self._can(self.main, (edit,)):
            self._land(self.main, (edit,), message)
            self._plant(f"none: {kind}")

    # Deployments

    def _deploy_some(self) -> None:
        self._deploy(self.release if self.release and self.random.random() < 0.3 else self.main)

    def _deploy(self, branch: Branch) -> None:
        status = self.random.choices(("succeeded", "rolled_back", "failed", "cancelled"), (8, 2, 1, 1))[0]
        self._record(branch.tip, branch.contents, status)

    def _roll_back(self) -> None:
        """Forced: an earlier revision is deployed again."""
        earlier = [(one, after) for one, _, after in self.held if one.status == "succeeded"]
        if len(earlier) > 1:
            one, contents = self.random.choice(earlier[-3:])
            self._record(one.revision, contents, "succeeded")
            self._plant("roll-back")

    def _record(self, revision: str, contents: frozenset[int], status: str) -> None:
        self.clock += self.random.randint(60, 900)
        before, held = self.running
        one = Deployment(
            id=f"d{len(self.deployments) + 1:03d}",
            environment="production",
            service="shop",
            status=status,  # type: ignore[arg-type]
            started=float(self.clock),
            finished=self.clock + 60.0,
            revision=revision,
            previous=before,
        )
        self.deployments.append(one)
        if status in ("succeeded", "rolled_back"):
            self.held.append((one, held, contents))
        if status == "succeeded":
            self.running = (revision, contents)

    # Objects

    def _commit(
        self, branch: Branch, parents: tuple[str, ...], message: str, author: str, authored: int | None = None
    ) -> str:
        entries = b""
        for name in sorted(branch.files):
            blob = self._object("blob", "".join(f"{line}\n" for line in branch.files[name]).encode())
            entries += b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
        tree = self._object("tree", entries)
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author} {authored or self.clock} +0000", f"committer {author} {self.clock} +0000"]
        return self._object("commit", ("\n".join(lines) + f"\n\n{message}\n").encode())

    def _object(self, kind: str, content: bytes) -> str:
        whole = f"{kind} {len(content)}\0".encode() + content
        oid = hashlib.sha1(whole).hexdigest()
        if oid not in self._written:
            self._written.add(oid)
            place = self.path / ".git" / "objects" / oid[:2] / oid[2:]
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(whole, 1))
        return oid
