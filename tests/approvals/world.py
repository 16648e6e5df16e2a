"""A change that waits for approval: Mallory wrote it with an agent that Alice prompted, and Dave committed it.

Bob and Carol may approve it. The facts are collected once; each scenario hands in documents and reviews of its own and
gets what the policy says of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.approvals.keys import Authenticator, FileKey, HardwareKey
from tests.repos import Repo, build, note_text
from tidegate.change.approvals import Signer, make_terms, merge_tree
from tidegate.change.collect import collect_repository
from tidegate.change.configuration import read_settings
from tidegate.change.ends import Question, read_ends
from tidegate.change.git import Repository, open_repository
from tidegate.change.read import read_change
from tidegate.change.reviews import collect_reviews
from tidegate.change.values import Change, Context
from tidegate.collectors import collect
from tidegate.facts import Facts
from tidegate.ledger.approval import Terms, encode, parse_key, seal, signed_bytes
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy, read_policy
from tidegate.policy.verdict import Obligation

NOW = "2026-03-01T12:00:00Z"
AT = "2026-03-01T11:00:00Z"
EXPIRES = "2026-03-05T11:00:00Z"

SCRIPT = """
commit Begin
  by Carol Hill <carol@example.com>
  file CODEOWNERS
    . /src/ @bob
    . /docs/ @carol
  file src/pay.py
    . def pay():
    .     return 1
branch feature
commit Change the payment
  by Mallory Moe <mallory@example.com>
  file src/pay.py
    . def pay():
    a     return 2
"""

RULES = """
[[rule]]
id = "any"
title = "Somebody approves"
effect = "hold"
when.all = ["true"]
require = [{ approvals = 1 }]

[[rule]]
id = "signed"
title = "Somebody signs"
effect = "hold"
when.all = ["true"]
require = [{ approvals = 1, evidence = "signed" }]

[[rule]]
id = "hardware"
title = "Somebody signs with hardware"
effect = "hold"
when.all = ["true"]
require = [{ approvals = 1, evidence = ["sk-ssh", "webauthn"] }]

[[rule]]
id = "two"
title = "Two people approve"
effect = "hold"
when.all = ["true"]
require = [{ approvals = 2 }]

[[rule]]
id = "owners"
title = "An owner signs"
effect = "hold"
when.all = ["true"]
require = [{ approvals = 1, from = "owners", evidence = "signed" }]
"""

Key = FileKey | HardwareKey | Authenticator


@dataclass
class World:
    """Everything that scenarios share. `keys` by name: the person, or the person and a kind."""

    repo: Repo
    repository: Repository
    change: Change
    context: Context
    facts: Facts
    policy: Policy
    keys: Mapping[str, Key]
    folder: Path
    count: int = 0

    def terms(self, person: str = "bob", evidence: str = "ssh", **changed: str) -> Terms:
        """What this person would honestly sign, with some fields changed."""
        merged = merge_tree(self.change, self.context)
        signer = Signer(person, evidence)  # type: ignore[arg-type]
        honest = make_terms(self.facts, self.policy.digest, merged, signer, (AT, EXPIRES))
        return msgspec.structs.replace(honest, **changed)

    def signed(self, key: str = "bob", person: str = "", **changed: str) -> bytes:
        """The document that this key signs, for its own person where no other is named."""
        own = parse_key(self.keys[key].line)
        changed = {"evidence": own.evidence, **changed}
        return self.sealed(encode(self.terms(person or key.partition(" ")[0], **changed)), key)

    def sealed(self, payload: bytes, key: str) -> bytes:
        maker = self.keys[key]
        return seal(payload, parse_key(maker.line), maker.sign(signed_bytes(payload)))

    def judge(self, documents: Sequence[bytes] = (), reviews: Sequence[Mapping[str, object]] = ()) -> Judgement:
        """What the policy says of the change with these documents and the forge's reviews."""
        self.count += 1
        folder = self.folder / f"given{self.count}"
        folder.mkdir(parents=True)
        for number, document in enumerate(documents):
            (folder / f"{number}.json").write_bytes(document)
        given = folder / "reviews"
        given.write_text(json.dumps(list(reviews)))
        context = msgspec.structs.replace(self.context, approvals=(folder,), reviews=given if reviews else None)
        facts = msgspec.structs.replace(self.facts, review=collect_reviews(self.change, context))
        return Judgement({rule.id: rule.obligations[0] for rule in decide(self.policy, facts).rules})

    def review(self, account: str, state: str, at: str = "2026-03-01T11:30:00Z") -> dict[str, object]:
        user = {"login": account, "type": "Bot" if account.endswith("[bot]") else "User"}
        return {"user": user, "state": state, "commit_id": self.change.head, "submitted_at": at}


