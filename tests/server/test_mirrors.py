"""Mirrors: what they bring, what they refuse, and that a credential is nowhere but in one process."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.repos import Repo, build
from tidegate.change import git_fetch
from tidegate.change.git_fetch import Bounds, FetchError
from tidegate.errors import InputError
from tidegate.server.config import Config, GitHub
from tidegate.server.forge.values import CloneFrom
from tidegate.server.mirrors import Mirrors, Wanted, open_mirrors

FILE = frozenset(("file",))


@pytest.fixture
def forge(tmp_path: Path) -> Repo:
    """A repository at a forge, with pull request 7 from a branch that only its ref reaches."""
    repo = build(
        tmp_path / "forge",
        """
        commit Begin
          file app.py
            . x = 1
        branch feature
        commit Add y
          file app.py
            . x = 1
            . y = 2
        checkout main
        """,
    )
    repo.git("update-ref", "refs/pull/7/head", "feature")
    repo.git("branch", "-q", "-D", "feature")
    return repo


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors", FILE)


def wanted(forge: Repo, number: int = 7, **changed: str) -> Wanted:
    values = {"target": "main", "head": forge.head(f"refs/pull/{number}/head"), **changed}
    return Wanted("github", "acme/shop", number=number, **values)


def source(forge: Repo) -> CloneFrom:
    return CloneFrom(f"file://{forge.path}")


def test_the_ends_of_a_change_are_brought(forge: Repo, mirrors: Mirrors) -> None:
    brought = mirrors.bring(wanted(forge), source(forge))
    assert brought.path == mirrors.root / "github" / "acme" / "shop.git"
    assert brought.tip == forge.head("main")
    with mirrors.open("github", "acme/shop") as mirror:
        assert mirror.exists(wanted(forge).head)
        assert mirror.run("merge-base", brought.tip, wanted(forge).head).decode().strip() == brought.tip
    assert not (brought.path / "hooks").exists()
    assert not (brought.path / "FETCH_HEAD").exists()


def test_a_forced_push_is_followed_and_the_old_head_still_read(forge: Repo, mirrors: Mirrors) -> None:
    before = wanted(forge)
    mirrors.bring(before, source(forge))
    forge.git("checkout", "-q", "-B", "again", "main")
    after = forge.commit("Another way", {"z.py": "z = 3\n"})
    forge.git("update-ref", "refs/pull/7/head", after)
    mirrors.bring(wanted(forge), source(forge))
    with mirrors.open("github", "acme/shop") as mirror:
        assert mirror.exists(after)
        assert mirror.exists(before.head)
        assert mirror.find("refs/pull/7/head") == after


def test_a_head_that_is_gone_is_said_to_be_missing(forge: Repo, mirrors: Mirrors) -> None:
    with pytest.raises(FetchError) as caught:
        mirrors.bring(wanted(forge, head="d" * 40), source(forge))
    assert caught.value.fault == "missing"
    with pytest.raises(FetchError) as caught:
        mirrors.bring(wanted(forge, target="gone"), source(forge))
    assert caught.value.fault == "missing"


def test_a_branch_that_became_a_folder_of_branches_is_no_obstacle(forge: Repo, mirrors: Mirrors) -> None:
    forge.git("branch", "release", "main")
    mirrors.bring(wanted(forge, target="release"), source(forge))
    forge.git("branch", "-q", "-D", "release")
    forge.git("branch", "release/1", "main")
    assert mirrors.bring(wanted(forge, target="release/1"), source(forge)).tip == forge.head("main")


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% x", "ssh://host/x", "http://192.0.2.1/x.git", "--upload-pack=touch"]
)
def test_other_ways_to_fetch_are_refused(forge: Repo, mirrors: Mirrors, url: str) -> None:
    for ways in (mirrors, replace(mirrors, protocols=frozenset(("https", "http")))):
        with pytest.raises(FetchError, match="no way to fetch"):
            ways.bring(wanted(forge), CloneFrom(url))


@pytest.mark.parametrize(
    "slug", ["../etc", "acme", "acme/..", "acme/.git", "/etc/x", "a/b\n", "-x/../y", "acme/shop.git", "acme//shop"]
)
def test_a_slug_never_leaves_the_folder_of_mirrors(mirrors: Mirrors, slug: str) -> None:
    with pytest.raises(InputError, match="no repository"):
        mirrors.path_of("github", slug)


@pytest.mark.parametrize("target", ["*", "-x", "a..b", "a b", "a:b", "", "a/", "x.lock", ".x", "@{u}", "a\nb", "/a"])
def test_a_target_is_the_name_of_one_branch(forge: Repo, mirrors: Mirrors, target: str) -> None:
    with pytest.raises(InputError, match="no name of a branch"):
        mirrors.bring(wanted(forge, target=target), source(forge))


def test_objects_are_checked_before_they_are_kept(forge: Repo, mirrors: Mirrors) -> None:
    blob = forge.git("hash-object", "-w", "--stdin", stdin=b"evil\n")
    tree = forge.git("mktree", stdin=f"100644 blob {blob}\t.git\n".encode())
    bad = forge.git("commit-tree", tree, "-p", "main", "-m", "Write into .git")
    forge.git("update-ref", "refs/pull/7/head", bad)
    with pytest.raises(FetchError) as caught:
        mirrors.bring(wanted(forge), source(forge))
    assert caught.value.fault == "damaged"
    with mirrors.open("github", "acme/shop") as mirror:
        assert not mirror.exists(bad)


def test_more_than_the_bound_is_refused(forge: Repo, mirrors: Mirrors) -> None:
    forge.git("checkout", "-q", "-b", "large")
    large = forge.commit("Large", {"data.bin": os.urandom(400_000)})
    forge.git("update-ref", "refs/pull/7/head", large)
    with pytest.raises(FetchError) as caught:
        replace(mirrors, bounds=Bounds(60, 100_000)).bring(wanted(forge), source(forge))
    assert caught.value.fault == "large"
    assert mirrors.bring(wanted(forge), source(forge)).tip == forge.head("main")  # nothing of it is in the way


def test_what_a_killed_git_left_is_taken_away(forge: Repo, mirrors: Mirrors) -> None:
    path = mirrors.bring(wanted(forge), source(forge)).path
    (path / "refs" / "heads" / "main.lock").touch()
    (path / "packed-refs.lock").touch()
    (path / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    forge.commit("Go on", {"more.py": "a = 1\n"})
    assert mirrors.bring(wanted(forge), source(forge)).tip == forge.head("main")
    assert not list(path.glob("objects/pack/tmp_*"))


def test_many_fetch_into_one_mirror_at_once(forge: Repo, mirrors: Mirrors) -> None:
    for number in range(20, 26):
        forge.git("checkout", "-q", "-B", f"b{number}", "main")
        forge.git(
            "update-ref", f"refs/pull/{number}/head", forge.commit(f"Change {number}", {"n.py": f"n = {number}\n"})
        )
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: mirrors.bring(wanted(forge, n), source(forge)), range(20, 26)))
    assert len({each.tip for each in found}) == 1
    with mirrors.open("github", "acme/shop") as mirror:
        assert all(mirror.exists(wanted(forge, number).head) for number in range(20, 26))


def test_packs_are_put_together_before_they_are_many(
    forge: Repo, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.server.mirrors.MOST_PACKS", 3)
    for number in range(5):
        forge.git("update-ref", "refs/pull/7/head", forge.commit(f"{number}", {"n.py": f"n = {number}\n"}))
        path = mirrors.bring(wanted(forge), source(forge)).path
    assert len(list(path.glob("objects/pack/*.pack"))) <= 3


def test_the_credential_is_sent_and_kept_nowhere(
    forge: Repo, mirrors: Mirrors, guarded: Guarded, tmp_path: Path
) -> None:
    secret = "Basic c2VjcmV0LW9mLWEtZm9yZ2U="
    ways = replace(mirrors, protocols=frozenset(("https", "http")))
    with pytest.raises(FetchError) as caught:
        ways.bring(wanted(forge), CloneFrom(guarded.url, f"Authorization: {secret}"))
    assert guarded.credentials == [secret]
    assert "c2VjcmV0" not in guarded.command_lines
    assert "c2VjcmV0" not in f"{caught.value}{caught.value.__cause__}{CloneFrom(guarded.url, secret)!r}"
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"c2VjcmV0" in path.read_bytes()]
    assert not kept


def test_a_redirect_is_not_followed(forge: Repo, mirrors: Mirrors, guarded: Guarded) -> None:
    guarded.answer = (302, f"{guarded.url}/elsewhere")
    ways = replace(mirrors, protocols=frozenset(("https", "http")))
    with pytest.raises(FetchError):
        ways.bring(wanted(forge), CloneFrom(guarded.url, "Authorization: x"))
    assert len(guarded.credentials) == 1


def test_a_forge_that_never_answers_is_left_in_time(forge: Repo, mirrors: Mirrors, guarded: Guarded) -> None:
    guarded.silence.clear()
    ways = replace(mirrors, protocols=frozenset(("https", "http")), bounds=Bounds(0.5))
    with pytest.raises(FetchError) as caught:
        ways.bring(wanted(forge), CloneFrom(guarded.url))
    guarded.silence.set()
    assert caught.value.fault == "slow"


def test_http_is_for_a_forge_on_this_machine_that_is_asked_so(tmp_path: Path) -> None:
    config = Config(data=tmp_path, database="")
    assert open_mirrors(config).protocols == {"https"}
    near = replace(config, github=GitHub(api="http://127.0.0.1:1"))
    assert open_mirrors(near).protocols == {"https", "http"}


def test_an_old_git_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=r"git 2\.30 is too old"):
        git_fetch.require_git()


def test_merged_trees_are_told_without_writing_into_the_mirror(forge: Repo, mirrors: Mirrors) -> None:
    forge.git("checkout", "-q", "-b", "other", "main")
    other = forge.commit("Other", {"app.py": "x = 9\n"})
    brought = mirrors.bring(wanted(forge), source(forge))
    mirrors.bring(wanted(forge, target="other"), source(forge))
    objects = sorted(path.name for path in (brought.path / "objects").rglob("*"))
    with mirrors.open("github", "acme/shop") as mirror:
        assert mirror.merge_trees(brought.tip, wanted(forge).head) == forge.head("refs/pull/7/head^{tree}")
        assert mirror.merge_trees(other, wanted(forge).head) == ""
    assert sorted(path.name for path in (brought.path / "objects").rglob("*")) == objects


class Guarded:
    """An HTTP server that wants a credential, and notes which it got and what `ps` shows meanwhile."""

    def __init__(self) -> None:
        self.credentials: list[str] = []
        self.command_lines = ""
        self.answer = (403, "")
        self.silence = threading.Event()
        self.silence.set()
        guarded = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                guarded.credentials.append(self.headers.get("authorization", ""))
                guarded.command_lines += subprocess.run(["ps", "axww"], capture_output=True, check=True).stdout.decode()
                guarded.silence.wait(20)
                status, location = guarded.answer
                self.send_response(status)
                if location:
                    self.send_header("location", location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/acme/shop.git"


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    found = Guarded()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.silence.set()
    found.server.shutdown()
    found.server.server_close()
