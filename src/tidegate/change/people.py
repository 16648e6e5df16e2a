"""Which person an e-mail or an account belongs to, and which belong to no person at all.

The identity map is `[people.KEY]` of the settings. A name alone never identifies anybody: whoever writes a commit
chooses it. Only what is sure is called a bot; an account that nobody claims is unknown, not human.
"""

from __future__ import annotations

import re

from tidegate.change.values import Person
from tidegate.settings import Settings, folded

BOT_ACCOUNTS = frozenset(
    (
        *("allcontributors", "chatgpt-codex-connector", "claude", "codecov-commenter", "coderabbitai", "copilot"),
        *("copilot-pull-request-reviewer", "copilot-swe-agent", "cursor", "cursoragent", "dependabot"),
        *("dependabot-preview", "devin-ai-integration", "gemini-code-assist", "github-actions"),
        *("github-advanced-security", "gitlab-bot", "gitlab-dependency-bot", "gitlabduo", "google-labs-jules"),
        *("greenkeeper", "imgbot", "k8s-ci-robot", "mergify", "openai-codex", "pre-commit-ci", "pyup-bot"),
        *("renovate", "renovate-bot", "semantic-release-bot", "snyk-bot", "sonarcloud", "sourcery-ai", "weblate"),
    )
)
"""Accounts that are bots or apps and whose names do not say so. Lower case."""

BOT_EMAILS = frozenset(
    (
        "action@github.com",
        "actions@github.com",
        "bot@renovateapp.com",
        "cursoragent@cursor.com",
        "noreply@anthropic.com",
        "noreply@openai.com",
        "semantic-release-bot@martynus.net",
        "snyk-bot@snyk.io",
        "support@dependabot.com",
        "support@greenkeeper.io",
    )
)

FORGE_EMAILS = frozenset(("noreply@github.com", "noreply@gitlab.com"))
"""What a forge writes as the committer when somebody presses its button: it says nothing of who pressed."""

# docs.github.com "Setting your commit email address"; docs.gitlab.com "Change the email displayed on your commits".
_NOREPLY = re.compile(r"(?:(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com|\d+-([^@]+)@users\.noreply\.gitlab\.com)")
# docs.gitlab.com, "Bot users for projects" and "for groups", "Service accounts".
_GITLAB_BOT = re.compile(r"(?:project|group)_?\d+_bot(?:_?[0-9a-f]+|\d*)|service_account_.*", re.IGNORECASE)


class People:
    """The identity map, ready for questions. Every answer is a printable line."""

    def __init__(self, settings: Settings) -> None:
        self._by_email = {folded(mail): key for key, who in settings.people.items() for mail in who.emails}
        self._by_account = {
            plain_account(account): key for key, who in settings.people.items() for account in who.accounts
        }

    def key_of(self, person: Person) -> str:
        """The key of whoever the identity map gives this e-mail to; "" for nobody."""
        email = folded(person.email)
        if email in self._by_email:
            return self._by_email[email]
        account = noreply_account(email)
        return self._by_account.get(account, "") if account else ""

    def of_person(self, person: Person) -> str:
        """One name for a person of a commit: the key, else `Name <email>`, which is never taken for a key."""
        return self.key_of(person) or f"{_printable(person.name)} <{_printable(person.email)}>".strip()

    def of_account(self, account: str) -> str:
        """The key of whoever the identity map gives this forge account to; "" for nobody."""
        return self._by_account.get(plain_account(account), "")

    def is_bot(self, person: Person) -> bool:
        """Whether a commit identity is surely no person: by e-mail, or by a name that ends in `[bot]`."""
        email = folded(person.email)
        return (
            email in BOT_EMAILS
            or email.partition("@")[0].endswith("[bot]")
            or folded(person.name).endswith("[bot]")
            or is_bot_account(noreply_account(email))
        )

    def is_bot_account(self, account: str) -> bool:
        """Whether a forge account is surely no person."""
        return is_bot_account(account)

    def is_forge(self, person: Person) -> bool:
        """Whether this is the forge itself, as the committer of what somebody merged or edited on its pages."""
        return folded(person.email) in FORGE_EMAILS


def plain_account(account: str) -> str:
    """An account as it is compared: without `@`, `app/` and case. Forges ignore case in account names."""
    return folded(account).removeprefix("@").removeprefix("app/")


def is_bot_account(account: str) -> bool:
    """Whether a forge account is surely no person: by its ending, by a name that a forge reserves, or by the table."""
    name = plain_account(account)
    return name.endswith("[bot]") or name in BOT_ACCOUNTS or _GITLAB_BOT.fullmatch(name) is not None


def noreply_account(email: str) -> str:
    """The account that a forge's noreply address stands for, "" where it is none."""
    match = _NOREPLY.fullmatch(email)
    return match[1] or match[2] if match else ""


# Private


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() and c not in "<>" else " " for c in text).split())
