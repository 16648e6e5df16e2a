"""Answers one question about one change of a mirror: what the child does once its limits are set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tidegate import __version__
from tidegate.assess import Assessment, Request, assess
from tidegate.change.configuration import read_settings
from tidegate.change.facts_digest import facts_digest
from tidegate.change.git import Repository
from tidegate.change.pulls import read_event
from tidegate.change.read import Question
from tidegate.change.values import PullRequest
from tidegate.errors import InputError
from tidegate.facts import Facts, is_known, to_document, to_json
from tidegate.policy.rules import read_policy
from tidegate.report.document import encodable, render_json
from tidegate.report.style import PLAIN
from tidegate.server.work.questions import Answer, Ask, Begun, Done, Kind, is_last, key_of


def answers(ask: Ask, repository: Repository, folder: Path) -> Iterator[Answer]:
    """First what the decision is about, then the decision, unless it was made before. InputError where there is none.

    `folder` is empty and takes the files that the analysis reads.
    """
    policy = read_policy(repository, ask.tip, read_settings(repository, ask.tip, _NO_ENVIRONMENT)).digest
    if not ask.pull:
        yield Begun(policy)
        return
    request = _request(ask, folder)
    begun = _begin(ask, repository, request, policy)
    yield begun
    if not begun.known:
        yield _done(assess(request, repository))


def decided(facts: Facts, verdict: Any) -> Done:
    """A decision as the service keeps it."""
    document = to_document(facts)
    try:
        digest = facts_digest(document)
    except UnicodeEncodeError:
        digest = facts_digest(encodable(document))
    rated = is_known(facts.risk, "percentile")
    text = render_json(facts, verdict, PLAIN).encode()
    return Done(verdict.outcome, f"{facts.risk.percentile:.4f}" if rated else None, digest, text)


# Private

_NO_ENVIRONMENT: Mapping[str, str] = {}
_OPTIONS: Mapping[Kind, str] = {
    "transcript": "transcripts",
    "plan": "plans",
    "coverage": "coverage",
    "junit": "junit",
    "sarif": "sarif",
    "mutation": "mutation",
}


def _request(ask: Ask, folder: Path) -> Request:
    """The files of the question as the analysis takes them, under names of ours."""
    files: dict[str, Any] = {}
    for number, attached in enumerate(ask.attached):
        option = _OPTIONS[attached.kind]
        path = folder / f"{number}{_ending(attached.name)}"
        path.write_bytes(attached.data)
        files[option] = (*files.get(option, ()), path)
    for number, envelope in enumerate(ask.approvals):
        path = folder / f"{number}.approval.json"
        path.write_bytes(envelope)
        files["approvals"] = (*files.get("approvals", ()), path)
    pull = folder / "pull.json"
    pull.write_bytes(_at_tip(ask.pull, ask.tip))
    reviews = None
    if ask.reviews is not None:
        reviews = folder / "reviews.json"
        reviews.write_bytes(ask.reviews)
    if ask.looks is not None:
        files["looks"] = folder / "looks.json"
        files["looks"].write_bytes(ask.looks)
    return Request(
        question=Question(pr=pull),
        stage="merge",
        now=ask.now,
        environment=_NO_ENVIRONMENT,
        reviews=reviews,
        approvers=ask.approvers,
        **files,
    )


def _begin(ask: Ask, repository: Repository, request: Request, policy: str) -> Begun:
    assert request.question.pr is not None  # noqa: S101 `_request` put it there
    pull = read_event(request.question.pr)
    key = key_of(
        *("tidegate.decision/1", __version__, ask.repository, str(ask.number)),
        *(ask.tip, pull.head, policy, evidence_of(ask, pull)),
    )
    merged = repository.merge_trees(ask.tip, pull.head)
    return Begun(policy, key, ask.tip, pull.head, merged, is_last(key, ask.known))


def evidence_of(ask: Ask, pull: PullRequest) -> str:
    """A digest of all that the decision follows from beside the commits and the policy: what the author says, reviews,
    approvals, attached files. Not when the forge last touched it: our own comment does that."""
    said = replace(pull, updated_at="", merged_by="", base="")
    files = [[each.kind, each.name, hashlib.sha256(each.data).hexdigest()] for each in ask.attached]
    approvals = sorted(hashlib.sha256(envelope).hexdigest() for envelope in ask.approvals)
    looks = hashlib.sha256(ask.looks).hexdigest() if ask.looks else ""
    everything = [msgspec.to_builtins(said), _reviews(ask.reviews), approvals, ask.approvers, sorted(files), ask.again]
    everything += [looks] if looks else []
    return hashlib.sha256(to_json(encodable(everything))).hexdigest()


def _reviews(text: bytes | None) -> Any:
    """Reviews without what a forge writes differently each time: where it cannot be told, their bytes."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return hashlib.sha256(text).hexdigest()


def _at_tip(document: bytes, tip: str) -> bytes:
    """The forge's document with the base where the target branch stands now. A forge tells where it stood once, and
    whoever does not push would keep yesterday's policy."""
    try:
        pull = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("the forge's description of the change is no JSON") from error
    if isinstance(pull, dict) and isinstance(pull.get("base"), dict):
        pull["base"]["sha"] = tip
    elif isinstance(pull, dict) and "iid" in pull:
        refs = pull.get("diff_refs")
        pull["diff_refs"] = {**(refs if isinstance(refs, dict) else {}), "base_sha": tip}
    else:
        raise InputError("the forge's description of the change is not as documented")
    return msgspec.json.encode(pull)


def _done(assessment: Assessment) -> Done:
    return decided(assessment.facts, assessment.verdict)


def _ending(name: str) -> str:
    """Some formats are told by the ending of the file."""
    ending = Path(name).suffix.lower()
    return ending if ending in (".json", ".jsonl", ".xml", ".sarif", ".txt", ".info", ".lcov") else ""
