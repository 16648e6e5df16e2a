"""Verifies an exported ledger, or a receipt, without Tidegate: Python 3.11 and `cryptography` are all that it needs.

    python verify_ledger.py DIRECTORY --log-key VKEY [--witness-key VKEY]... [--known NOTE]... [--entry-key VKEY]...
    python verify_ledger.py --receipt FILE --entry FILE --log-key VKEY [--witness-key VKEY]...

DIRECTORY holds what C2SP tlog-tiles names: `checkpoint`, `tile/LEVEL/N`, `tile/entries/N`. VKEY is a C2SP verifier key,
or a file with one. NOTE is a checkpoint that you kept from earlier: the log must begin with it. With --entry-key each
entry must be a DSSE envelope that one of these keys signed. Exit status: 0 verified, 1 not verified, 2 wrong usage.

The formats: RFC 6962 and RFC 9162 section 2.1 (tree), and c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature,
tlog-tiles, tlog-proof (texts). Whatever this script does not expect, it reports as not verified.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

LOG, WITNESS, WITNESS_ML_DSA = 1, 4, 6
SURPRISES = (ValueError, OSError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


class NotVerifiedError(Exception):
    """What was given does not hold."""


def require(condition, what):
    if not condition:
        raise NotVerifiedError(what)


# The tree


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(index, size, leaf, proof, root):
    require(0 <= index < size < 2**63, f"there is no entry {index} in a log of {size}")
    require(all(len(hash_) == 32 for hash_ in (leaf, root, *proof)), "a hash has 32 bytes")
    node, last, hash_ = index, size - 1, leaf
    for sibling in proof:
        require(last > 0, "the proof is too long")
        if node % 2 == 1 or node == last:
            hash_ = node_hash(sibling, hash_)
            while node % 2 == 0:  # then it is the last of its level, and not 0
                node, last = node // 2, last // 2
        else:
            hash_ = node_hash(hash_, sibling)
        node, last = node // 2, last // 2
    require(last == 0, "the proof is too short")
    require(hash_ == root, "the proof leads to another root")


class Tree:
    """Grows by leaf hashes. It keeps the roots of complete subtrees, and hands over each tile when it is full."""

    def __init__(self, take_tile):
        self.size = 0
        self.stack = []
        self.rows = []
        self.take_tile = take_tile

    def append(self, leaf):
        hash_, complete = leaf, self.size
        self.size += 1
        self._into_tile(0, leaf)
        level = 0
        while complete % 2 == 1:
            hash_, complete, level = node_hash(self.stack.pop(), hash_), complete // 2, level + 1
            if level % 8 == 0:
                self._into_tile(level // 8, hash_)
        self.stack.append(hash_)

    def root(self):
        root = self.stack[-1] if self.stack else hashlib.sha256(b"").digest()
        for left in reversed(self.stack[:-1]):
            root = node_hash(left, root)
        return root

    def finish(self):
        """Hands over the tiles that are not full."""
        for level, row in enumerate(self.rows):
            if row:
                self.take_tile(level, (self.size >> 8 * level) // 256, b"".join(row), len(row))

    def _into_tile(self, level, hash_):
        if level == len(self.rows):
            self.rows.append([])
        self.rows[level].append(hash_)
        if len(self.rows[level]) == 256:
            self.take_tile(level, (self.size >> 8 * level) // 256 - 1, b"".join(self.rows[level]), 256)
            self.rows[level] = []


# Notes, checkpoints and keys


def decode(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 is not in its canonical spelling")
    return data


def number(text):
    require(re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII), f"{text[:30]!r} is no number")
    return int(text)


class Key:
    """A verifier key: NAME+KEYID+BASE64."""

    def __init__(self, vkey):
        self.name, key_id, data = vkey.strip().split("+", 2)
        blob = decode(data)
        self.kind, self.public = blob[0], blob[1:]
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + blob).digest()[:4]
        require(self.key_id.hex() == key_id, f"the key id of {self.name} is not the one of its key")
        require(self.kind in (LOG, WITNESS, WITNESS_ML_DSA), f"the key of {self.name} is of a kind that is not known")

    def signed(self, message, signature):
        from cryptography.exceptions import InvalidSignature

        if self.kind == WITNESS_ML_DSA:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey as PublicKey
        else:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as PublicKey
        try:
            PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def signed_note(self, text, signature):
        if self.kind == LOG:
            return self.signed(text, signature)
        time = int.from_bytes(signature[:8], "big")
        if not 0 < time < 2**63:
            return False
        if self.kind == WITNESS:
            return self.signed(b"cosignature/v1\ntime %d\n" % time + text, signature[8:])
        origin, size, root = parse_checkpoint(text)
        names = [bytes([len(name)]) + name for name in (self.name.encode(), origin.encode())]
        message = b"subtree/v1\n\0" + names[0] + signature[:8] + names[1] + bytes(8) + size.to_bytes(8, "big") + root
        return self.signed(message, signature[8:])


def parse_checkpoint(text):
    origin, size, root, _ = text.decode().split("\n")
    return origin, number(size), decode(root)


def open_checkpoint(note, log_key, witness_keys, quorum):
    """The size and the root that the log signed, once `quorum` witnesses cosigned them, and the names of those."""
    require(not any(byte < 32 and byte != 10 for byte in note), "a note has no control characters")
    text, _, lines = note.rpartition(b"\n\n")
    require(lines.endswith(b"\n"), "a note has a text, a blank line and whole lines of signatures")
    text += b"\n"
    known = {(key.name, key.key_id): key for key in (log_key, *witness_keys)}
    signed = set()
    for line in lines.decode().removesuffix("\n").split("\n"):
        dash, name, data = line.split(" ")
        blob = decode(data)
        require(dash == "\u2014" and len(blob) > 4, "a signature is a dash, a name and base64")
        key = known.get((name, blob[:4]))
        if key is not None:
            require(key.signed_note(text, blob[4:]), f"the signature of {name} does not hold")
            signed.add(key)
    require(log_key in signed, f"{log_key.name} did not sign the checkpoint")
    cosigned = [key for key in signed if key is not log_key]
    count = min(len({key.name for key in cosigned}), len({key.public for key in cosigned}))
    require(count >= quorum, f"{count} trusted witnesses cosigned, and {quorum} must")
    origin, size, root = parse_checkpoint(text)
    require(origin == log_key.name, f"the checkpoint is of {origin}")
    return size, root, sorted({key.name for key in cosigned})


# What can be verified


def tile_path(kind, index, width):
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return f"tile/{kind}/{path}" + ("" if width == 256 else f".p/{width}")


def read_entries(folder, size):
    for first in range(0, size, 256):
        width = min(256, size - first)
        path = tile_path("entries", first // 256, width)
        data, at = (folder / path).read_bytes(), 0
        for _ in range(width):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : end]
            at = end
        require(at == len(data), f"{path} does not hold {width} whole entries")


def check_entry(index, entry, keys):
    envelope = json.loads(entry)
    require(
        json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode() == entry, f"entry {index} is ambiguous"
    )
    kind, payload = envelope["payloadType"].encode(), decode(envelope["payload"])
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signatures = [decode(signature["sig"]) for signature in envelope["signatures"]]
    signed = any(key.signed(message, signature) for signature in signatures for key in keys)
    require(signed, f"no trusted key signed entry {index}")


def verify_directory(folder, log_key, witness_keys, quorum, known, entry_keys):
    """A line that says what holds. `known` are notes of earlier checkpoints."""
    size, root, witnesses = open_checkpoint((folder / "checkpoint").read_bytes(), log_key, witness_keys, quorum)
    earlier = [open_checkpoint(note, log_key, witness_keys, 0) for note in known]
    roots = {}
    for known_size, known_root, _ in earlier:
        require(known_size <= size, f"the log had {known_size} entries, and has {size}")
        require(roots.setdefault(known_size, known_root) == known_root, f"the log had two roots at {known_size}")

    def compare(level, index, data, width):
        path = tile_path(level, index, width)
        require((folder / path).read_bytes() == data, f"{path} does not agree with the entries")

    tree = Tree(compare)
    require(roots.get(0, tree.root()) == tree.root(), "the empty log had another root")
    for index, entry in enumerate(read_entries(folder, size)):
        if entry_keys:
            check_entry(index, entry, entry_keys)
        tree.append(leaf_hash(entry))
        if tree.size in roots:
            require(tree.root() == roots[tree.size], f"the first {tree.size} entries are not those that were signed")
    tree.finish()
    require(tree.root() == root, "the entries do not lead to the root of the checkpoint")
    seen = f"cosigned by {', '.join(witnesses)}" if witnesses else "NOT cosigned: its keeper could have rewritten it"
    return f"verified: {size} entries of {log_key.name}, {len(known)} earlier checkpoints, {seen}"


def verify_receipt(receipt, entry, log_key, witness_keys, quorum):
    head, _, note = receipt.partition(b"\n\n")
    lines = head.decode().split("\n")
    require(lines.pop(0) == "c2sp.org/tlog-proof@v1", "this is no receipt")
    if lines[0].startswith("extra "):
        decode(lines.pop(0).removeprefix("extra "))
    require(lines[0].startswith("index "), "a receipt has an index")
    index, proof = number(lines[0].removeprefix("index ")), [decode(line) for line in lines[1:]]
    size, root, witnesses = open_checkpoint(note, log_key, witness_keys, quorum)
    verify_inclusion(index, size, leaf_hash(entry), proof, root)
    seen = f"cosigned by {', '.join(witnesses)}" if witnesses else "NOT cosigned: its keeper could have forged it"
    return f"verified: entry {index} of {size} in {log_key.name}, {seen}"


def read_key(text):
    return Key(Path(text).read_text() if Path(text).is_file() else text)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verifies an exported ledger, or a receipt.")
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--receipt", type=Path)
    parser.add_argument("--entry", type=Path, help="the entry that the receipt is for")
    parser.add_argument("--log-key", required=True)
    parser.add_argument("--witness-key", action="append", default=[])
    parser.add_argument("--quorum", type=int, help="how many witnesses must have cosigned; by default all of them")
    parser.add_argument("--known", action="append", default=[], type=Path)
    parser.add_argument("--entry-key", action="append", default=[])
    given = parser.parse_args(arguments)
    if (given.receipt is None) == (given.directory is None) or (given.receipt is None) == (given.entry is not None):
        parser.error("give a directory, or a receipt and its entry")
    try:
        witnesses = [read_key(text) for text in given.witness_key]
        require(all(key.kind != LOG for key in witnesses), "a log's key cannot cosign")
        quorum = len({key.name for key in witnesses}) if given.quorum is None else given.quorum
        trusted = (read_key(given.log_key), witnesses, quorum)
        if given.receipt is not None:
            print(verify_receipt(given.receipt.read_bytes(), given.entry.read_bytes(), *trusted))
        else:
            known = [path.read_bytes() for path in given.known]
            entry_keys = [read_key(text) for text in given.entry_key]
            print(verify_directory(given.directory, *trusted, known, entry_keys))
    except (NotVerifiedError, *SURPRISES) as reason:
        print(f"NOT verified: {type(reason).__name__}: {reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
