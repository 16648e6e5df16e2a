"""What a Python file can import without asking: the language, the repository, and what its manifests bring."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files

from tidegate.verify.dependencies.near import well_known
from tidegate.verify.dependencies.values import normal_name

OTHER_VERSIONS = frozenset(
    "annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils formatter imghdr imp "
    "lib2to3 macpath mailcap msilib nis nntplib ossaudiodev parser pipes pyexpat smtpd sndhdr spwd string sunau "
    "symbol telnetlib tomllib uu xdrlib zoneinfo dummy_threading _bootlocale _typeshed __main__ builtins "
    "test idlelib turtledemo __pypy__ cPickle cStringIO StringIO urllib2 urlparse thread dummy_thread _dummy_thread "
    "ConfigParser Queue HTMLParser httplib __builtin__ exceptions".split()
)
"""Of the standard library of Python 3, in some version that the running one is not, and what every interpreter has."""
HOSTS = frozenset(
    "bpy bmesh mathutils hou maya nuke unreal vim sublime sublime_plugin gdb lldb idaapi idc idautils weechat xbmc "
    "xbmcgui xbmcaddon xbmcplugin xbmcvfs js pyodide pyodide_js machine micropython utime uos board busio digitalio "
    "neopixel FreeCAD FreeCADGui pcbnew arcpy sage rhinoscriptsyntax adsk renpy java javax org jarray System clr Xlib "
    "ida_kernwin binaryninja ghidra c4d MaxPlus pymxs hexchat mod_python uwsgi uwsgidecorators".split()
)
"""Modules that the program brings in which a script runs."""
_CODE = (".py", ".pyi", ".pyx", ".so", ".pyd", ".c", ".cpp", ".rs", ".pxd")
_NAMESPACES = frozenset(
    "google azure zope sphinxcontrib jaraco backports opentelemetry plone collective ruamel airflow oslo flask_ext "
    "llama_index langchain autogen_ext paste repoze hydra_plugins nvidia mypy_boto3 sphinx_contrib odoo aws_cdk "
    "twisted dagster prefect snowflake databricks keystoneauth1 mkdocs sympy jupyter dbt tests pytest_plugins".split()
)


def is_standard(module: str) -> bool:
    """Whether some version of Python 3 has a top-level module of this name."""
    return module in sys.stdlib_module_names or module in OTHER_VERSIONS


def own_modules(paths: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Every top-level module that the files of a repository may be imported as, and what its projects are called.

    A folder that is no package may be on the path: what lies in it is importable by its name alone.
    """
    code = [path for path in paths if path.endswith(_CODE)]
    packages = {path.rpartition("/")[0] for path in code if path.endswith(("/__init__.py", "/__init__.pyi"))}
    found = {name.replace("-", "_") for name in names}
    for path in code:
        parts = path.split("/")
        folder = ""
        for part in parts:
            if folder not in packages:
                found.add(part.partition(".")[0])
            folder = f"{folder}/{part}" if folder else part
    return frozenset(found)


@cache
def distributions() -> Mapping[str, tuple[str, ...]]:
    """The distributions that a top-level module may come from, where they are called otherwise."""
    table = files("tidegate.verify.dependencies") / "tables" / "modules.txt"
    lines = table.read_text(encoding="utf-8").split("\n")
    return {line.split()[0]: tuple(line.split()[1:]) for line in lines if line and not line.startswith("#")}


@cache
def modules_of() -> Mapping[str, tuple[str, ...]]:
    """The top-level modules of a distribution, where they are called otherwise."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, names in distributions().items():
        for name in names:
            found[name].append(module)
    return {name: tuple(modules) for name, modules in found.items()}


def candidates(module: str) -> tuple[str, ...]:
    """The names of distributions that may bring a module, the likeliest first."""
    top = module.partition(".")[0]
    plain = normal_name("pypi", top)
    dotted = [normal_name("pypi", "-".join(module.split(".")[:size])) for size in (2, 3, 4) if "." in module]
    named = distributions().get(top, ())
    near = (f"python-{plain}", f"{plain}-python", f"py{plain}", f"{plain}-py", f"{plain}-binary", f"types-{plain}")
    return tuple(dict.fromkeys((*named, plain, *dotted, *near)))


def declares(module: str, declared: Collection[str]) -> bool:
    """Whether one of the declared distributions is likely to bring this module."""
    if any(name in declared for name in candidates(module)):
        return True
    top = module.partition(".")[0]
    plain = normal_name("pypi", top)
    squeezed = plain.replace("-", "")
    known = well_known("pypi")
    if any(name.replace("-", "") == squeezed for name in declared if name not in known):
        return True
    if top in _NAMESPACES or plain not in known:
        return any(name.startswith(f"{plain}-") or _extends(name, plain) for name in declared)
    return False


def _extends(name: str, plain: str) -> bool:
    """Whether a distribution is called after a framework and then its own module, as django-guardian is."""
    return name.endswith(f"-{plain}") and name not in modules_of()


def is_known(module: str) -> bool:
    """Whether a public project that names were learnt from has a distribution that brings this module."""
    known = well_known("pypi")
    top = module.partition(".")[0]
    return top in distributions() or top in _NAMESPACES or any(name in known for name in candidates(module)[:4])


def is_generated(module: str) -> bool:
    """Modules that a build writes."""
    return bool(re.search(r"_pb2(?:_grpc)?$|^_?version$", module.partition(".")[0]))
