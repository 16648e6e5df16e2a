"""The store: what goes in comes out, or nothing does. Damage, kills, a second process, full and read-only disks."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.reach.segment import Record, open_segment, segment_bytes
from tidegate.reach.store import Key, Store, open_store, pack, unpack
from tidegate.reach.symbols import Binding, Definition, FileSymbols, Gap, Parameter, Reference, Text, unread


def key(number: int, language: str = "python", version: int = 1) -> Key:
    return Key(hashlib.sha1(str(number).encode()).hexdigest(), language, version)


def symbols(number: int) -> FileSymbols:
    return FileSymbols(
        definitions=(
            Definition("", "module", 1, 9, -1),
            Definition(f"f{number}", "function", 2, 4, 0, parameters=(Parameter("a", "int", "%int"),)),
        ),
        bindings=(Binding(0, "os", "<os>", "import", 0, 1),),
        references=(Reference(1, "call", "os.path.join", 3, ('"a/b"', f"x{number}")),),
        texts=(Text(1, "a/b", 3),),
        gaps=(Gap(1, "eval", 4),),
        package="p",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "git").mkdir()
    return tmp_path / "git" / "tidegate" / "reach"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(folder) as opened:
        yield opened


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "lock")


def test_what_is_put_is_there_for_the_next_process(folder: Path, store: Store) -> None:
    assert store.put_many({key(1): symbols(1), key(2): unread("syntax")})
    with open_store(folder) as other:
        assert other.look_up([key(1), key(2), key(3)]) == {key(1): False, key(2): True}
        assert other.get_many([key(1), key(2), key(3)]) == {key(1): symbols(1), key(2): unread("syntax")}


def test_an_open_store_sees_what_it_puts(store: Store) -> None:
    assert store.get_many([key(1)]) == {}
    store.put_many({key(1): symbols(1)})
    store.put_many({key(2): symbols(2)})
    assert store.get_many([key(1), key(2)]) == {key(1): symbols(1), key(2): symbols(2)}


def test_language_and_version_are_parts_of_the_key(store: Store) -> None:
    store.put_many({key(1, "c", 1): symbols(1)})
    assert store.get_many([key(1, "c", 2), key(1, "cpp", 1)]) == {}


def test_object_ids_of_sha256_are_told_apart(store: Store) -> None:
    first, second = (Key(hashlib.sha256(text).hexdigest(), "c", 1) for text in (b"1", b"2"))
    store.put_many({first: symbols(1), second: symbols(2)})
    assert store.get_many([second]) == {second: symbols(2)}


def test_larger_values(folder: Path, store: Store) -> None:
    assert store.get_bytes("graph", "a") is None
    assert store.put_bytes("graph", "a", b"\0" * 100_000)
    assert store.put_bytes("graph", "b", b"")
    with open_store(folder) as other:
        assert other.get_bytes("graph", "a") == b"\0" * 100_000
        assert other.get_bytes("graph", "b") == b""
        assert other.get_bytes("other", "a") is None
        assert other.put_bytes("graph", "a", b"new")
    assert store.get_bytes("graph", "a") == b"new"


def test_the_same_symbols_give_the_same_bytes() -> None:
    assert pack(symbols(3)) == pack(symbols(3))
    records = {bytes([number]) * 32: Record(bytes([number]), number) for number in range(9)}
    assert segment_bytes(records) == segment_bytes(dict(reversed(list(records.items()))))


@given(st.binary(max_size=200))
def test_garbage_is_no_symbols(data: bytes) -> None:
    found = unpack(data)
    assert found is None or isinstance(found, FileSymbols)


def test_a_bomb_is_no_symbols() -> None:
    bomb = zlib.compress(b"\xc0" * (300 << 20), 1)
    assert unpack(bomb) is None


# Damage


def small_store(folder: Path) -> tuple[Path, bytes]:
    with open_store(folder) as store:
        store.put_many({key(1): symbols(1), key(2): symbols(2)})
    (path,) = files(folder)
    return path, path.read_bytes()


def check_nothing_wrong(folder: Path) -> dict[Key, FileSymbols]:
    with open_store(folder) as store:
        found = store.get_many([key(1), key(2), key(3)])
    assert all(value == symbols(1 if name == key(1) else 2) for name, value in found.items())
    return found


def test_every_flipped_byte_is_a_miss_and_never_something_else(folder: Path) -> None:
    path, good = small_store(folder)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0xFF if place % 2 else 1 << place % 8
        path.write_bytes(bad)
        assert len(check_nothing_wrong(folder)) < 2


def test_every_truncation_is_a_miss(folder: Path) -> None:
    path, good = small_store(folder)
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert len(check_nothing_wrong(folder)) < 2


def test_garbage_is_put_aside_and_written_again(folder: Path) -> None:
    path, good = small_store(folder)
    dice = random.Random(7)
    for length in (0, 1, 15, 16, 500, len(good), 1 << 20):
        path.write_bytes(dice.randbytes(length))
        assert check_nothing_wrong(folder) == {}
        assert not path.exists()
    with open_store(folder) as store:
        store.put_many({key(1): symbols(1)})
    assert check_nothing_wrong(folder) == {key(1): symbols(1)}


def test_a_damaged_record_that_is_put_again_is_found(folder: Path) -> None:
    path, good = small_store(folder)
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]) if good[-1:] else b"")
    missing = {key(1), key(2)} - check_nothing_wrong(folder).keys()
    assert len(missing) == 1
    with open_store(folder) as store:
        store.put_many({name: symbols(1 if name == key(1) else 2) for name in missing})
    assert len(check_nothing_wrong(folder)) == 2


def test_every_flipped_byte_of_a_larger_value_is_a_miss(folder: Path) -> None:
    with open_store(folder) as store:
        store.put_bytes("graph", "a", b"content of a graph")
        (path,) = files(folder)
        good = path.read_bytes()
        for place in range(len(good)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
            assert store.get_bytes("graph", "a") in (None, b"content of a graph")
            path.write_bytes(good[:place])
            assert store.get_bytes("graph", "a") is None


def test_a_table_that_promises_too_much_is_believed_nothing(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"TGreach1" + b"\xff" * 8 + b"x" * 100)
    assert open_segment("segment", os.open(path, os.O_RDONLY)) is None


# Where it lies


def test_deleted_at_any_moment(folder: Path, store: Store) -> None:
    store.put_many({key(1): symbols(1)})
    store.get_many([key(1)])
    subprocess.run(["rm", "-r", folder.parent], check=True)
    assert store.get_many([key(1)]) == {key(1): symbols(1)}
    assert not store.put_many({key(2): symbols(2)})
    assert not store.put_bytes("graph", "a", b"x")
    assert store.get_bytes("graph", "a") is None
    with open_store(folder) as other:
        assert other.put_many({key(2): symbols(2)})


def test_no_git_directory(tmp_path: Path) -> None:
    with open_store(tmp_path / "none" / "tidegate" / "reach") as store:
        assert not store.usable
        assert not store.put_many({key(1): symbols(1)})
        assert store.look_up([key(1)]) == {}
        assert store.get_many([key(1)]) == {}
        assert not store.put_bytes("graph", "a", b"x")
        assert store.get_bytes("graph", "a") is None
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("linked", ["tidegate", "tidegate/reach"])
def test_a_link_out_of_the_git_directory_is_no_store(tmp_path: Path, linked: str) -> None:
    outside, git = tmp_path / "outside", tmp_path / "git"
    (outside / "reach").mkdir(parents=True)
    (git / linked).parent.mkdir(parents=True)
    (git / linked).symlink_to(outside)
    with open_store(git / "tidegate" / "reach") as store:
        assert not store.usable
        assert not store.put_many({key(1): symbols(1)})
    assert [path.name for path in outside.rglob("*")] == ["reach"]


def test_links_pipes_and_folders_instead_of_files(folder: Path, tmp_path: Path) -> None:
    path, good = small_store(folder)
    for make in (lambda: path.symlink_to(tmp_path / "copy"), lambda: os.mkfifo(path), path.mkdir):
        (tmp_path / "copy").write_bytes(good)
        path.unlink()
        make()
        with open_store(folder) as store:
            assert store.get_many([key(1)]) == {}
    assert (tmp_path / "copy").read_bytes() == good


def test_a_lock_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "lock").symlink_to(tmp_path / "made")
    with open_store(folder) as store:
        assert store.put_many({key(1): symbols(1)})
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_folder_of_somebody_else_is_no_store(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.chown(folder, 12345, 12345)
    with open_store(folder) as store:
        assert not store.usable


def run(script: str, *arguments: str | Path, **options: object) -> subprocess.Popen[bytes]:
    """A real process that does what the script says with `folder`, `key` and `symbols` at hand."""
    start = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from pathlib import Path
        from tidegate.reach.store import open_store
        from tests.reach.test_store import key, symbols
        folder = Path(sys.argv[1])
    """
    code = textwrap.dedent(start) + textwrap.dedent(script)
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **options)  # type: ignore[call-overload,no-any-return]


