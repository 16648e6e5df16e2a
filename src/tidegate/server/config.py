"""How a service is set up: by its environment alone, every name with the prefix TIDEGATE_, secrets also from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field

from tidegate.errors import InputError

PREFIX = "TIDEGATE_"
_SECRET_LEAST = 16
SENDERS = ("grafana", "pagerduty", "sentry")
"""Those that sign what they tell of production, beside the forges."""


class Secrets(Struct, frozen=True):
    """Two secrets, the newer first, so that a sender can be moved from one to the other. Never shown."""

    accepted: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Secrets({len(self.accepted)})"


class GitHub(Struct, frozen=True):
    """A GitHub App (`app`, `key`), or a plain token for statuses where there is no App."""

    api: str = "https://api.github.com"
    app: str = ""
    key: Path | None = None
    token: Secrets = Secrets()
    hooks: Secrets = Secrets()


class GitLab(Struct, frozen=True):
    """A GitLab host and a token of a bot of its own."""

    api: str = ""
    token: Secrets = Secrets()
    hooks: Secrets = Secrets()


class Hcp(Struct, frozen=True):
    """HCP Terraform, or a Terraform Enterprise of one's own: its address, and the HMAC keys of the run task."""

    url: str = "https://app.terraform.io"
    keys: Secrets = Secrets()


class SignIn(Struct, frozen=True):
    """An OpenID Connect provider; empty: local accounts only. `role` is what a new person gets; "" refuses them."""

    issuer: str = ""
    client: str = ""
    secret: Secrets = Secrets()
    role: str = ""


class Limits(Struct, frozen=True):
    """What one analysis may use before what it could not do is unknown."""

    seconds: int = 120
    memory_mb: int = 2048
    request_kb: int = 25 * 1024  # GitHub's own cap of a delivery is 25 MB


class Config(Struct, frozen=True):
    """`data` holds the database, the ledger's key and the mirrors. `url` is how browsers reach the service."""

    data: Path
    database: str
    url: str = "http://127.0.0.1:8787"
    host: str = "127.0.0.1"
    port: int = 8787
    workers: int = 1
    github: GitHub | None = None
    gitlab: GitLab | None = None
    sign_in: SignIn = SignIn()
    witnesses: tuple[str, ...] = ()
    """Each `VKEY URL`."""
    quorum: int = 0
    production: Path | None = None
    """The file that says where production is measured: `server/production/setup.py`."""
    limits: Limits = field(default_factory=Limits)
    trusted_proxy: bool = False
    hcp: Hcp | None = None
    senders: Mapping[str, Secrets] = {}
    """The secrets of those that sign what they tell of production, by their names."""


