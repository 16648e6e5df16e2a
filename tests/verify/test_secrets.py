"""Secrets that a change adds: found by format or by name, never shown, placeholders left alone."""

from __future__ import annotations

import random
import string
import time

import msgspec
import pytest

from tidegate.change.trees import Trees, given
from tidegate.change.values import Change, FileChange, Hunk
from tidegate.facts import FileKind, Intent
from tidegate.settings import Settings
from tidegate.verify.secrets import find_secrets
from tidegate.verify.values import Part, Subject


def _random(count: int, alphabet: str = string.ascii_letters + string.digits, seed: int = 7) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=count))


HEX = "0123456789abcdef"
SECRETS = {
    "AWS": f'key = "AKIA{_random(16, string.ascii_uppercase + string.digits)}"',
    "GitHub": f"token: ghp_{_random(36)}",
    "fine-grained": f"token: github_pat_{_random(70)}",
    "Anthropic": f'k = "sk-ant-api03-{_random(60)}"',
    "OpenAI": f'k = "sk-proj-{_random(60)}"',
    "Google": f'k = "AIza{_random(35)}"',
    "GitLab": f"CI_TOKEN=glpat-{_random(20)}",
    "Stripe": f'stripe = "sk_live_{_random(24)}"',
    "Slack": f"xoxb-{_random(12, string.digits)}-{_random(12, string.digits, 8)}-{_random(24)}",
    "private key": "-----BEGIN RSA PRIVATE KEY-----",
    "connection string": f'DB = "postgres://shop:{_random(14)}@db:5432/x"',
    "assignment": f'db_password = "{_random(16)}"',
    "npm": f"//registry.npmjs.org/:_authToken=npm_{_random(36)}",
}
HARMLESS = (
    'password = os.environ["DB_PASSWORD"]',
    'password = "changeme"',
    '"error.password_length": "パスワードは6文字以上である必要があります。",',
    'api_key = "your-api-key-here"',
    'SECRET = "${SECRET}"',
    "token = get_token(user)",
    "secret: {{ vault.secret }}",
    f'digest = "{_random(64, HEX)}"',
    f'commit = "{_random(40, HEX)}"',
    '"integrity": "sha512-' + _random(86) + '=="',
    'password_field = "password"',
    "def check_password(self, raw_password: str) -> bool:",
    'AUTH_TOKEN_HEADER = "X-Auth-Token"',
    'url = "https://user:password@example.com/"',
    'key = "550e8400-e29b-41d4-a716-446655440000"',
    'aws_key = "AKIAIOSFODNN7EXAMPLE"',
)


def _part(line: str, *, kind: FileKind = "source", removed: str = "", path: str = "shop/settings.py") -> Part:
    gone = (removed.encode(),) if removed else ()
    hunk = Hunk(3, len(gone), 3, 1, gone, (line.encode(),))
    name = path.encode()
    file = FileChange(name, name, "modified", 0o100644, 0o100644, "", "", 0, 1, len(gone), False, True, (hunk,), kind)
    change = Change("commit", "", "", "", "", "", "", "", (), (file,), Intent())
    trees: Trees = given({}, {})
    return find_secrets(Subject(change, trees, Settings()))


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_never_shown(name: str) -> None:
    part = _part(SECRETS[name])
    assert part.fields["secrets"] == 1
    (finding,) = part.findings
    assert (finding.rule, finding.severity, finding.place.line) == ("secret-added", "critical", 3)
    shown = msgspec.json.encode(part).decode()
    line = SECRETS[name]
    assert not any(line[at : at + 10] in shown for at in range(len(line) - 10) if line[at : at + 10].isalnum())


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert _part(line).findings == ()


@pytest.mark.parametrize("name", ["assignment", "connection string", "private key"])
def test_in_tests_only_the_formats_of_providers_count(name: str) -> None:
    assert _part(SECRETS[name], kind="test").findings == ()
    assert _part(SECRETS["GitHub"], kind="test").findings


@pytest.mark.parametrize("name", ["AWS", "assignment", "Anthropic"])
def test_a_secret_that_only_moved_is_not_added(name: str) -> None:
    assert _part(f"    {SECRETS[name]}", removed=SECRETS[name]).findings == ()


def test_lock_files_are_left_alone() -> None:
    assert _part(SECRETS["GitHub"], path="package-lock.json").findings == ()


def test_a_line_without_end_is_left_alone() -> None:
    assert _part("x" * 100_000 + SECRETS["GitHub"]).findings == ()


