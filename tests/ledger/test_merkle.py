"""The tree against the public vectors, against every tree of up to 130 leaves, and against two other verifiers."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import scitt_cose

from tests.ledger.logs import MemoryLog
from tests.ledger.mutants import TooSlowError, limited, mutants_of
from tidegate.errors import InputError
from tidegate.ledger import merkle
from tidegate.ledger.merkle import EMPTY_ROOT, Frontier, ProofError, leaf_hash, node_hash, root_at, root_of

LARGEST = 130


@lru_cache
def log() -> MemoryLog:
    made = MemoryLog()
    made.append(*(b"entry %d" % number for number in range(LARGEST)))
    return made


def holds(verify: Callable[..., None], *arguments: Any) -> bool:
    try:
        verify(*arguments)
    except InputError:  # the ProofError of a mutant is another class
        return False
    return True


def vectors(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "ledger" / "rfc6962" / kind).rglob("*.json")):
        yield path.name, json.loads(path.read_bytes())


def decoded(vector: dict[str, Any], *names: str) -> list[bytes]:
    return [base64.b64decode(vector[name] or "") for name in names]


def proof_of(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(hash_) for hash_ in vector["proof"] or ()]


@pytest.mark.conformance
@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_vectors(data: Path, kind: str) -> None:
    tried = 0
    for name, vector in vectors(data, kind):
        assert judge_vector(merkle, kind, vector) is not vector["wantErr"], name
        tried += 1
    assert tried == 98


@pytest.mark.conformance
def test_subtree_inclusion_vectors(data: Path) -> None:
    """A proof inside a subtree is a proof inside the tree of its leaves, if the subtree is one (draft-ietf-plants)."""
    tried = 0
    for name, vector in vectors(data, "subtreeinclusion"):
        begin, end = vector["start"], vector["end"]
        leaf, root = decoded(vector, "leafHash", "root")
        aligned = begin < end and begin % (1 << (end - begin - 1).bit_length()) == 0
        index = vector["leafIdx"] - begin
        got = aligned and holds(merkle.verify_inclusion, index, end - begin, leaf, proof_of(vector), root)
        assert got is not vector["wantErr"], name
        tried += 1
    assert tried == 204


def test_known_roots() -> None:
    """The roots of the eight leaves that Certificate Transparency's implementations share."""
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of(leaves[:5]).hex() == "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_every_tree_of_up_to_130_leaves() -> None:
    made = log()
    frontier = Frontier()
    for size in range(LARGEST + 1):
        root = reference_root(list(made.leaves[:size]))
        assert frontier.root == root == made.root(size) == root_at(size, made.hash_at) == root_of(made.leaves[:size])
        for index in range(size):
            proof = made.include(index, size)
            assert len(proof) <= 8
            merkle.verify_inclusion(index, size, made.leaves[index], proof, root)
            entry = made.entries[index].hex()
            assert scitt_cose.verify_inclusion(entry, index, size, [hash_.hex() for hash_ in proof], root.hex())
        for old in range(1, size + 1):
            proof = made.prove(old, size)
            merkle.verify_consistency(old, size, made.root(old), root, proof)
            merkle.verify_growth(old, size, made.root(old), root, proof)
            hashes = [hash_.hex() for hash_ in proof]
            assert scitt_cose.verify_consistency(made.root(old).hex(), root.hex(), old, size, hashes)
        if size < LARGEST:
            frontier = frontier.append(made.leaves[size])


def test_any_change_to_a_proof_is_judged_as_the_definition_judges_it() -> None:
    refusals = check_verifiers(merkle, sizes=range(1, 34), step=5)
    assert refusals > 3000


def test_growth_from_nothing_lengths_of_hashes_and_the_largest_trees() -> None:
    check_bounds(merkle)


def test_what_is_no_tree_is_refused() -> None:
    made = log()
    for call in [
        lambda: merkle.inclusion_proof(5, 5, made.hash_at),
        lambda: merkle.inclusion_proof(-1, 5, made.hash_at),
        lambda: merkle.consistency_proof(0, 5, made.hash_at),
        lambda: merkle.consistency_proof(6, 5, made.hash_at),
        lambda: Frontier(3, (EMPTY_ROOT,)).append(EMPTY_ROOT),
    ]:
        with pytest.raises(ProofError):
            call()


