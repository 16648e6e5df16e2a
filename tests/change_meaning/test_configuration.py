"""Settings of a revision: which files, in which order, what is refused, and where every value came from."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.settings import Loaded, Settings, Source, list_settings, parse_settings


def test_every_place_is_read_and_named(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    commit = repo.commit(
        "policy",
        {
            "tidegate.toml": '[policy]\npack = "none"\n[people."x y"]\naccounts = ["x"]\n[[rule]]\nid = "one"\n',
            "pyproject.toml": '[project]\nname = "x"\n[tool.tidegate.owners]\ndialect = "gitlab"\n',
            ".tidegate/policy/b.toml": '[[rule]]\nid = "three"\n',
            ".tidegate/policy/a.toml": '[[rule]]\nid = "two"\n',
            ".tidegate/policy/README.md": "words",
            "sub/tidegate.toml": "not read = at all",
        },
    )
    loaded = _read(repo)
    short = commit[:7]
    assert loaded.settings.policy.pack == "none"
    assert loaded.settings.owners.dialect == "gitlab"
    assert [rule["id"] for rule in loaded.settings.rule] == ["one", "two", "three"]
    assert loaded.rule_origins == (
        f"tidegate.toml at {short}",
        f".tidegate/policy/a.toml at {short}",
        f".tidegate/policy/b.toml at {short}",
    )
    assert loaded.origins == {
        "policy.pack": f"tidegate.toml at {short}",
        'people."x y".accounts': f"tidegate.toml at {short}",
        "owners.dialect": f"pyproject.toml at {short}",
    }


def test_the_revision_that_is_asked_for_is_read_not_the_work_tree(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"a": "1"})
    repo.commit("loosen", {"tidegate.toml": '[policy]\npack = "none"\n'})
    repo.write("tidegate.toml", "broken =")
    assert _read(repo, base).settings == Settings()
    assert _read(repo, "HEAD").settings.policy.pack == "none"


def test_without_a_revision_there_are_defaults(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    with open_repository(repo.path) as repository:
        assert read_settings(repository, "", {}).settings == Settings()
    assert read_settings(None, "", {}).settings == Settings()


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("tidegate.toml", "/etc/passwd"),
        ("pyproject.toml", "other.toml"),
        (".tidegate", "elsewhere"),
        (".tidegate/policy", "x"),
        (".tidegate/policy/a.toml", "../../b"),
    ],
)
def test_a_link_is_refused_and_not_followed(tmp_path: Path, link: str, target: str) -> None:
    repo = Repo.init(tmp_path)
    (repo.path / link).parent.mkdir(parents=True, exist_ok=True)
    (repo.path / link).symlink_to(target)
    repo.commit("link")
    with pytest.raises(InputError, match="plain files") as error:
        _read(repo)
    assert link in error.value.where


@pytest.mark.parametrize(
    ("files", "what", "where"),
    [
        ({"tidegate.toml": "x ="}, "not valid TOML", "tidegate.toml at"),
        ({"tidegate.toml": b"\xff"}, "not UTF-8", "tidegate.toml at"),
        ({"tidegate.toml": "#" * (1 << 20) + "\n"}, "larger than 1 MiB", "tidegate.toml at"),
        ({"tidegate.toml": "[peple]\n"}, "there is no setting peple", "tidegate.toml at"),
        ({"tidegate.toml": "[people.ann]\nmail = 1\n"}, "there is no setting people.ann.mail", "tidegate.toml at"),
        (
            {"tidegate.toml": '[teams]\n"@a/b" = "x"\n'},
            'teams."@a/b": it must be a list, not a text',
            "tidegate.toml at",
        ),
        (
            {"tidegate.toml": '[provenance]\ntrailers = "maybe"\n'},
            'provenance.trailers: "maybe" is none of "ignore", "require", "forbid"',
            "tidegate.toml at",
        ),
        ({"tidegate.toml": "a" + ".a" * 50 + " = 1"}, "nested more than 20 deep", "tidegate.toml at"),
        ({"pyproject.toml": "[tool]\ntidegate = 3\n"}, "tool.tidegate is not a table", "pyproject.toml at"),
        ({".tidegate/policy/a.toml": "[policy]\n"}, "holds only [[rule]]", ".tidegate/policy/a.toml at"),
        ({".tidegate/policy/sub/a.toml": "[[rule]]\n"}, "would not be read", ".tidegate/policy/sub/a.toml at"),
        (
            {"tidegate.toml": "[policy]\n", "pyproject.toml": "[tool.tidegate.policy]\n"},
            "is set twice",
            "pyproject.toml at",
        ),
        (
            {"tidegate.toml": '[people.a]\naccounts = ["X"]\n[people.b]\naccounts = ["@x"]\n'},
            "account x belongs to both a and b",
            "tidegate.toml at",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_where_and_the_mend(
    tmp_path: Path, files: dict[str, str | bytes], what: str, where: str
) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("bad", files)
    with pytest.raises(InputError) as error:
        _read(repo)
    assert what in error.value.what
    assert where in error.value.where
    assert error.value.mend


def test_a_file_that_the_caller_names_stands_in_the_place_of_all_others(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("base", {"tidegate.toml": "[broken", ".tidegate/policy/a.toml": '[[rule]]\nid = "x"\n'})
    own = tmp_path / "own.toml"
    own.write_text('[policy]\npack = "none"\n')
    with open_repository(repo.path) as repository:
        loaded = read_settings(repository, repository.resolve("HEAD"), {}, override=own)
        assert loaded.origins == {"policy.pack": str(own)}
        assert loaded.settings.rule == ()
        with pytest.raises(InputError, match="cannot be read"):
            read_settings(repository, "HEAD", {}, override=tmp_path / "none.toml")


def test_the_environment_wins_and_is_named() -> None:
    text = Source("tidegate.toml", "tidegate.toml", b'[provenance]\ntrailers = "require"\ncheckpoints = "x"\n')
    loaded = parse_settings([text], {"TIDEGATE_PROVENANCE_TRAILERS": "forbid", "TIDEGATE_RULE": "x"})
    assert loaded.settings.provenance.trailers == "forbid"
    assert loaded.settings.provenance.checkpoints == "x"
    assert loaded.origins["provenance.trailers"] == "environment variable TIDEGATE_PROVENANCE_TRAILERS"
    with pytest.raises(InputError) as error:
        parse_settings([], {"TIDEGATE_OWNERS_DIALECT": "all"})
    assert error.value.where == "environment variable TIDEGATE_OWNERS_DIALECT"


def test_the_environment_cannot_switch_the_rules_off() -> None:
    loaded = parse_settings([], {"TIDEGATE_POLICY_PACK": "none", "TIDEGATE_POLICY": "none"})
    assert loaded.settings.policy.pack == "default"


def test_the_number_of_processes_does_not_grow_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("many", {f".tidegate/policy/p{i}.toml": f'[[rule]]\nid = "r{i}"\n' for i in range(60)})
    started: list[object] = []
    real = subprocess.Popen.__init__
    with open_repository(repo.path) as repository:
        commit = repository.resolve("HEAD")
        monkeypatch.setattr(
            subprocess.Popen, "__init__", lambda self, *a, **k: started.append(a) or real(self, *a, **k)
        )
        assert len(read_settings(repository, commit, {}).settings.rule) == 60
    assert len(started) <= 4


# `tidegate settings`


def test_settings_are_listed_with_their_origins() -> None:
    text = Source("tidegate.toml at 1a2b3c4", "tidegate.toml", b'[teams]\n"@a/b" = ["x"]\n[[rule]]\nid = "r"\n')
    lines = {line.path: (line.value, line.origin) for line in list_settings(parse_settings([text], {}))}
    assert lines['teams."@a/b"'] == ('["x"]', "tidegate.toml at 1a2b3c4")
    assert lines["rule[0]"] == ('"r"', "tidegate.toml at 1a2b3c4")
    assert lines["policy.pack"] == ('"default"', "default")
    assert lines["people"] == ("{}", "default")


def test_the_command_prints_what_a_check_would_use(
    tmp_path: Path, tidegate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    repo = Repo.init(tmp_path)
    assert "no commit yet" in tidegate("settings", cwd=repo.path).stdout
    commit = repo.commit("x", {"tidegate.toml": '[people.ann]\nname = "\\u001b[31mAnn"\n'})
    done = tidegate("settings", cwd=repo.path)
    assert done.returncode == 0
    assert f"from tidegate.toml at {commit[:7]}" in done.stdout
    assert "\x1b" not in done.stdout
    assert '"path":"people.ann.name"' in tidegate("settings", "--format", "json", cwd=repo.path).stdout
    repo.commit("y", {"tidegate.toml": "nope = 1\n"})
    refused = tidegate("settings", cwd=repo.path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "there is no setting nope" in refused.stderr


def _read(repo: Repo, revision: str = "HEAD") -> Loaded:
    with open_repository(repo.path) as repository:
        return read_settings(repository, repository.resolve(revision), {})
