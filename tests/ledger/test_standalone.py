"""The auditor's script: it agrees with us on our exports and receipts, and refuses every one that was tampered with."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tools import verify_ledger

from tests.conftest import ROOT
from tests.ledger.directories import write_directory
from tests.ledger.examples import STATEMENTS
from tests.ledger.logs import ORIGIN, Clock, MemoryLog, Witnesses, seeded_key
from tests.ledger.mutants import Mutant, TooSlowError, limited, mutants_of
from tidegate.ledger.checkpoint import Checkpoint, sign_checkpoint
from tidegate.ledger.keys import KeyKind, SoftwareKey
from tidegate.ledger.notes import NoteSignature, key_id, sign_note
from tidegate.ledger.receipt import Receipt
from tidegate.ledger.statements import sign_statement
from tidegate.ledger.tiles import Tile, TileWriter

SCRIPT = ROOT / "tools" / "verify_ledger.py"
ENTRY_KEY = seeded_key("entries.example")
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
LARGE_LEAVES = [number.to_bytes(32, "big") for number in range(65_536 + 300)]
ENTRY_SIGNER = SoftwareKey("ed25519", b"e" * 32)


class Export:
    """A log of 261 entries that three witnesses cosigned, as an auditor gets it; `arguments` are what he trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = MemoryLog()
        self.log.append(*(b"entry %d" % number for number in range(258)))
        for statement in STATEMENTS[:3]:
            self.log.append(sign_statement(statement, [ENTRY_SIGNER]))
        kinds = (KeyKind.WITNESS, KeyKind.WITNESS, KeyKind.WITNESS_ML_DSA)
        self.witnesses = Witnesses(folder / "witnesses", self.log, kinds, Clock())
        self.note = self.witnesses.cosign(self.log, 3).checkpoint.note
        self.directory = folder / "export"
        write_directory(self.directory, self.log.entries, self.note)
        self.receipt = folder / "receipt"
        self.entry = folder / "entry"
        self.keys = ["--log-key", self.log.key.public.vkey]
        for witness in self.witnesses.keys:
            self.keys += ["--witness-key", witness.vkey]

    def write_receipt(self, index: int, extra: bytes = b"") -> list[str]:
        self.entry.write_bytes(self.log.entries[index])
        self.receipt.write_bytes(Receipt(index, self.log.include(index), self.note, extra).text)
        return ["--receipt", str(self.receipt), "--entry", str(self.entry), *self.keys]

    def write_note(self, name: str, note: bytes) -> str:
        (self.folder / name).write_bytes(note)
        return str(self.folder / name)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return Export(tmp_path_factory.mktemp("export"))


def run(module: Any, *arguments: str) -> tuple[int, str]:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        status = module.main([*arguments])
    return status, shown.getvalue()


@contextlib.contextmanager
def changed(path: Path, data: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_it_is_short_and_needs_nothing_of_ours() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_it_runs_alone(export: Export, tmp_path: Path) -> None:
    """By `python -I`, from a copy, in an empty folder."""
    copy = tmp_path / "verify.py"
    copy.write_bytes(SCRIPT.read_bytes())
    command = [sys.executable, "-I", str(copy), str(export.directory), *export.keys]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "verified: 261 entries of log.example/main, 0 earlier checkpoints, "
        "cosigned by witness.example/w0, witness.example/w1, witness.example/w2\n"
    )


def test_it_judges_as_we_do(export: Export) -> None:
    judge(verify_ledger, export)


def test_it_says_when_nobody_watched(export: Export) -> None:
    status, shown = run(verify_ledger, str(export.directory), *export.keys[:2])
    assert status == 0
    assert "NOT cosigned: its keeper could have rewritten it" in shown