@pytest.mark.conformance
@pytest.mark.slow
def test_mutants_of_the_verifier_are_killed(data: Path, record_property: Callable[[str, object], None]) -> None:
    functions = {"verify_inclusion", "verify_consistency", "verify_growth", "_skip_to_right", "_check_hashes"}
    source = Path(merkle.__file__).read_text(encoding="utf-8")
    public = [(kind, list(vectors(data, kind))) for kind in ("inclusion", "consistency")]
    begin = time.process_time()
    judge(merkle, public)
    limit = 0.05 + 2 * (time.process_time() - begin)
    survivors, tried = [], 0
    for mutant in mutants_of(source, functions):
        tried += 1
        if not is_killed(mutant.load("mutant"), public, limit):
            survivors.append(mutant.name)
    record_property("summary", f"Merkle verifier: {tried} mutants, {tried - len(survivors)} killed")
    assert tried > 60
    assert survivors == []


# The definitions of RFC 6962, section 2.1, word for word.


def reference_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = largest_power_below(len(leaves))
    return node_hash(reference_root(leaves[:half]), reference_root(leaves[half:]))


def reference_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """The root that the proof leads to; None where it has not the length that the place demands."""
    if size == 1 or not proof:
        return leaf if size == 1 and not proof else None
    half = largest_power_below(size)
    if index < half:
        left = reference_inclusion(index, half, leaf, proof[:-1])
        return left and node_hash(left, proof[-1])
    right = reference_inclusion(index - half, size - half, leaf, proof[:-1])
    return right and node_hash(proof[-1], right)


def reference_consistency(
    old: int, new: int, proof: list[bytes], old_root: bytes, whole: bool
) -> tuple[bytes, bytes] | None:
    """The old and the new root that the proof leads to (SUBPROOF); None where it has not the right length."""
    if old == new:
        if whole:
            return None if proof else (old_root, old_root)
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    half = largest_power_below(new)
    if old <= half:
        inner = reference_consistency(old, half, proof[:-1], old_root, whole)
        return inner and (inner[0], node_hash(inner[1], proof[-1]))
    inner = reference_consistency(old - half, new - half, proof[:-1], old_root, False)
    return inner and (node_hash(proof[-1], inner[0]), node_hash(proof[-1], inner[1]))


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def changed(proof: list[bytes]) -> Iterator[list[bytes]]:
    yield proof
    yield [*proof, EMPTY_ROOT]
    yield [EMPTY_ROOT, *proof]
    for at in range(len(proof)):
        yield proof[:at] + proof[at + 1 :]
        yield [*proof[:at], EMPTY_ROOT, *proof[at + 1 :]]
    if len(proof) > 1:
        yield proof[::-1]


def check_verifiers(module: Any, sizes: range, step: int = 1) -> int:
    """Asserts that the verifiers of a module judge as the definitions do. Answers how often they refused."""
    made, refused = log(), 0
    for size in sizes:
        for index in range(size):
            for proof in changed(list(made.include(index, size))):
                places = [(index, size), (index + 1, size), (index, size + 1), (index, size - 1), (index ^ 1, size)]
                for at, total in places:
                    expected = 0 <= at < total and reference_inclusion(at, total, made.leaves[index], proof)
                    root = expected or made.root(size)
                    arguments = (at, total, made.leaves[index], proof, root)
                    assert holds(module.verify_inclusion, *arguments) is bool(expected)
                    refused += not expected
        for old in range(1, size + 1, step if size > 12 else 1):
            for proof in changed(list(made.prove(old, size))):
                for first, second in [(old, size), (old + 1, size), (old, size + 1), (old - 1, size), (size, old)]:
                    claimed = made.root(old)
                    led = 0 < first <= second and reference_consistency(first, second, proof, claimed, True)
                    roots = led or (claimed, made.root(size))
                    arguments = (first, second, claimed, roots[1], proof)
                    assert holds(module.verify_consistency, *arguments) is bool(led and led[0] == claimed)
                    refused += not led
    return refused