def test_a_folder_that_may_only_be_read_costs_time_only() -> None:
    script = """
        import os
        if os.geteuid() == 0:
            os.seteuid(12345)
        with open_store(folder) as store:
            assert store.usable
            assert store.get_many([key(1)]) == {key(1): symbols(1)}
            assert not store.put_many({key(3): symbols(3)})
            assert not store.put_bytes("graph", "a", b"x")
    """
    with tempfile.TemporaryDirectory() as name:  # where somebody who is not root may look
        Path(name).chmod(0o755)
        folder = Path(name) / "tidegate" / "reach"
        path, _ = small_store(folder)
        if os.geteuid() == 0:
            for owned in (path, folder):
                os.chown(owned, 12345, 12345)
        folder.chmod(0o500)
        assert run(script, folder).wait() == 0
        assert files(folder) == [path]
        folder.chmod(0o700)


def test_a_full_disk_costs_time_only(folder: Path) -> None:
    script = """
        import resource, signal
        with open_store(folder) as store:
            assert store.put_many({key(1): symbols(1)})
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            assert not store.put_many({key(2): symbols(2)})
            assert not store.put_bytes("graph", "a", b"x" * 1000)
            assert store.get_many([key(1), key(2)]) == {key(1): symbols(1)}
    """
    assert run(script, folder).wait() == 0
    assert len(files(folder)) == 1


