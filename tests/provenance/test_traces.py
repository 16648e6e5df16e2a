"""Agent Trace records on the ladder: E4 when they fit their commit, E5 when a trusted key signed them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.provenance.conftest import Collect
from tests.provenance.test_collect import START, spans
from tests.repos import Repo
from tidegate.provenance.trace_signature import canonical_json, key_id
from tidegate.settings import ProvenanceSettings, Settings

Draw = Callable[[str], Repo]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
TRUSTED = Settings(provenance=ProvenanceSettings(trusted_keys=(base64.b64encode(PUBLIC).decode(),)))


def traced(draw: Draw, *, contributor: str = "ai", last: int = 2, sign: bool = False, forge: bool = False) -> Repo:
    repo = draw(START + "commit Add\n  file b.py\n    . one = 1\n    . two = 2\n    . three = 3\n")
    ranges = [{"start_line": 1, "end_line": last}]
    who = (
        {"type": contributor, "model_id": "anthropic/claude-opus-4-6"} if contributor == "ai" else {"type": contributor}
    )
    record: dict[str, object] = {
        "version": "0.1.0",
        "id": "353633b0-1922-45c0-80b8-32ac3ce74e0d",
        "timestamp": "2026-04-14T10:18:33Z",
        "vcs": {"type": "git", "revision": repo.head()},
        "tool": {"name": "claude-code" if contributor == "ai" else "Bob Jones"},
        "files": [{"path": "b.py", "conversations": [{"contributor": who, "ranges": ranges}]}],
    }
    if sign:
        value = base64.b64encode(KEY.sign(canonical_json(record))).decode()
        record["sig"] = {"alg": "ed25519", "key_id": key_id(PUBLIC), "value": value}
    if forge:
        record["timestamp"] = "2026-04-15T10:18:33Z"
    repo.git("checkout", "-q", "--orphan", "meta")
    repo.git("rm", "-rqf", ".")
    repo.commit("Traces", {"traces.jsonl": json.dumps(record) + "\n"})
    repo.git("update-ref", "refs/agentdiff/meta", "HEAD")
    repo.git("checkout", "-q", "feature")
    return repo


@pytest.mark.parametrize(("sign", "level"), [(False, "E4"), (True, "E5")])
def test_a_trace_that_fits_its_commit_attests_lines(draw: Draw, provenance: Collect, sign: bool, level: str) -> None:
    facts = provenance(traced(draw, sign=sign), settings=TRUSTED)
    assert spans(facts) == [f"b.py:1-2 ai claude {level}", "b.py:3-3 unknown - E0"]
    assert facts.spans[0].model == "anthropic/claude-opus-4-6"
    assert facts.notes_read == 1


def test_a_signature_by_a_key_that_nobody_trusts_adds_nothing(draw: Draw, provenance: Collect) -> None:
    assert spans(provenance(traced(draw, sign=True)))[0] == "b.py:1-2 ai claude E4"


def test_a_record_that_was_changed_after_signing_is_a_suspicion(draw: Draw, provenance: Collect) -> None:
    facts = provenance(traced(draw, sign=True, forge=True), settings=TRUSTED)
    assert spans(facts)[0] == "b.py:1-2 ai claude E1"
    assert {f.rule for f in facts.findings} == {"trace-bad-signature"}


def test_a_trace_that_reaches_too_far_is_a_suspicion_and_for_a_person_nothing(draw: Draw, provenance: Collect) -> None:
    facts = provenance(traced(draw, last=9))
    assert spans(facts) == ["b.py:1-3 ai claude E1"]
    assert {f.rule for f in facts.findings} == {"trace-over-reach"}


def test_a_person_in_a_trace_is_a_claim_that_counts_only_when_it_fits(draw: Draw, provenance: Collect) -> None:
    facts = provenance(traced(draw, contributor="human"))
    assert spans(facts)[0] == "b.py:1-2 human - E4"
    assert facts.spans[0].human.startswith("Bob Jones")
