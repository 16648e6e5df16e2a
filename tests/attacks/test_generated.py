"""What hostile repositories tried to get into files that are generated from them, and into tables and pages."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import get_args

import pytest
import yaml

from tests.repos import Repo
from tidegate.agent.guide.block import fixed_block, outside, state_of, with_block
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.insight.export import safe_cell
from tidegate.place.code import Code
from tidegate.place.data import read_fields
from tidegate.place.egress import read_calls
from tidegate.place.guards import read_routes
from tidegate.place.journey import read_placement
from tidegate.place.make import Wish, make_place, write_place
from tidegate.place.values import Application, Placement, Route, Seen, Tier
from tidegate.place.wanted import read_wanted
from tidegate.reach.answer import EntryPoint, SymbolId

NOW = "2026-02-20T00:00:00Z"
BEGIN = b"<!-- tidegate:begin guide 1 binds=0123456789ab seen=0123456789ab text=0123456789ab -->\n"
TAKEN = ["kube-system", "KUBE_SYSTEM", "kube-public", "default", "egress-proxy", "ingress-internal", "sso-gateway"]
NO_TEXT = ["true", "null", "on", "no", "Y", "off", "False"]
FLASK = "from flask import Flask, request\napp = Flask(__name__)\n"


def placed(name: str, tier: Tier = "T2") -> Placement:
    app = Application(
        name=name, commit="ab" * 20, routes=(Route("GET /healthz", Seen("a.py", 9), None, "a health check"),)
    )
    return Placement("tidegate.place/1", tier, "title", {}, "", (), (), {}, "", app, NOW)


def application(folder: Path, **files: str) -> Application:
    repo = Repo.init(folder / "shop")
    repo.commit("Begin", {name.replace("_py", ".py"): text for name, text in files.items()})
    with open_repository(repo.path) as repository:
        return read_placement(repository, "", NOW, {})[0].application


# The place


@pytest.mark.parametrize("name", TAKEN + NO_TEXT + ["istio-system"])
@pytest.mark.parametrize("egress", ["proxy", "cilium"])
def test_no_name_of_an_application_takes_a_namespace_of_others_or_is_no_text(name: str, egress: str) -> None:
    for text in make_place(placed(name), Wish("kubernetes", "T2", egress)).values():
        for document in yaml.safe_load_all(text):
            inside = document["metadata"].get("namespace", document["metadata"]["name"])
            assert isinstance(inside, str)
            assert inside.startswith("app-")
            assert len(inside) <= 40


@pytest.mark.parametrize("tier", get_args(Tier))
def test_a_place_is_not_written_through_what_a_repository_left_there(tmp_path: Path, tier: Tier) -> None:
    (tmp_path / "victim").write_text("keep")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "00-namespace.yaml").symlink_to(tmp_path / "victim")
    files = make_place(placed("shop", tier), Wish("kubernetes", tier))
    with pytest.raises(InputError, match="cannot be written"):
        write_place(folder, files)
    assert (tmp_path / "victim").read_text() == "keep"
    (folder / "00-namespace.yaml").unlink()
    os.mkfifo(folder / "10-limits.yaml")  # nobody reads it
    with pytest.raises(InputError, match="cannot be written"):
        write_place(folder, files)
    (folder / "10-limits.yaml").unlink()
    write_place(folder, files)
    write_place(folder, {"00-namespace.yaml": "x"})
    assert (folder / "00-namespace.yaml").read_text() == "x"


def test_an_address_with_a_wildcard_in_code_opens_nothing(tmp_path: Path) -> None:
    app = application(
        tmp_path,
        app_py='import requests\nrequests.get("https://*.co.uk/x", timeout=3)\n'
        'requests.get("https://api.example-bank.com", timeout=3)\n',
    )
    assert [one.name for one in app.hosts] == ["api.example-bank.com"]
    assert [one.name for one in app.named_only] == ["*.co.uk"]


@pytest.mark.parametrize(
    "source",
    [
        "import requests as r\nr.get(input())\n",
        "from requests import get as g\ng(input())\n",
        "from urllib.request import urlopen as o\no(input())\n",
        "import urllib.request\nurllib.request.urlopen(input())\n",
        "import requests\ns = requests.Session()\ns.get(input())\n",
        "import httpx\nwith httpx.Client() as c:\n    c.post(input())\n",
        "import httpx\nclass A:\n    def __init__(self):\n        self.c = httpx.AsyncClient()\n"
        "    def b(self):\n        return self.c.get(input())\n",
        "import socket\nsocket.create_connection((input(), 80))\n",
        "from asyncio import open_connection\nopen_connection(input(), 80)\n",
        "import http.client as h\nh.HTTPSConnection(input())\n",
    ],
)
def test_a_call_under_another_name_leaves_it_unknown_whom_it_calls(tmp_path: Path, source: str) -> None:
    assert application(tmp_path, app_py=source).dynamic


def test_names_of_a_file_cost_little() -> None:

    names = "".join(f"import a{number} as b{number}\n" for number in range(4_000))
    calls = "".join(f"b{number % 4_000}.x.y.get(z)\n" for number in range(12_000))
    lines = (names + calls).encode().split(b"\n")
    before = time.process_time()
    assert read_calls([Code("a.py", "Python", "source", lines)]).dynamic == ()
    assert time.process_time() - before < 10


@pytest.mark.parametrize(
    "body",
    [
        '    x = "login_required(current_user)"\n    return x\n',
        "    x = 1  # login_required\n    return x\n",
        '    x = """\nlogin_required\n"""\n    return x\n',
        "    return f'{1} is_authenticated'\n",
    ],
)
def test_a_text_or_a_comment_asks_nobody_who_is_there(tmp_path: Path, body: str) -> None:
    (route,) = application(tmp_path, app_py=f'{FLASK}@app.route("/a")\ndef a():\n{body}').routes
    assert route.guard is None


@pytest.mark.parametrize(
    "body",
    ["    if not current_user.ok:\n        return 403\n", '    if not session.get("user"):\n        return 403\n'],
)
def test_a_question_is_still_one(tmp_path: Path, body: str) -> None:
    (route,) = application(tmp_path, app_py=f'{FLASK}@app.route("/a")\ndef a():\n{body}').routes
    assert route.guard is not None


def test_a_list_of_people_is_no_way_to_sign_in(tmp_path: Path) -> None:
    paths = ["/login/all-users", "/oauth/admin", "/token/export", "/login", "/users/login", "/oauth/callback"]
    source = "".join(f'@app.route("{path}")\ndef f{number}():\n    return ""\n' for number, path in enumerate(paths))
    routes = application(tmp_path, app_py=FLASK + source).routes
    open_ = {one.name.partition(" ")[2] for one in routes if one.open_by_name}
    assert open_ == {"/login", "/users/login", "/oauth/callback"}


# The block in AGENTS.md


def test_many_beginnings_of_a_block_cost_nothing() -> None:
    content = BEGIN * 40_000
    before = time.process_time()
    with pytest.raises(InputError, match="40000 marks"):
        state_of(content, fixed_block("x\n"))
    with pytest.raises(InputError, match="40000 marks"):
        with_block(content, fixed_block("x\n"))
    assert outside(content.decode()) == content.decode()
    assert time.process_time() - before < 5


# Tables


@pytest.mark.parametrize("hidden", ["\ufeff", "\u200b", "\u202e", "\u2060", "\u00ad", "\u00a0", "\x0b", " \u200b\t"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_nothing_that_is_not_seen_hides_a_formula(hidden: str, formula: str) -> None:
    assert safe_cell(hidden + formula) == f"'{hidden}{formula}"
    assert safe_cell(hidden + "team") in (f"{hidden}team", f"'{hidden}team")


LONG = {
    "letters": "a" * 3_900 + ' "https://a.example-bank.com"',
    "dots": "x." * 1_900 + ' "https://a.example-bank.com"',
    "routers": "APIRouter(" * 250 + "dependencies=[" * 100,
    "spaces": "x = 1" + " " * 3_900 + "x",
    "ahead": " " * 3_900 + "x",
    "quotes": "\"'" * 1_900,
    "asks": "login_required " * 260,
}


@pytest.mark.parametrize("line", LONG)
def test_a_line_costs_little_whatever_is_in_it(line: str) -> None:
    """A file has 40,000 lines of 4,000 characters at most."""

    codes = [Code("a.js", "JavaScript", "source", [LONG[line].encode()] * 100)]
    point = EntryPoint("http", "GET /a", "GET", "/a", "express", SymbolId("a.js", "a"), 1)
    before = time.process_time()
    read_calls(codes)
    read_fields(codes)
    read_wanted(codes)
    read_routes([point], {"a.js": codes[0]}, {}, lambda _: False)
    assert time.process_time() - before < 5
