"""How a service is set up: what is understood, and everything that is refused with the name of its variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.server.config import read_config
from tidegate.server.start import check_reach

SECRET = "0123456789abcdef0123456789abcdef"


def read(**given: str):  # type: ignore[no-untyped-def]
    return read_config({f"TIDEGATE_{name}": text for name, text in given.items()})


def test_without_anything_it_is_a_small_service_on_this_machine() -> None:
    config = read()
    assert (config.host, config.port, config.url) == ("127.0.0.1", 8787, "http://localhost:8787")
    assert config.database == f"sqlite:///{config.data / 'tidegate.db'}"
    assert (config.github, config.gitlab, config.witnesses, config.quorum) == (None, None, (), 0)
    check_reach(config)


def test_what_is_given_is_understood(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n{SECRET[::-1]}\n")
    config = read(
        HOME=str(tmp_path),
        URL="https://tidegate.example/",
        HOST="0.0.0.0",
        GITHUB_WEBHOOK_SECRET_FILE=str(tmp_path / "secret"),
        WITNESSES="a+1+x https://one.example, b+2+y https://two.example",
        OIDC_ISSUER="https://id.example/",
        OIDC_ROLE="reviewer",
    )
    check_reach(config)
    assert config.url == "https://tidegate.example"
    assert config.github is not None
    assert config.github.hooks.accepted == (SECRET.encode(), SECRET[::-1].encode())
    assert SECRET not in repr(config)
    assert (config.quorum, len(config.witnesses), config.sign_in.issuer) == (1, 2, "https://id.example")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"WITNES": "x"}, "TIDEGATE_WITNES"),
        ({"PORT": "0x10"}, "TIDEGATE_PORT"),
        ({"PORT": "٣"}, "TIDEGATE_PORT"),
        ({"PORT": "65536"}, "TIDEGATE_PORT"),
        ({"PORT": "-1"}, "TIDEGATE_PORT"),
        ({"URL": "tidegate.example"}, "TIDEGATE_URL"),
        ({"URL": "ftp://tidegate.example"}, "TIDEGATE_URL"),
        ({"URL": "https://user:pass@tidegate.example"}, "TIDEGATE_URL"),
        ({"URL": "https://tidegate.example/path"}, "TIDEGATE_URL"),
        ({"URL": "https://tidegate.example:port"}, "TIDEGATE_URL"),
        ({"URL": "https://"}, "TIDEGATE_URL"),
        ({"OIDC_ROLE": "admin"}, "TIDEGATE_OIDC_ROLE"),
        ({"OIDC_ROLE": "agent"}, "TIDEGATE_OIDC_ROLE"),
        ({"GITHUB_APP": "1"}, "TIDEGATE_GITHUB_WEBHOOK_SECRET"),
        ({"GITLAB_URL": "https://git.example"}, "TIDEGATE_GITLAB_WEBHOOK_SECRET"),
        ({"GITHUB_WEBHOOK_SECRET": "short"}, "TIDEGATE_GITHUB_WEBHOOK_SECRET"),
        ({"GITHUB_WEBHOOK_SECRET": f"{SECRET},{SECRET},{SECRET}"}, "TIDEGATE_GITHUB_WEBHOOK_SECRET"),
        ({"OIDC_SECRET": SECRET, "OIDC_SECRET_FILE": "/x"}, "TIDEGATE_OIDC_SECRET"),
        ({"OIDC_SECRET_FILE": "/nowhere/at/all"}, "TIDEGATE_OIDC_SECRET_FILE"),
    ],
)
def test_what_is_refused_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(InputError) as caught:
        read(**given)
    assert caught.value.where.startswith(named)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "tidegate.example"])
def test_beyond_this_machine_it_wants_https(host: str) -> None:
    with pytest.raises(InputError, match="without https"):
        check_reach(read(HOST=host))
    check_reach(read(HOST=host, URL="https://tidegate.example"))
    check_reach(read(HOST=host, TRUSTED_PROXY="1"))