@dataclass
class Judgement:
    rules: Mapping[str, Obligation]

    def met(self, rule: str) -> bool:
        return self.rules[rule].state == "met"

    def why(self, rule: str) -> str:
        return self.rules[rule].why


def make_keys(folder: Path) -> dict[str, Key]:
    folder.mkdir(parents=True, exist_ok=True)
    keys: dict[str, Key] = {
        name: FileKey.make(folder / name) for name in ("alice", "bob", "mallory", "dave", "robot", "eve", "lost")
    }
    keys["carol"] = FileKey.make(folder / "carol", "ecdsa", 256)
    keys["carol rsa"] = FileKey.make(folder / "carol-rsa", "rsa", 2048)
    keys["bob hardware"] = HardwareKey.make()
    keys["bob hardware ecdsa"] = HardwareKey.make(ecdsa=True)
    keys["bob authenticator"] = Authenticator.make()
    return keys


def settings_text(keys: Mapping[str, Key], rules: str = RULES) -> str:
    def entry(name: str, accounts: Sequence[str]) -> str:
        own = [key.line for label, key in keys.items() if label.partition(" ")[0] == name]
        mails = json.dumps([f"{name}@example.com"])
        listed = f"accounts = {json.dumps(accounts)}\nkeys = {json.dumps(own)}\n"
        return f"[people.{name}]\nemails = {mails}\n{listed}"

    people = [entry(name, [name]) for name in ("alice", "carol", "mallory", "dave")]
    people += [entry("bob", ["bob", "bob-work"]), entry("robot", ["renovate[bot]"])]
    return f'policy.pack = "none"\n{rules}\n' + "\n".join(people)


def make_repo(path: Path, keys: Mapping[str, Key], rules: str = RULES) -> Repo:
    """`main`, and `feature`, which also tries to bring a key for Eve along."""
    own = settings_text(keys, rules)
    drawn = "\n".join(f"    . {line}" if line else "    ." for line in own.splitlines())
    head, _, tail = SCRIPT.partition("branch feature")
    eve = f'[people.eve]\naccounts = ["eve"]\nkeys = [{json.dumps(keys["eve"].line)}]'
    changed = "\n".join(f"    . {line}" if line else "    ." for line in f"{own}\n{eve}".splitlines())
    repo = build(path, f"{head}  file tidegate.toml\n{drawn}\nbranch feature{tail}  file tidegate.toml\n{changed}\n")
    repo.git(
        "commit", "-q", "--amend", "--no-edit", "--allow-empty",
        env={"GIT_COMMITTER_NAME": "Dave Day", "GIT_COMMITTER_EMAIL": "dave@example.com"},
    )  # fmt: skip
    repo.note(repo.head(), note_text(repo.head(), {"src/pay.py": {"a": "2"}}))
    repo.git("remote", "add", "origin", "https://github.example/acme/shop.git")
    return repo


def read_world(repo: Repo, keys: Mapping[str, Key], folder: Path, question: str = "main..feature") -> World:
    repository = open_repository(repo.path)
    ends = read_ends(Question(question), repository)
    loaded = read_settings(repository, ends.policy_at, {})
    policy = read_policy(repository, ends.policy_at, loaded)
    change = read_change(ends, repository, policy.settings)
    context = Context(
        repository=repository, settings=policy.settings, now=NOW, owners=policy.owners, onto=ends.policy_at
    )
    facts = Facts(
        now=NOW,
        repository=collect_repository(change, context),
        **collect(change, context, reach=False, verification=False)._asdict(),
    )
    return World(repo, repository, change, context, facts, policy, keys, folder)
