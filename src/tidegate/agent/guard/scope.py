"""Which credentials the environment holds, by name and never by value: what a command could do if it wanted to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

Breadth: TypeAlias = Literal["broad", "narrow"]

_BROAD: tuple[tuple[str, str], ...] = (
    (
        "an AWS account",
        r"AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_\w+)",
    ),
    (
        "a Google Cloud account",
        r"GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_CREDENTIALS|CLOUDSDK_AUTH_ACCESS_TOKEN|GOOGLE_OAUTH_ACCESS_TOKEN",
    ),
    (
        "an Azure subscription",
        r"ARM_CLIENT_SECRET|ARM_ACCESS_KEY|AZURE_CLIENT_SECRET|AZURE_STORAGE_(?:KEY|CONNECTION_STRING)",
    ),
    ("a cluster", r"KUBECONFIG|KUBE_TOKEN|K8S_TOKEN|ARGOCD_AUTH_TOKEN|HELM_KUBETOKEN"),
    ("the state of Terraform", r"TF_TOKEN_\w+|TFE_TOKEN|TF_API_TOKEN|PULUMI_ACCESS_TOKEN|SPACELIFT_API_KEY_SECRET"),
    (
        "the repositories of an account",
        r"GITHUB_TOKEN|GH_TOKEN|GH_ENTERPRISE_TOKEN|GITHUB_PAT|GITLAB_TOKEN|GL_TOKEN|BITBUCKET_\w*TOKEN",
    ),
    (
        "a registry of packages",
        r"NPM_TOKEN|NODE_AUTH_TOKEN|TWINE_PASSWORD|PYPI_TOKEN|UV_PUBLISH_TOKEN|CARGO_REGISTRY_TOKEN|GEM_HOST_API_KEY",
    ),
    ("a vault", r"VAULT_TOKEN|OP_SERVICE_ACCOUNT_TOKEN|DOPPLER_TOKEN|INFISICAL_TOKEN"),
    (
        "a platform",
        r"CLOUDFLARE_API_(?:TOKEN|KEY)|DIGITALOCEAN_\w*TOKEN|FLY_API_TOKEN|HEROKU_API_KEY|VERCEL_TOKEN|NETLIFY_AUTH_TOKEN",
    ),
    ("a database", r"DATABASE_URL|PGPASSWORD|MYSQL_PWD|MONGO(?:DB)?_URI|REDIS_URL"),
)
_NARROW = re.compile(
    r"\w*(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|CREDENTIALS?|PRIVATE_KEY)\w*|SSH_AUTH_SOCK"
)
_NONE = re.compile(r"\w*(?:MAX|NUM|COUNT|LIMIT|BUDGET|SIZE|WINDOW)_?\w*TOKENS?\w*|TOKENIZERS_\w+|\w*OUTPUT_TOKENS")
_FILES: tuple[tuple[str, str], ...] = (
    (".aws/credentials", "an AWS account"),
    (".kube/config", "a cluster"),
    (".config/gcloud/application_default_credentials.json", "a Google Cloud account"),
    (".azure/msal_token_cache.json", "an Azure subscription"),
    (".config/gh/hosts.yml", "the repositories of an account"),
    (".terraform.d/credentials.tfrc.json", "the state of Terraform"),
    (".docker/config.json", "a registry of images"),
    (".npmrc", "a registry of packages"),
    (".pypirc", "a registry of packages"),
    (".netrc", "whatever its hosts give"),
    (".vault-token", "a vault"),
)


class Credential(Struct, frozen=True):
    """One credential that a command would find: the name of a variable or of a file, and what it opens."""

    name: str
    opens: str
    breadth: Breadth


def credentials_here(environment: Mapping[str, str], home: Path | None) -> tuple[Credential, ...]:
    """The credentials within reach, broad ones first. A file is only looked for, never opened."""
    found: list[Credential] = []
    for name in sorted(environment):
        if not environment[name]:
            continue
        opens = next((opens for opens, pattern in _BROAD if re.fullmatch(pattern, name)), "")
        if opens:
            found.append(Credential(name, opens, "broad"))
        elif _NARROW.fullmatch(name.upper()) and not _NONE.fullmatch(name.upper()):
            found.append(Credential(name, "what it is named for", "narrow"))
    for path, opens in _FILES if home is not None else ():
        if home is not None and (home / path).is_file():
            broad = path not in (".npmrc", ".docker/config.json", ".netrc")
            found.append(Credential(f"~/{path}", opens, "broad" if broad else "narrow"))
    return tuple(sorted(found, key=lambda one: (one.breadth != "broad", one.name)))


def finding(credentials: tuple[Credential, ...], human: bool) -> str:
    """What is wrong with these in an agent's hands; "" where nothing is."""
    broad = [one for one in credentials if one.breadth == "broad"]
    if human or not broad:
        return ""
    named = ", ".join(one.name for one in broad[:5]) + (f" and {len(broad) - 5} more" if len(broad) > 5 else "")
    opens = ", ".join(dict.fromkeys(one.opens for one in broad))
    return f"an agent holds {named}, which open {opens}: start it with credentials that only read"