def read_config(environment: Mapping[str, str]) -> Config:
    """The set-up that these variables give. Raises InputError with the variable's name: an unknown one is refused."""
    given = {name.removeprefix(PREFIX): text for name, text in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(name for name in given.keys() - _KNOWN if not name.startswith(_ELSEWHERE))
    if unknown:
        raise InputError("is no setting of the service", where=PREFIX + unknown[0], mend=f"known are {_listing()}")
    data = Path(given.get("HOME", "tidegate-data")).absolute()
    host, port = given.get("HOST", "127.0.0.1"), _number(given, "PORT", 8787, most=65535)
    return Config(
        data=data,
        database=_secret_text(given, "DATABASE_URL") or f"sqlite:///{data / 'tidegate.db'}",
        url=_url(given, host, port),
        host=host,
        port=port,
        workers=_number(given, "WORKERS", 1, most=64),
        github=_github(given),
        gitlab=_gitlab(given),
        sign_in=SignIn(
            issuer=given.get("OIDC_ISSUER", "").rstrip("/"),
            client=given.get("OIDC_CLIENT", ""),
            secret=_secrets(given, "OIDC_SECRET"),
            role=_role(given),
        ),
        witnesses=tuple(line.strip() for line in given.get("WITNESSES", "").split(",") if line.strip()),
        quorum=_number(given, "QUORUM", 1 if given.get("WITNESSES") else 0, most=16),
        production=Path(given["PRODUCTION_FILE"]) if given.get("PRODUCTION_FILE") else None,
        limits=Limits(
            seconds=_number(given, "LIMIT_SECONDS", 120, most=3600),
            memory_mb=_number(given, "LIMIT_MEMORY_MB", 2048, most=1 << 20),
        ),
        trusted_proxy=given.get("TRUSTED_PROXY", "") == "1",
        hcp=_hcp(given),
        senders={name: _secrets(given, f"{name.upper()}_WEBHOOK_SECRET") for name in SENDERS},
    )


# Private

_KNOWN = frozenset(
    "HOME DATABASE_URL DATABASE_URL_FILE URL HOST PORT WORKERS GITHUB_API GITHUB_APP GITHUB_KEY_FILE GITHUB_TOKEN "
    "GITHUB_TOKEN_FILE GITHUB_WEBHOOK_SECRET GITHUB_WEBHOOK_SECRET_FILE GITLAB_URL GITLAB_TOKEN GITLAB_TOKEN_FILE "
    "GITLAB_WEBHOOK_SECRET GITLAB_WEBHOOK_SECRET_FILE OIDC_ISSUER OIDC_CLIENT OIDC_SECRET OIDC_SECRET_FILE OIDC_ROLE "
    "WITNESSES QUORUM PRODUCTION_FILE LIMIT_SECONDS LIMIT_MEMORY_MB TRUSTED_PROXY PAGERDUTY_WEBHOOK_SECRET "
    "PAGERDUTY_WEBHOOK_SECRET_FILE SENTRY_WEBHOOK_SECRET SENTRY_WEBHOOK_SECRET_FILE GRAFANA_WEBHOOK_SECRET "
    "GRAFANA_WEBHOOK_SECRET_FILE HCP_URL HCP_HMAC_KEY HCP_HMAC_KEY_FILE".split()
)
_ELSEWHERE = ("DATA", "DEBUG", "PROVENANCE_", "OWNERS_", "REACH_")  # settings of a repository, and of development


def _listing() -> str:
    return ", ".join(PREFIX + name for name in sorted(_KNOWN))


def _url(given: Mapping[str, str], host: str, port: int) -> str:
    """How browsers reach the service: a scheme and a host. Cookies, origins and the ledger's name hang on it.

    On this machine it is `localhost`: browsers speak to authenticators for a name, and never for an IP address.
    """
    shown = {"127.0.0.1": "localhost", "::1": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
    url = (given.get("URL") or f"http://{shown}:{port}").rstrip("/")
    try:
        parts = urlsplit(url)
        plain = parts._replace(path="").geturl() == url and parts.port != 0
    except ValueError:
        plain = False
    if not plain or parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise InputError(
            f"{url!r} is no address", where=PREFIX + "URL", mend="write it like https://tidegate.example.com"
        )
    return url


def _role(given: Mapping[str, str]) -> str:
    """What somebody becomes who signs in for the first time: never an admin, who is made by one, and never an agent."""
    role = given.get("OIDC_ROLE", "")
    if role not in ("", "viewer", "reviewer", "approver"):
        raise InputError(f"{role!r} is no role that a sign-in gives", where=PREFIX + "OIDC_ROLE", mend="say viewer")
    return role


def _number(given: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= most:
        raise InputError(f"{text!r} is no number from 0 to {most}", where=PREFIX + name)
    return int(text)


def _secret_text(given: Mapping[str, str], name: str) -> str:
    """The value, or what the file NAME_FILE holds. Both at once are refused: nobody could tell which one counts."""
    path = given.get(f"{name}_FILE", "")
    if path and given.get(name):
        raise InputError("is given twice", where=PREFIX + name, mend=f"take {PREFIX}{name} or {PREFIX}{name}_FILE away")
    if not path:
        return given.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read", where=f"{PREFIX}{name}_FILE={path}") from error


def _secrets(given: Mapping[str, str], name: str) -> Secrets:
    """One secret or two on two lines (or with a comma), the newer first."""
    words = _secret_text(given, name).replace(",", "\n").split()
    if len(words) > 2:
        raise InputError("holds more than two secrets", where=PREFIX + name)
    if any(len(word) < _SECRET_LEAST for word in words):
        raise InputError(
            f"holds a secret of fewer than {_SECRET_LEAST} characters",
            where=PREFIX + name,
            mend="make one by: openssl rand -hex 32",
        )
    return Secrets(tuple(word.encode() for word in words))


def _github(given: Mapping[str, str]) -> GitHub | None:
    if not any(name.startswith("GITHUB_") for name in given):
        return None
    hooks = _secrets(given, "GITHUB_WEBHOOK_SECRET")
    if not hooks.accepted:
        raise InputError("is missing", where=f"{PREFIX}GITHUB_WEBHOOK_SECRET", mend="without it nobody's word counts")
    key = given.get("GITHUB_KEY_FILE", "")
    return GitHub(
        api=(given.get("GITHUB_API") or "https://api.github.com").rstrip("/"),
        app=given.get("GITHUB_APP", ""),
        key=Path(key) if key else None,
        token=_secrets(given, "GITHUB_TOKEN"),
        hooks=hooks,
    )


def _hcp(given: Mapping[str, str]) -> Hcp | None:
    if not any(name.startswith("HCP_") for name in given):
        return None
    keys = _secrets(given, "HCP_HMAC_KEY")
    if not keys.accepted:
        raise InputError("is missing", where=f"{PREFIX}HCP_HMAC_KEY", mend="without it nobody's word counts")
    url = (given.get("HCP_URL") or Hcp().url).rstrip("/")
    try:
        parts = urlsplit(url)
        plain = parts._replace(path="").geturl() == url and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        plain = False
    if not plain or parts.scheme not in ("https", "http") or not parts.hostname:
        raise InputError(
            f"{url!r} is no address", where=PREFIX + "HCP_URL", mend="write it like https://tfe.example.com"
        )
    return Hcp(url, keys)


def _gitlab(given: Mapping[str, str]) -> GitLab | None:
    if not any(name.startswith("GITLAB_") for name in given):
        return None
    hooks = _secrets(given, "GITLAB_WEBHOOK_SECRET")
    if not hooks.accepted:
        raise InputError("is missing", where=f"{PREFIX}GITLAB_WEBHOOK_SECRET", mend="without it nobody's word counts")
    return GitLab(
        api=(given.get("GITLAB_URL") or "https://gitlab.com").rstrip("/"),
        token=_secrets(given, "GITLAB_TOKEN"),
        hooks=hooks,
    )
