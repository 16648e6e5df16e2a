"""The Merkle tree of RFC 6962 and RFC 9162, section 2.1: hashes, proofs, and what a verifier does with them.

A hash is 32 bytes of SHA-256. A proof is a tuple of hashes, from the leaves up. What reads the tree asks
`hash_at(level, index)` for the root of the complete subtree over the leaves [index * 2**level, (index + 1) * 2**level).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from tidegate.errors import InputError

HashAt: TypeAlias = Callable[[int, int], bytes]
Proof: TypeAlias = tuple[bytes, ...]

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_SIZE = 2**63 - 1
"""Sizes and indexes fit into a signed 64-bit number, so no proof is longer than 63 hashes (tlog-witness)."""


class ProofError(InputError):
    """The proof does not show what it is meant to show."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier(msgspec.Struct, frozen=True):
    """All that a log must remember to grow: its size and the roots of its complete subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier with these leaf hashes more."""
        if len(self.hashes) != self.size.bit_count():
            raise ProofError("a frontier has one hash for each bit of its size")
        hashes, size = list(self.hashes), self.size
        for leaf in leaves:
            hash_, complete = leaf, size
            while complete & 1:
                hash_ = node_hash(hashes.pop(), hash_)
                complete >>= 1
            hashes.append(hash_)
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree with these leaf hashes."""
    return Frontier().extend(leaves).root


def root_at(size: int, hash_at: HashAt) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(0, size, hash_at) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> Proof:
    """The proof that the leaf `index` is in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            proof.append(_range_root(begin, middle, hash_at))
            begin = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, hash_at: HashAt) -> Proof:
    """The proof that the first `old` of `new` leaves are the tree of `old` leaves (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= new <= MAX_SIZE:
        raise ProofError(f"there is no consistency proof from {old} to {new}")
    proof: list[bytes] = []
    begin, end, whole = 0, new, True
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            proof.append(_range_root(begin, middle, hash_at))
            begin, whole = middle, False
    if not whole:
        proof.append(_range_root(begin, end, hash_at))
    return tuple(reversed(proof))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Returns if the leaf hash stands at `index` of the tree (RFC 9162, 2.1.3.2), else raises ProofError."""
    _check_hashes(leaf, root, *proof)
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    node, last, hash_ = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            hash_ = node_hash(sibling, hash_)
            node, last = _skip_to_right(node, last)
        else:
            hash_ = node_hash(hash_, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if hash_ != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Returns if the old tree is the beginning of the new one (RFC 9162, 2.1.4.2), else raises ProofError.

    From an empty tree there is no proof: that is an error here, and `verify_growth` says what a witness does.
    """
    if not 0 < old <= new <= MAX_SIZE:
        raise ProofError(f"there is no consistency proof from {old} to {new}")
    if old == new:
        if proof or old_root != new_root:
            raise ProofError("trees of one size have one root and no proof")
        return
    _check_hashes(old_root, new_root, *proof)
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    if not proof:
        raise ProofError("the proof is empty")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_hash = new_hash = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old_hash, new_hash = node_hash(sibling, old_hash), node_hash(sibling, new_hash)
            node, last = _skip_to_right(node, last)
        else:
            new_hash = node_hash(new_hash, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if old_hash != old_root or new_hash != new_root:
        raise ProofError("the proof leads to another root")


def verify_growth(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """As `verify_consistency`, but every tree grows from the empty one, by an empty proof (tlog-witness)."""
    if old != 0:
        verify_consistency(old, new, old_root, new_root, proof)
        return
    _check_hashes(old_root, new_root)
    if proof or old_root != EMPTY_ROOT or not 0 <= new <= MAX_SIZE:
        raise ProofError("growth from the empty tree has no proof")
    if new == 0 and new_root != EMPTY_ROOT:
        raise ProofError("the empty tree has another root")


# Private


def _skip_to_right(node: int, last: int) -> tuple[int, int]:
    """Up the right edge of the tree, past the levels on which the node has no sibling.

    An even node comes here as the last of its level and not at the top, so it is not 0 and this ends.
    """
    while not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _split(count: int) -> int:
    """The largest power of two that is smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(begin: int, end: int, hash_at: HashAt) -> bytes:
    """The root over the leaves [begin, end), where `begin` is a multiple of the range's largest subtree."""
    parts: list[bytes] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append(hash_at(level, begin >> level))
        begin += 1 << level
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def _check_hashes(*hashes: bytes) -> None:
    if any(len(hash_) != HASH_SIZE for hash_ in hashes):
        raise ProofError("a hash has 32 bytes")
