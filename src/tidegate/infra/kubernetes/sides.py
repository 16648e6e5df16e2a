"""One side of a change as manifests: what files hold, which kustomizations they belong to, what stands beside them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from tidegate.change.trees import Tree
from tidegate.infra.environment import of_path
from tidegate.infra.kubernetes.documents import Parsed, Parser
from tidegate.infra.kubernetes.kustomize import NAMES, Renderer
from tidegate.infra.kubernetes.objects import Item, Secrets, items_of

ENDINGS = (".yaml", ".yml", ".json")
MOST_KUSTOMIZATIONS = 6000
MOST_BESIDE = 300
"""Files beside a changed one that are read for what needs it. Where a folder tree holds more, only the folder is."""


class Side:
    """One tree, its files read together and once."""

    def __init__(self, tree: Tree, parser: Parser, secrets: Secrets) -> None:
        self._tree = tree
        self._parser = parser
        self._secrets = secrets
        self._contents: dict[str, bytes | None] = {}
        self._folders: dict[str, list[str]] = {}
        self.kustomizations: dict[str, str] = {}
        self.renderer = Renderer(self.content, parser, secrets)

    def fetch(self, paths: Iterable[str]) -> None:
        """Reads these files, together."""
        missing = [path for path in dict.fromkeys(paths) if path and path not in self._contents]
        found = self._tree.read(missing) if missing else {}
        self._contents.update({path: found.get(path) for path in missing})

    def content(self, path: str) -> bytes | None:
        """The bytes of a file, None where there is none."""
        if path not in self._contents:
            self.fetch([path])
        return self._contents.get(path)

    def parsed(self, path: str) -> Parsed:
        return self._parser.parse(self.content(path) or b"")

    def items(self, path: str) -> list[Item]:
        """The objects in a file."""
        if not looks_like_objects(self.content(path)):
            return []
        return list(items_of(self.parsed(path).documents, path, self._secrets))

    def look_around(self) -> None:
        """Lists the tree and reads its kustomizations."""
        for path in self._tree.paths():
            folder, name = posixpath.split(path)
            if name in NAMES:
                if len(self.kustomizations) < MOST_KUSTOMIZATIONS:
                    self.kustomizations.setdefault(folder, path)
            elif name.endswith(ENDINGS):
                self._folders.setdefault(folder, []).append(path)
        self.fetch(self.kustomizations.values())
        for folder in self.kustomizations:
            self._contents.update(
                {one: None for name in NAMES if (one := posixpath.join(folder, name)) not in self._contents}
            )

    def affected(self, seeds: Iterable[str]) -> set[str]:
        """The folders of the kustomizations that read one of these files or folders, directly or through others."""
        found: set[str] = set()
        waiting = [seed for seed in seeds if seed]
        known = set(waiting)
        while waiting:
            words = {posixpath.basename(one).encode("utf-8", "surrogateescape") for one in waiting}
            current, waiting = set(waiting), []
            for folder, path in self.kustomizations.items():
                if folder in found:
                    continue
                text = self.content(path) or b""
                if path not in current and b".." not in text and not any(word in text for word in words):
                    continue
                objects, others = self.renderer.parts(folder)
                if path in current or folder in current or not current.isdisjoint([*objects, *others]):
                    found.add(folder)
                    if folder not in known:
                        known.add(folder)
                        waiting.append(folder)
        return found

    def prefetch(self, folders: Iterable[str]) -> None:
        """Reads all that these kustomizations need, one question for each depth."""
        waiting, known = list(folders), set(folders)
        while waiting:
            listed = [path for folder in waiting for part in self.renderer.parts(folder) for path in part]
            waiting = [path for path in dict.fromkeys(listed) if path in self.kustomizations and path not in known]
            known.update(waiting)
            self.fetch(path for path in listed if path not in self.kustomizations)

    def covered(self, folders: Iterable[str]) -> set[str]:
        """The files that these kustomizations read."""
        return {path for folder in folders for part in self.renderer.parts(folder) for path in part}

    def governed(self, path: str) -> bool:
        """Whether a kustomization stands in the folder of a file or above it."""
        folder = posixpath.dirname(path)
        while folder:
            if folder in self.kustomizations:
                return True
            folder = posixpath.dirname(folder)
        return "" in self.kustomizations

    def beside(self, folder: str, leave: set[str]) -> list[Item]:
        """The objects in unchanged files of this folder and, where they are few, of the folders around it."""
        for root in dict.fromkeys((posixpath.dirname(folder), folder)):
            paths = [path for path in self._below(root) if path not in leave]
            if root and len(paths) <= MOST_BESIDE:
                break
        else:
            paths = [path for path in self._folders.get(folder, ()) if path not in leave][:MOST_BESIDE]
        environment = of_path(f"{folder}/x")
        paths = [path for path in paths if posixpath.dirname(path) == folder or of_path(path) == environment]
        self.fetch(paths)
        return [item for path in paths for item in self.items(path)]

    def _below(self, root: str) -> list[str]:
        start = f"{root}/" if root else ""
        return [
            path
            for folder in sorted(self._folders)
            if folder == root or folder.startswith(start)
            for path in self._folders[folder]
        ]


def looks_like_objects(data: bytes | None) -> bool:
    """Whether a file may hold objects at all, from two words."""
    if data is not None and b"\0" in data[:4]:
        data = data.replace(b"\0", b"")  # UTF-16, which tools read and the parser here says that it does not
    return data is not None and b"apiVersion" in data and b"kind" in data
