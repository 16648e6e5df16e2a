"""Secrets never stay in a prompt, and ordinary words do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.provenance.redact import prompt_digest, redact

SECRETS = [
    ("aws-key", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("github-token", "ghp_" + "a1B2" * 9),
    ("github-token", "github_pat_" + "a1B2" * 10),
    ("gitlab-token", "glpat-" + "a1B2c3D4e5F6g7H8i9J0"),
    ("bitbucket-token", "ATBB" + "a1B2c3D4" * 4),
    ("slack-token", "xoxb-" + "123456789012-abcdefABCDEF"),
    ("anthropic-key", "sk-ant-" + "api03-" + "aB3" * 12),
    ("openai-key", "sk-" + "proj-" + "aB3" * 12),
    ("stripe-key", "sk_live_" + "aB3" * 8),
    ("google-key", "AIza" + "aB3-_" * 7),
    ("npm-token", "npm_" + "aB3" * 12),
    ("pypi-token", "pypi-" + "aB3" * 15),
    ("huggingface-token", "hf_" + "aB3" * 11),
    ("sendgrid-key", "SG." + "aB3" * 7 + "." + "aB3" * 14),
    ("vault-token", "hvs." + "aB3" * 10),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NSJ9" + ".c2lnbmF0dXJl"),
    ("private-key", "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef\n-----END RSA PRIVATE KEY-----"),
    ("private-key", "-----BEGIN OPENSSH PRIVATE KEY-----\nMIIabc\ncut off here"),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_a_secret_is_replaced_by_its_kind(kind: str, secret: str) -> None:
    shown = redact(f"use {secret} for the deploy")
    assert secret not in shown
    assert f"[redacted:{kind}]" in shown
    assert shown.startswith("use ")


@pytest.mark.parametrize(
    ("text", "gone", "kept"),
    [
        ("postgres://app:hunter2@db.example/shop", "hunter2", "postgres://app:"),
        ("password = 'correct-horse-1'", "correct-horse-1", "password = '"),
        ("DB_PASSWORD: s3cret!", "s3cret!", "DB_PASSWORD: "),
        ("api_key=Zx81kPq02LmVt7", "Zx81kPq02LmVt7", "api_key="),
        ('{"client_secret": "Zx81kPq02LmVt7Qw"}', "Zx81kPq02LmVt7Qw", '"client_secret": "'),
        ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef", "Authorization: "),
    ],
)
def test_what_is_assigned_to_a_secret_is_taken_out(text: str, gone: str, kept: str) -> None:
    shown = redact(text)
    assert gone not in shown
    assert kept in shown
    assert "[redacted:" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Rename the password field to passphrase and add a test.",
        "The token parser must accept tokens of 40 characters.",
        "auth = get_auth(user)",
        "secret santa: draw the names",
        "See https://example.com/a:b@c and git@github.com:owner/name.git",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "token = next(tokens)",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_hostile_text_takes_linear_time() -> None:
    started = time.process_time()
    redact("-----BEGIN PRIVATE KEY-----" * 20_000 + "password=" * 20_000 + "a://b:" * 20_000)
    assert time.process_time() - started < 3


def test_a_digest_is_salted_and_never_of_the_secret() -> None:
    assert prompt_digest("hello", "a") != prompt_digest("hello", "b")
    assert prompt_digest("hello", "a") == prompt_digest("hello", "a")
    assert prompt_digest("hello", "a").startswith("sha256:")
    one, other = ("use ghp_" + c * 36 for c in "ab")
    assert prompt_digest(one, "a") == prompt_digest(other, "a")
