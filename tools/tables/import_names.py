"""Distils which distribution of PyPI a top-level module comes from, where the two are not called the same.

    python -m tools.tables.import_names CLONE_OF_TYPESHED [SITE_PACKAGES...]

From the mapping that pipreqs ships (Apache-2.0), from the names of the stubs in typeshed (Apache-2.0), and from the
metadata of what is installed in the folders given. What is written are names only. A module may come from several.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tidegate.verify.dependencies.values import normal_name
from tools.tables.packages import packages

PIPREQS = "0.5.0"
TABLE = Path(__file__).parents[2] / "src/tidegate/verify/dependencies/tables/modules.txt"

BY_HAND = {
    "cv2": "opencv-python opencv-python-headless opencv-contrib-python",
    "docx": "python-docx",
    "pptx": "python-pptx",
    "fitz": "pymupdf",
    "skimage": "scikit-image",
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "gi": "pygobject",
    "wx": "wxpython",
    "ldap": "python-ldap",
    "ldap3": "ldap3",
    "telegram": "python-telegram-bot",
    "discord": "discord-py",
    "jose": "python-jose",
    "multipart": "python-multipart",
    "slugify": "python-slugify",
    "pkg_resources": "setuptools",
    "_distutils_hack": "setuptools",
    "distutils": "setuptools",
    "rest_framework": "djangorestframework",
    "corsheaders": "django-cors-headers",
    "environ": "django-environ",
    "debug_toolbar": "django-debug-toolbar",
    "allauth": "django-allauth",
    "storages": "django-storages",
    "psycopg2": "psycopg2 psycopg2-binary",
    "psycopg": "psycopg psycopg-binary",
    "tensorflow": "tensorflow tensorflow-cpu tensorflow-gpu",
    "faiss": "faiss-cpu faiss-gpu",
    "grpc": "grpcio",
    "grpc_tools": "grpcio-tools",
    "OpenGL": "pyopengl",
    "win32api": "pywin32",
    "win32con": "pywin32",
    "win32com": "pywin32",
    "pythoncom": "pywin32",
    "pywintypes": "pywin32",
    "speech_recognition": "speechrecognition",
    "Levenshtein": "levenshtein python-levenshtein",
    "zmq": "pyzmq",
    "nacl": "pynacl",
    "markdown_it": "markdown-it-py",
    "pythonjsonlogger": "python-json-logger",
    "lsprotocol": "lsprotocol",
    "pylab": "matplotlib",
    "mpl_toolkits": "matplotlib",
    "_pytest": "pytest",
    "sphinx_rtd_theme": "sphinx-rtd-theme",
    "dns": "dnspython",
    "jsonpath_ng": "jsonpath-ng",
    "ruamel": "ruamel-yaml",
    "Xlib": "python-xlib",
    "xdist": "pytest-xdist",
    "gnupg": "python-gnupg",
    "igraph": "python-igraph igraph",
    "lz4": "lz4",
    "snappy": "python-snappy",
    "setuptools_scm": "setuptools-scm",
    "elftools": "pyelftools",
    "unidiff": "unidiff",
    "kafka": "kafka-python kafka-python-ng",
    "memcache": "python-memcached",
    "consul": "python-consul",
    "github": "pygithub",
    "gitlab": "python-gitlab",
    "jenkins": "python-jenkins",
    "novaclient": "python-novaclient",
    "openid": "python3-openid python-openid",
    "pymongo": "pymongo",
    "bson": "pymongo bson",
    "gridfs": "pymongo",
    "sphinx": "sphinx",
    "wordcloud": "wordcloud",
    "tree_sitter": "tree-sitter",
    "absl": "absl-py",
    "googleapiclient": "google-api-python-client",
    "impacket": "impacket",
    "pydantic_core": "pydantic-core pydantic",
    "typing_extensions": "typing-extensions",
}
"""What everybody knows and none of the sources names."""


def main() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for module, name in (*_pipreqs(), *_typeshed(Path(sys.argv[1])), *_installed(map(Path, sys.argv[2:])), *_by_hand()):
        normal = normal_name("pypi", name)
        if (
            module.isidentifier()
            and (not module.startswith("_") or module in BY_HAND)
            and normal != normal_name("pypi", module)
        ):
            found[module].add(normal)
    lines = [f"{module} {' '.join(sorted(names))}\n" for module, names in sorted(found.items()) if len(names) < 12]
    sources = f"pipreqs {PIPREQS} and typeshed (Apache-2.0), installed metadata"
    head = f"# module, distributions; {sources}; tools.tables.import_names\n"
    TABLE.write_text(head + "".join(lines), encoding="utf-8")
    sys.stdout.write(f"{TABLE.name}: {len(lines):,} modules, {TABLE.stat().st_size:,} bytes\n")


# Private


def _by_hand() -> Iterator[tuple[str, str]]:
    for module, names in BY_HAND.items():
        for name in names.split():
            yield module, name


def _pipreqs() -> Iterator[tuple[str, str]]:
    with packages(f"pipreqs=={PIPREQS}") as installed:
        lines = (installed / "pipreqs" / "mapping").read_text(encoding="utf-8").split("\n")
    for line in lines:
        module, _, name = line.strip().partition(":")
        if name:
            yield module, name


def _typeshed(clone: Path) -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "-C", str(clone), "ls-tree", "-r", "--name-only", "HEAD", "stubs/"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for path in listed.split("\n"):
        parts = path.split("/")
        if len(parts) > 2 and path.endswith(".pyi") and not parts[2].startswith("@"):
            yield parts[2].removesuffix(".pyi"), parts[1]


def _installed(folders: Iterator[Path]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for metadata in sorted(folder.glob("*.dist-info")):
            name = metadata.name.removesuffix(".dist-info").rpartition("-")[0]
            record = metadata / "RECORD"
            for line in record.read_text(encoding="utf-8").split("\n") if record.is_file() else ():
                path = line.partition(",")[0]
                top, _, rest = path.partition("/")
                ours = not top.endswith((".dist-info", ".data")) and top not in ("..", "tests")
                if path.endswith(".py") and ours and (rest.endswith("__init__.py") or not rest):
                    yield top.removesuffix(".py"), name


if __name__ == "__main__":
    main()