def test_every_file_of_an_export_counts(export: Export) -> None:
    for path in sorted(path for path in export.directory.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for wrong in (b"", data[:-1], data + b"\0", flipped(data, 0), flipped(data, len(data) // 2), data[::-1]):
            with changed(path, wrong):
                status, shown = run(verify_ledger, str(export.directory), *export.keys)
            assert status == 1, path
            assert shown.startswith("NOT verified")


def test_wrong_usage(export: Export, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], export.keys, ["--receipt", "x", *export.keys], ["x", "--entry", "y", *export.keys], ["x"]):
        with pytest.raises(SystemExit) as stopped:
            run(verify_ledger, *arguments)
        assert stopped.value.code == 2
    capsys.readouterr()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def judge(module: Any, export: Export) -> None:
    """Everything that the script must accept, and one of each kind that it must refuse."""
    directory, keys, log = str(export.directory), export.keys, export.log
    judge_small_trees(module)
    for index in (0, 1, 127, 255, 256, 257, 260):
        status, shown = run(module, *export.write_receipt(index, b"extra" * (index % 2)))
        assert (status, shown[: shown.index(",")]) == (0, f"verified: entry {index} of 261 in log.example/main")
    for known in ([], [0], [1], [255], [256], [257], [261], [2, 256, 261, 261]):
        notes = [argument for size in known for argument in ("--known", export.write_note(f"{size}", log.note(size)))]
        status, shown = run(module, directory, *keys, *notes)
        assert status == 0, shown
        assert shown.startswith(
            f"verified: 261 entries of log.example/main, {len(known)} earlier checkpoints, cosigned by"
        )
    assert run(module, directory, *keys[:-2], "--quorum", "2")[0] == 0
    for arguments in refused_arguments(export):
        assert run(module, *arguments)[0] == 1, arguments
    for path, data in tampered_files(export):
        with changed(path, data):
            assert run(module, directory, *keys)[0] == 1, path
    extended = sign_note(log.checkpoint().text + b"extension\n", [log.key])
    for note, status in [(extended, 1), (log.note(), 0)]:
        with changed(export.directory / "checkpoint", note):
            assert run(module, directory, *keys[:2])[0] == status
    judge_notes(module, export)
    judge_usage(module, export)
    judge_entries(module, export)
    judge_receipts(module, export)


def refused_arguments(export: Export) -> Iterator[list[str]]:
    """A sound export, to somebody who trusts other keys, needs more witnesses, or saw another log."""
    directory, keys, log = str(export.directory), export.keys, export.log
    stranger, witness = seeded_key("stranger"), export.witnesses.keys[0].vkey
    yield [directory, "--log-key", stranger.public.vkey]
    yield [directory, *keys, "--quorum", "4"]
    yield [directory, *keys[:2], "--quorum", "1"]
    yield [directory, *keys[:4], "--quorum", "2"]
    yield [directory, *keys, "--witness-key", seeded_key("w", KeyKind.WITNESS).public.vkey]
    yield [directory, *keys[:2], "--witness-key", stranger.public.vkey, "--quorum", "0"]
    yield [directory, "--log-key", witness]
    yield [directory, "--log-key", keys[1][:-4]]
    data = b"\x02" + log.key.public.public_key.data
    other_kind = f"{ORIGIN}+{key_id(ORIGIN, 2, data[1:]).hex()}+{base64.b64encode(data).decode()}"
    yield [directory, *keys, "--witness-key", other_kind, "--quorum", "0"]
    yield [directory, "--log-key", keys[1].replace(log.key.key_id.hex(), "00000000")]
    yield [directory, *keys, "--entry-key", ENTRY_KEY.public.vkey]
    other = log.copy(250)
    other.append(*(b"other" for _ in range(300)))
    for size in (251, 256, 261, 270):
        yield [directory, *keys, "--known", export.write_note(f"other-{size}", other.note(size))]
    wrong = Checkpoint(log.origin, 0, b"x" * 32)
    yield [directory, *keys, "--known", export.write_note("wrong", sign_checkpoint(wrong, [log.key]))]
    twice = [export.write_note("a", log.note(258)), export.write_note("b", other.note(258))]
    yield [directory, *keys, "--known", twice[0], "--known", twice[1]]
    unsigned = sign_checkpoint(log.checkpoint(258), [stranger])
    yield [directory, *keys, "--known", export.write_note("unsigned", unsigned)]


def tampered_files(export: Export) -> Iterator[tuple[Path, bytes]]:
    folder, log = export.directory, export.log
    for path in ("tile/0/000", "tile/0/001.p/5", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/5"):
        data = (folder / path).read_bytes()
        yield folder / path, flipped(data, len(data) - 1)
        yield folder / path, data + data[-2:]
    bundle = (folder / "tile/entries/000").read_bytes()
    yield folder / "tile/entries/000", b"\0\6" + bundle[2:]
    yield folder / "tile/entries/001.p/5", (folder / "tile/entries/001.p/5").read_bytes()[:-1]
    note = export.note
    checkpoint = folder / "checkpoint"
    lines = note.splitlines(keepends=True)
    yield checkpoint, note.replace(b"\n261\n", b"\n260\n")
    yield checkpoint, note.replace(b"\n261\n", b"\n0261\n")
    yield checkpoint, b"".join(lines[:-1])
    yield checkpoint, b"".join([*lines[:4], *lines[5:]])
    yield checkpoint, note[:-1]
    yield checkpoint, note.replace(b"\n\n", b"\n")
    yield checkpoint, note + b"rest\n"
    yield checkpoint, note.replace("\u2014 log".encode(), b"- log")
    for line in range(4, 8):
        at = len(b"".join(lines[: line + 1])) - 12
        yield checkpoint, note[:at] + (b"B" if note[at : at + 1] == b"A" else b"A") + note[at + 1 :]
    everyone = [log.key, *(seeded_key(key.name, key.kind) for key in export.witnesses.keys)]
    yield checkpoint, sign_checkpoint(Checkpoint("log.example/other", log.size, log.root()), everyone)
    yield checkpoint, sign_checkpoint(Checkpoint(log.origin, log.size, b"x" * 32), everyone)
    yield checkpoint, sign_checkpoint(Checkpoint(log.origin, log.size - 1, log.root(log.size - 1)), everyone)
    yield checkpoint, sign_checkpoint(log.checkpoint(), everyone[1:])


def judge_notes(module: Any, export: Export) -> None:
    """Notes of the sound log that are signed in other ways: status 0 where they may be read so."""
    log, witness = export.log, seeded_key("witness.example/w0", KeyKind.WITNESS)
    text = log.checkpoint().text
    raw = SoftwareKey("ed25519", sha256(f"{witness.name} {KeyKind.WITNESS}".encode()).digest())
    note = log.note()
    arguments = [str(export.directory), *export.keys[:4]]

    def cosigned(time: int) -> bytes:
        signature = time.to_bytes(8, "big") + raw.sign(b"cosignature/v1\ntime %d\n" % time + text)
        return note + NoteSignature(witness.name, witness.key_id, signature).line

    root = text.splitlines()[2]
    other_spelling = ALPHABET[ALPHABET.index(root[-2:-1]) + 1 :][:1]
    misspelt = text.replace(root, root[:-2] + other_spelling + b"=")
    for data, status in [
        (cosigned(Clock().time), 0),
        (cosigned(1), 0),
        (cosigned((1 << 63) - 1), 0),
        (cosigned(0), 1),
        (cosigned(1 << 63), 1),
        (cosigned(1) + "\u2014 x AAAAAAA=\n".encode(), 0),
        (cosigned(1) + "\u2014 x AAAAAA==\n".encode(), 1),
        (cosigned(1) + "\u2014 x\ty AAAAAAA=\n".encode(), 1),
        (cosigned(1) + b"- x AAAAAAA=\n", 1),
        (sign_note(misspelt, [log.key]) + cosigned(1).splitlines(True)[-1], 1),
    ]:
        with changed(export.directory / "checkpoint", data):
            assert run(module, *arguments)[0] == status, data
    with changed(export.directory / "checkpoint", sign_note(misspelt, [log.key])):
        assert run(module, *arguments[:3])[0] == 1


def judge_usage(module: Any, export: Export) -> None:
    receipt, entry = export.write_receipt(3)[1:4:2]
    with contextlib.redirect_stderr(io.StringIO()):
        for arguments in (
            [],
            [str(export.directory), "--receipt", receipt, "--entry", entry],
            [str(export.directory), "--entry", entry],
            ["--receipt", receipt],
            ["--entry", entry],
        ):
            with pytest.raises(SystemExit):
                run(module, *arguments, *export.keys)
    for index, width, path in [
        (0, 256, "000"),
        (999, 7, "999.p/7"),
        (1000, 256, "x001/000"),
        (1_234_067, 1, "x001/x234/067.p/1"),
    ]:
        assert module.tile_path("entries", index, width) == f"tile/entries/{path}"


def judge_large(module: Any, expected: dict[str, bytes]) -> None:
    """A tree with a full tile above the leaves."""
    tiles: dict[str, bytes] = {}

    def take(level: int, index: int, data: bytes, width: int) -> None:
        tiles[Tile(level, index, width).path] = data

    tree = module.Tree(take)
    for leaf in LARGE_LEAVES:
        tree.append(leaf)
    tree.finish()
    assert tiles == expected


def expected_tiles() -> dict[str, bytes]:
    writer = TileWriter()
    return {tile.tile.path: tile.data for tile in [*writer.extend(LARGE_LEAVES), *writer.partial()]}


def judge_entries(module: Any, export: Export) -> None:
    """With keys for entries, each entry must be an envelope that one of them signed."""
    log = MemoryLog()
    entries = [sign_statement(statement, [ENTRY_SIGNER]) for statement in STATEMENTS[:3]]
    log.append(*entries)
    folder = export.folder / "entries"
    key = seeded_entry_vkey()
    arguments = ["--log-key", log.key.public.vkey, "--entry-key", key]

    def status(entry: bytes) -> int:
        tampered = MemoryLog()
        tampered.append(*entries[:2], entry)
        target = folder / str(len(list(folder.iterdir())) if folder.exists() else 0)
        write_directory(target, tampered.entries, tampered.note())
        return run(module, str(target), *arguments)[0]

    assert status(entries[2]) == 0
    assert status(sign_statement(STATEMENTS[3], [SoftwareKey("ed25519", b"x" * 32), ENTRY_SIGNER])) == 0
    for wrong in (
        b"no envelope",
        entries[2].replace(b'"payloadType":"application/', b'"payloadType":"application-'),
        entries[2].replace(b"{", b"{ ", 1),
        entries[2].replace(b'"signatures":', b'"payload":"","signatures":'),
        sign_statement(STATEMENTS[2], [SoftwareKey("ed25519", b"x" * 32)]),
        flipped(entries[2], 40),
    ):
        assert status(wrong) == 1, wrong[:40]


def seeded_entry_vkey() -> str:
    from tidegate.ledger.keys import NoteKey, PublicKey

    return NoteKey("entries", KeyKind.LOG, PublicKey("ed25519", ENTRY_SIGNER.public_key)).vkey


def judge_receipts(module: Any, export: Export) -> None:
    good = export.write_receipt(200)
    text = export.receipt.read_bytes()
    head, _, note = text.partition(b"\n\n")
    lines = head.split(b"\n")
    for wrong in (
        b"",
        text.replace(b"@v1", b"@v2"),
        text.replace(b"index 200", b"index 201"),
        text.replace(b"index 200", b"index 0200"),
        text.replace(b"index 200", b"200"),
        text.replace(b"index 200", b"extra A\nindex 200"),
        b"\n".join([*lines[:-1], b"", note]),
        b"\n".join([*lines, lines[-1], b"", note]),
        b"\n".join([*lines[:2], *lines[:1:-1], b"", note]),
        b"\n".join([head, b"", note.replace(b"\n261\n", b"\n262\n")]),
        head,
    ):
        with changed(export.receipt, wrong):
            assert run(module, *good)[0] == 1, wrong[:60]
    with changed(export.entry, b"another entry"):
        assert run(module, *good)[0] == 1
    assert run(module, *good, "--quorum", "4")[0] == 1


def judge_small_trees(module: Any) -> None:
    """All places in small trees, and what is next to them."""
    log = MemoryLog()
    log.append(*(b"%d" % number for number in range(10)))
    for size in range(1, 10):
        root = log.root(size)
        for index in range(size):
            proof, leaf = list(log.include(index, size)), log.leaves[index]
            assert includes(module, index, size, leaf, proof, root)
            above = module.node_hash(leaf, root)
            for wrong in [
                (index, size, leaf, proof[:-1], root) if proof else (index, size, leaf, [], log.leaves[9]),
                (index, size, leaf, [*proof, leaf], above),
                (index, size, leaf, [*proof, leaf], root),
                (index, size, log.leaves[index - 1] if size > 1 else root + b"x", proof, root),
                (index + size, size, leaf, proof, root),
                (index, 4 * size, leaf, proof, root),
                (index - size, size, leaf, proof, root),
            ]:
                assert not includes(module, *wrong)
    rows = [log.leaves[0]]
    for _ in range(63):
        rows.append(module.node_hash(rows[-1], rows[-1]))
    assert includes(module, 0, 1 << 62, rows[0], rows[:62], rows[62])
    assert not includes(module, 0, 1 << 63, rows[0], rows[:63], rows[63])
    joined = module.node_hash(log.leaves[0], b"short")
    assert not includes(module, 0, 2, log.leaves[0], [b"short"], joined)


def includes(module: Any, *arguments: Any) -> bool:
    try:
        module.verify_inclusion(*arguments)
    except module.NotVerifiedError:
        return False
    return True


@pytest.mark.slow
def test_mutants_of_the_script_are_killed(export: Export, record_property: Callable[[str, object], None]) -> None:
    begin = time.process_time()
    judge(verify_ledger, export)
    limit = 0.05 + 2 * (time.process_time() - begin)
    survivors, tried, large = [], 0, expected_tiles()
    judge_large(verify_ledger, large)
    for mutant in mutants_of(SCRIPT.read_text(encoding="utf-8")):
        tried += 1
        if not is_killed(mutant, export, large, limit):
            survivors.append(mutant.name)
    record_property("summary", f"standalone verifier: {tried} mutants, {tried - len(survivors)} killed")
    assert tried > 120
    assert survivors == []


def is_killed(mutant: Mutant, export: Export, large: dict[str, bytes], limit: float) -> bool:
    try:
        with limited(limit):
            module = mutant.load("mutant")
            judge(module, export)
        if mutant.name.startswith("Tree"):
            judge_large(module, large)
    except (AssertionError, TooSlowError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, OSError):
        return True
    except (SystemExit, pytest.fail.Exception):
        return True
    return False