def check_bounds(module: Any) -> None:
    """Asserts what the definitions do not say: growth from nothing, the length of hashes, the largest size."""
    made = log()
    root = made.root(3)
    assert holds(module.verify_growth, 0, 3, EMPTY_ROOT, root, ())
    assert holds(module.verify_growth, 0, 0, EMPTY_ROOT, EMPTY_ROOT, ())
    assert holds(module.verify_growth, 0, merkle.MAX_SIZE, EMPTY_ROOT, root, ())
    assert holds(module.verify_growth, 1, 3, made.root(1), root, made.prove(1, 3))
    for arguments in [
        (0, 3, root, root, ()),
        (0, 3, EMPTY_ROOT, root, (root,)),
        (0, 0, EMPTY_ROOT, root, ()),
        (0, -1, EMPTY_ROOT, EMPTY_ROOT, ()),
        (0, 1 << 63, EMPTY_ROOT, root, ()),
        (0, 3, EMPTY_ROOT, root[:31], ()),
        (1, 3, root, root, ()),
        (4, 3, root, root, ()),
    ]:
        assert not holds(module.verify_growth, *arguments)
    assert not holds(module.verify_consistency, 0, 3, EMPTY_ROOT, root, ())
    # A proof that goes on above the root, to the root that it would then lead to.
    for size in (1, 3, 4):
        above = node_hash(EMPTY_ROOT, made.root(size))
        proof = [*made.include(size - 1, size), EMPTY_ROOT]
        assert not holds(module.verify_inclusion, size - 1, size, made.leaves[size - 1], proof, above)
    # A hash of another length could hide a leaf in a node: what is hashed would be the same.
    short, long = made.leaves[1][:31], made.leaves[1] + b"x"
    for sibling in (short, long):
        assert not holds(module.verify_inclusion, 0, 2, made.leaves[0], [sibling], node_hash(made.leaves[0], sibling))
        joined = node_hash(made.leaves[0], sibling)
        assert not holds(module.verify_consistency, 1, 2, made.leaves[0], joined, [sibling])
        assert not holds(module.verify_inclusion, 0, 1, sibling, [], sibling)
    check_largest(module)


def check_largest(module: Any) -> None:
    """Paths as long as they get, in a tree whose leaves are all the same, and none in a larger one."""
    rows = [leaf_hash(b"")]
    for _ in range(63):
        rows.append(node_hash(rows[-1], rows[-1]))
    for size in (merkle.MAX_SIZE, (1 << 62) + 1):
        root = root_at(size, lambda level, _: rows[level])
        for index in (0, size // 3, size - 1):
            proof = merkle.inclusion_proof(index, size, lambda level, _: rows[level])
            assert len(proof) <= 63
            assert holds(module.verify_inclusion, index, size, rows[0], proof, root)
    assert holds(module.verify_consistency, merkle.MAX_SIZE, merkle.MAX_SIZE, rows[63], rows[63], [])
    proof = [rows[level] for level in range(63)]
    assert not holds(module.verify_inclusion, 0, 1 << 63, rows[0], proof, rows[63])
    assert not holds(module.verify_consistency, 1, 1 << 63, rows[0], rows[63], proof)
    assert not holds(module.verify_consistency, 1 << 63, 1 << 63, rows[63], rows[63], [])


def judge(module: Any, public: Iterable[tuple[str, list[tuple[str, dict[str, Any]]]]]) -> None:
    """All of the above of one verifier, the quick before the slow."""
    check_verifiers(module, range(1, 6))
    check_bounds(module)
    for kind, all_vectors in public:
        for name, vector in all_vectors:
            assert judge_vector(module, kind, vector) is not vector["wantErr"], name
    check_verifiers(module, range(6, 14))


def judge_vector(module: Any, kind: str, vector: dict[str, Any]) -> bool:
    if kind == "inclusion":
        leaf, root = decoded(vector, "leafHash", "root")
        return holds(module.verify_inclusion, vector["leafIdx"], vector["treeSize"], leaf, proof_of(vector), root)
    old, new = decoded(vector, "root1", "root2")
    return holds(module.verify_consistency, vector["size1"], vector["size2"], old, new, proof_of(vector))


def is_killed(module: Any, public: Iterable[tuple[str, list[tuple[str, dict[str, Any]]]]], limit: float) -> bool:
    """Whether the tests above tell this verifier from a right one."""
    try:
        with limited(limit):
            judge(module, public)
    except (AssertionError, TooSlowError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return True
    return False