# Other processes


def test_two_processes_at_once_lose_nothing(folder: Path) -> None:
    script = """
        for number in range(int(sys.argv[2]), int(sys.argv[2]) + 60):
            with open_store(folder) as store:
                assert store.put_many({key(number): symbols(number)})
                found = store.get_many([key(number)])
                assert found in ({key(number): symbols(number)}, {}), found
    """
    writers = [run(script, folder, start) for start in (0, 100, 200)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    numbers = [start + offset for start in (0, 100, 200) for offset in range(60)]
    with open_store(folder) as store:
        assert store.get_many(map(key, numbers)) == {key(number): symbols(number) for number in numbers}
        assert store.put_many({key(999): symbols(999)})
    assert len(files(folder)) <= 8


def test_a_lock_that_is_held_does_not_hold_anybody_up(folder: Path) -> None:
    holder = run(
        """
        import fcntl, time
        folder.mkdir(parents=True)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            print("held", flush=True)
            time.sleep(60)
        """,
        folder,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    began = time.monotonic()
    for number in range(20):
        with open_store(folder) as store:
            assert store.put_many({key(number): symbols(number)})
    assert time.monotonic() - began < 5
    assert len(files(folder)) == 20
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with open_store(folder) as store:
        store.put_many({key(20): symbols(20)})
        assert len(store.get_many(map(key, range(21)))) == 21
    assert len(files(folder)) == 1


def test_killed_at_any_moment(folder: Path) -> None:
    script = """
        print("up", flush=True)
        for number in range(int(sys.argv[2]), 10_000):
            with open_store(folder) as store:
                store.put_many({key(number): symbols(number)})
            print(number, flush=True)
    """
    dice = random.Random(3)
    said: set[int] = set()
    for start in range(0, 6000, 1000):
        writer = run(script, folder, start, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(dice.uniform(0.01, 0.15))
        writer.send_signal(signal.SIGKILL)
        said |= {int(line) for line in writer.stdout.read().split(b"\n")[:-1]}
        writer.wait()
        writer.stdout.close()
    assert said
    with open_store(folder) as store:
        assert store.get_many(map(key, said)) == {key(number): symbols(number) for number in said}


# Housekeeping


def test_small_files_are_merged(folder: Path) -> None:
    for number in range(100):
        with open_store(folder) as store:
            store.put_many({key(number): symbols(number)})
    assert len(files(folder)) <= 8
    with open_store(folder) as store:
        assert len(store.get_many(map(key, range(100)))) == 100


def test_an_open_store_survives_a_merge_by_another(folder: Path, store: Store) -> None:
    store.put_many({key(0): symbols(0)})
    assert len(store.get_many([key(0)])) == 1
    for number in range(1, 20):
        with open_store(folder) as other:
            other.put_many({key(number): symbols(number)})
    assert store.get_many([key(0)]) == {key(0): symbols(0)}
    store.put_many({key(20): symbols(20)})
    assert len(store.get_many(map(key, range(21)))) == 21


def test_what_was_unused_for_longest_goes_first(folder: Path) -> None:
    now = [1_000_000_000.0]
    content = random.Random(1).randbytes(1000)

    def opened() -> Store:
        return open_store(folder, limit=3500, clock=lambda: now[0])

    for name in "abcd":
        now[0] += 10_000
        with opened() as store:
            assert store.put_bytes("graph", name, content)
            (newest,) = (path for path in files(folder) if path.stat().st_mtime > 1_700_000_000)
            os.utime(newest, (now[0], now[0]))
            assert store.get_bytes("graph", "a") == content
    with opened() as store:
        store.put_bytes("graph", "e", content)
        kept = {name for name in "abcde" if store.get_bytes("graph", name)}
    assert kept >= {"a", "e"}
    assert "b" not in kept
    assert sum(path.stat().st_size for path in files(folder)) <= 3500


def test_a_value_beyond_the_limit_is_not_kept(folder: Path) -> None:
    with open_store(folder, limit=1000) as store:
        assert not store.put_bytes("graph", "a", b"x" * 1001)


def test_what_a_kill_left_behind_is_removed(folder: Path, store: Store) -> None:
    store.put_many({key(1): symbols(1)})
    old, young = folder / ".old", folder / ".young"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    store.put_many({key(2): symbols(2)})
    assert not old.exists()
    assert young.exists()


def test_another_version_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_store(folder)
    with open_store(folder) as store:
        store.put_bytes("graph", "a", b"x")
    monkeypatch.setattr("tidegate.reach.store.FORMAT", -1)
    with open_store(folder) as store:
        assert store.get_many([key(1)]) == {}
        assert store.get_bytes("graph", "a") is None
    assert len(files(folder)) == 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists open files")
def test_no_open_files_are_left(folder: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    small_store(folder)
    before = count()
    for _ in range(5):
        with open_store(folder) as store:
            store.get_many([key(1)])
            store.get_bytes("graph", "a")
            store.put_many({key(2): symbols(2)})
    assert count() == before
