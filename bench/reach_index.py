"""The index of a repository's files, cold and warm, beside plain parsing of the same files.

    python -m bench.reach_index REPO [REVISION]

Cold: no store. Warm: everything is in the store; 50 files are read. All: every file is read back from the store.
Plain: the parser alone over the same bytes (Python's own for Python, tree-sitter for the rest), in one process.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import measure
from tidegate.change.git import Repository, open_repository

GRAMMARS = {
    ".go": ("tree_sitter_go", "language"),
    ".java": ("tree_sitter_java", "language"),
    ".js": ("tree_sitter_javascript", "language"),
    ".ts": ("tree_sitter_typescript", "language_typescript"),
    ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".kt": ("tree_sitter_kotlin", "language"),
    ".rs": ("tree_sitter_rust", "language"),
    ".rb": ("tree_sitter_ruby", "language"),
    ".c": ("tree_sitter_c", "language"),
    ".h": ("tree_sitter_c", "language"),
    ".cc": ("tree_sitter_cpp", "language"),
    ".cpp": ("tree_sitter_cpp", "language"),
    ".hpp": ("tree_sitter_cpp", "language"),
}


def main() -> int:
    if sys.argv[1:2] == ["--one"]:
        _one(*sys.argv[2:])
        return 0
    repo, revision = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        for what in ("start", "plain", "cold", "warm", "all"):
            command = [sys.executable, "-m", "bench.reach_index", "--one", what, repo, revision, folder]
            figure = measure(command, cwd=Path(__file__).parent.parent, runs=1 if what == "cold" else 3, warm=0)
            print(f"{what:<8} {figure.cpu:8.3f} s CPU {figure.rss_mb:7.0f} MB")
            if figure.exit_code:
                return figure.exit_code
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(f"store    {size / 1e6:8.1f} MB")
    return 0


def _arguments() -> tuple[str, str]:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    return str(Path(sys.argv[1]).resolve()), sys.argv[2] if len(sys.argv) > 2 else "HEAD"


def _one(what: str, repo: str, revision: str, folder: str) -> None:
    from tidegate.reach.index import read_index
    from tidegate.reach.store import open_store

    if what == "start":
        return
    start = Path(repo)
    bare = not (start / ".git").exists()
    with open_repository(start, bare=bare) as opened, open_store(Path(folder) / "tidegate" / "reach") as store:
        tree = opened.resolve(revision, "tree")
        if what == "plain":
            _parse_plainly(opened, tree)
            return
        index = read_index(opened, tree, store)
        sources = list(index.sources)
        if what == "warm":
            index.read(sources[:: max(1, len(sources) // 50)])
        elif what == "all":
            index.read(sources)


def _parse_plainly(opened: Repository, tree: str) -> None:
    import ast
    import warnings

    from tidegate.change.listing import list_tree
    from tidegate.reach.languages import language_of
    from tidegate.reach.languages.tree import make_parser

    listed = {path: oid for path, oid in list_tree(opened, tree).files.items() if language_of(path)}
    for path, blob in zip(listed, opened.read_blobs(list(listed.values())), strict=True):
        suffix = Path(path).suffix.lower()
        if suffix in GRAMMARS:
            make_parser(*GRAMMARS[suffix]).parse(blob.content)
        elif suffix in (".py", ".pyi"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    ast.parse(blob.content)
                except (SyntaxError, ValueError):
                    continue


if __name__ == "__main__":
    sys.exit(main())