@pytest.mark.parametrize("text", ["apikey" * 330, '"' * 1990 + "password", "x = y == " * 200 + "secret"])
def test_lines_that_are_made_to_take_long_are_left_out_and_said(text: str) -> None:
    lines = tuple(f"{text}{number}".encode() for number in range(300))
    hunk = Hunk(1, 300, 1, 300, lines[::-1], lines)
    name = b"shop/settings.py"
    file = FileChange(name, name, "modified", 0o100644, 0o100644, "", "", 0, 300, 300, False, True, (hunk,), "source")
    change = Change("commit", "", "", "", "", "", "", "", (), (file,), Intent())
    start = time.process_time()
    part = find_secrets(Subject(change, given({}, {}), Settings()))
    assert time.process_time() - start < 3
    assert " added lines are too long or too many" in part.unknowns[0].reason


def test_a_line_without_end_is_said_to_be_left_out() -> None:
    (unknown,) = _part("x" * 100_000 + SECRETS["GitHub"]).unknowns
    assert unknown.path == "verification.secrets"
    assert unknown.reason.startswith("1 added line is too long")
    assert _part(SECRETS["GitHub"]).unknowns == ()


DRAWN = _random(40, seed=11)
READS = {
    "environ": ('STRIPE = Client(os.environ["STRIPE_API_KEY"])', f'STRIPE = Client("{DRAWN}")'),
    "getenv": ('    client = Api(os.getenv("SERVICE_TOKEN", ""))', f'    client = Api("{DRAWN}")'),
    "node": ("const client = connect(process.env.API_SECRET);", f"const client = connect('{DRAWN}');"),
    "vite": ("x = import.meta.env.VITE_ACCESS_TOKEN", f'x = "{DRAWN}"'),
    "rails": ('  config.x = ENV.fetch("MAIL_PASSWORD")', f'  config.x = "{DRAWN}"'),
    "go": ('x := os.Getenv("PRIVATE_KEY")', f'x := "{DRAWN}"'),
    "django": ('X = env("SIGNING_KEY")', f'X = "{DRAWN}"'),
    "java": ('String x = System.getenv("API_KEY");', f'String x = "{DRAWN}";'),
    "a digest of an API key": ('x = os.environ["API_KEY"]', f'x = "{_random(40, HEX)}"'),
    "a name that says nothing": ('SITE = os.environ["SITE"]', f'SITE = "{DRAWN}"'),
}
NAMED = (
    f'token = "{DRAWN}"',
    f'ACCESS_KEY: str = "{DRAWN}"',
    f"  apiToken: '{DRAWN}',",
    f'signing_key := "{DRAWN}"',
    f'client_secret => "{DRAWN}"',
    f'{{"refresh_token": "{DRAWN}"}}',
)
QUIET = (
    f'token_hash = "{DRAWN}"',
    f'public_key = "{DRAWN}"',
    f'STRIPE_PUBLISHABLE_KEY = "{DRAWN}"',
    'token = "550e8400-e29b-41d4-a716-446655440000"',
    f'token_digest = "{_random(64, HEX)}"',
    f'token = "{_random(64, HEX)}"',
    'TOKEN = "a-sentence-of-words-that-people-wrote-2"',
    'credential_path = "/var/lib/service/credentials/token1"',
    'next_page_token = "CAUQAA1234567890abcdEFGH"',
    'access_token = "your-access-token-here-1234567"',
    'integrity = "sha384-oqVuAfXRKap7fdgcCY5uykM6R9GqQ8K"',
)


@pytest.mark.parametrize("name", READS)
def test_a_random_text_in_place_of_a_read_of_the_environment_is_found(name: str) -> None:
    removed, added = READS[name]
    part = _part(added, removed=removed)
    assert part.fields["secrets"] == 1
    assert DRAWN not in msgspec.json.encode(part).decode()
    assert _part(added, removed=removed, kind="test").findings == ()


@pytest.mark.parametrize("line", NAMED)
def test_a_random_text_under_the_name_of_a_secret_is_found(line: str) -> None:
    assert _part(line).fields["secrets"] == 1


@pytest.mark.parametrize("line", QUIET)
def test_names_of_digests_public_keys_and_placeholders_are_left_alone(line: str) -> None:
    assert _part(line).findings == ()


def test_what_takes_the_place_of_a_read_and_is_not_random_is_left_alone() -> None:
    removed = 'URL = os.environ["API_TOKEN"]'
    for added in ('URL = "https://example.com/token"', "URL = settings.API_TOKEN", 'URL = "changeme-changeme-12"'):
        assert _part(added, removed=removed).findings == ()
    version = 'BUILD = "550e8400-e29b-41d4-a716-446655440000"'
    assert _part(version, removed='BUILD = os.environ["BUILD"]').findings == ()
