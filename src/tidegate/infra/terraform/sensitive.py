"""What is known to hold a secret: names of attributes and variables, types of resources, forms of text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

SHORTEST = 6
"""A shorter text is hidden where it is a secret, but not looked for elsewhere: it would be found everywhere."""

HELD: Mapping[str, frozenset[str]] = {
    "aws_ssm_parameter": frozenset({"value", "value_wo", "insecure_value"}),
    "aws_secretsmanager_secret_version": frozenset({"secret_string", "secret_binary", "secret_string_wo"}),
    "aws_api_gateway_api_key": frozenset({"value"}),
    "aws_appsync_api_key": frozenset({"key"}),
    "aws_iam_access_key": frozenset({"secret", "ses_smtp_password_v4", "encrypted_secret"}),
    "random_password": frozenset({"result", "bcrypt_hash"}),
    "tls_private_key": frozenset({"private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"}),
    "kubernetes_secret": frozenset({"data", "binary_data", "data_wo", "binary_data_wo"}),
    "kubernetes_secret_v1": frozenset({"data", "binary_data", "data_wo", "binary_data_wo"}),
    "kubernetes_secret_v1_data": frozenset({"data"}),
    "google_secret_manager_secret_version": frozenset({"secret_data", "secret_data_wo"}),
    "google_secret_manager_regional_secret_version": frozenset({"secret_data"}),
    "google_service_account_key": frozenset({"private_key"}),
    "google_storage_hmac_key": frozenset({"secret"}),
    "google_sql_user": frozenset({"password"}),
    "azurerm_key_vault_secret": frozenset({"value", "value_wo"}),
    "azurerm_app_configuration_key": frozenset({"value"}),
    "azurerm_cosmosdb_account": frozenset(
        {"primary_key", "secondary_key", "primary_readonly_key", "secondary_readonly_key"}
    ),
    "azurerm_redis_cache": frozenset({"primary_access_key", "secondary_access_key"}),
    "azurerm_automation_variable_string": frozenset({"value"}),
    "vault_generic_secret": frozenset({"data_json", "data"}),
    "vault_generic_endpoint": frozenset({"data_json"}),
    "vault_kv_secret": frozenset({"data_json", "data"}),
    "vault_kv_secret_v2": frozenset({"data_json", "data"}),
    "github_actions_secret": frozenset({"plaintext_value", "encrypted_value", "value"}),
    "github_actions_organization_secret": frozenset({"plaintext_value", "encrypted_value", "value"}),
    "github_dependabot_secret": frozenset({"plaintext_value", "encrypted_value", "value"}),
    "gitlab_project_variable": frozenset({"value"}),
    "gitlab_group_variable": frozenset({"value"}),
    "local_sensitive_file": frozenset({"content", "content_base64"}),
    "cloudflare_workers_secret": frozenset({"secret_text"}),
    "tfe_variable": frozenset({"value"}),
    "doppler_secret": frozenset({"value", "computed"}),
    "onepassword_item": frozenset({"password", "note_value"}),
}
"""The attributes of a type that hold secrets whatever the plan says of them."""

PAYLOADS = frozenset({"user_data", "user_data_base64", "custom_data", "metadata_startup_script", "startup_script"})
"""Scripts in Base64 or plain: hidden whole where a secret is in them that only decoding shows."""

_NAMES = re.compile(
    r"passw(or)?d|passphrase|secret|token|private_?key|api_?key|access_?key|connection_?(string|url)|credential"
    r"|auth_?key|sas_?url|license_?key|client_?key|shared_?key|account_?key|encryption_?key$|bcrypt|kube_?config"
    r"|kube_admin_config|(^|_)pwd$|(^|_)dsn$|webhook_?url|signing_?key|deploy_?key|master_?key|smtp_pass|(^|_)pass$",
    re.IGNORECASE,
)
_ALWAYS = re.compile(r"webhook_?url|sas_?url|connection_?(string|url)", re.IGNORECASE)
_NOT = re.compile(
    r"(_|^|(?<=[a-z]))(ids?|arns?|names?|length|polic(y|ies)|versions?|types?|ttl|age|lifetime|window|days|seconds"
    r"|enabled|rotation|rules|expiration|expiry|formats?|algorithms?|limit|tokens|required|validity|units|endpoint|uri"
    r"|urls?|modes?|settings|scopes?|labels|manager|paths?|stages|status|last_updated|created|strategy|state|source"
    r"|provider|count|size|period|action|alias|prefix|suffix|field|headers?|store|class|kind|location|group|role|engine"
    r"|encryption|template|expires|from|ref|wo_version|date|at|on|fingerprint|thumbprint|title|purpose|key_id)$"
    r"|^(http_tokens|manage_|create_|use_|enable_|require|allow|minimum_|max_|generate_|has_|is_|iam_|public_)"
    r"|kms|secret_?ref|secret_?key_?ref|^automount_|service_?account_?token$|^tags",
    re.IGNORECASE,
)
_CLAIM = re.compile(r"^[\w-]+(\.[\w-]+)+(/[\w./-]+)?:(?=\w+$)")
"""The issuer in a key of a condition, `token.actions.githubusercontent.com:sub`: the claim says what the value is."""
_COMMON = frozenset(
    "access account active address admin administrator allowed always application archive automatic backend backup"
    " billing bucket changeme cluster config container content customer dashboard database datadog default delete"
    " demo-app denied deploy develop development disable disabled docker domain dynamic enable enabled engine"
    " environment example external failed failure friday frontend global grafana gateway github gitlab group-id"
    " hostname ignore image inactive instance integration internal jenkins kubernetes lambda latest linux local"
    " localhost logging manual master memory message metrics monday monitor monitoring mongodb mysqladmin network"
    " nothing object online operator optional oracle organization parameter passed password pending platform policy"
    " postgres postgresql preprod prevent preview primary private process prod-eu production project public quarterly"
    " rabbitmq reader readonly region release remote replica required resource restricted retain rotate running"
    " sandbox schedule script secret secrets security server service session shared simple single snapshot source"
    " staging standard started status stopped storage string strong subnet success suspended system target terraform"
    " testing threshold token traffic true-up trusted unknown update upgrade uploads username version volume warning"
    " weekly window windows worker workers writer".split()
)
_ORDINARY = re.compile(
    r"[a-z]{2}(-[a-z]+)+-?\d?[a-z]?\d?"  # a region or a zone
    r"|\d{12}"  # an AWS account
    r"|\d{1,3}(\.\d{1,3}){3}(/\d+)?"
    r"|[\d.,:%-]{1,9}"
    r"|\d{4}-\d\d-\d\d(T[\d:.]+Z?)?"
    r"|(aws|mysql|postgres|aurora|sqlserver)[a-z-]*(\d[\d.]*)?"
    r"|application/[\w.+-]+|text/[\w.+-]+"
)
_REGION = re.compile(
    r"(us|eu|ap|ca|sa|me|af|il|mx|cn|us-gov|asia|europe|northamerica|southamerica|australia)(-[a-z]+)+-?\d[a-z]?"
)

FORMS = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY",
    r"://[^/\s:@\"]*:[^/\s@\"]{3,}@",
    r"(?i:passw(?:or)?d|pwd|secret|account_?key|access_?key|token|api_?key)[\"']?\s*[=:]",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"gh[pousr]_\w{30}|github_pat_\w{20}|glpat-[\w-]{18}|xox[abeprs]-[\w-]{10}|sk_live_\w{8}|rk_live_\w{8}",
    r"AIza[\w-]{30}|SG\.[\w-]{16}|npm_\w{30}|hooks\.slack\.com/services/\w|eyJ[\w-]{10,}\.eyJ|sk-ant-|shpat_\w{20}",
)
"""Where a text may hold a secret, each a pattern of RE2: quick to look for in all texts at once."""

_TAKEN = re.compile(
    r"(?P<key>-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z))"
    r"|://[^/\s:@\"]*:(?P<login>[^/\s@\"]{3,})@"
    r"|(?i:passw(?:or)?d|pwd|secret|account_?key|access_?key|token|api_?key)[\"']?\s*[=:]\s*"
    r"(?:\"(?P<quoted>[^\"\n]{4,})\"|'(?P<single>[^'\n]{4,})'|(?P<bare>[^\s\"';,&<>(){}\[\]]{4,}))"
    r"|(?P<id>(?:AKIA|ASIA)[A-Z0-9]{16})"
    r"|(?P<known>gh[pousr]_\w{30,}|github_pat_\w{20,}|glpat-[\w-]{18,}|xox[abeprs]-[\w-]{10,}|[sr]k_live_\w{8,}"
    r"|AIza[\w-]{30,}|SG\.[\w.-]{16,}|npm_\w{30,}|hooks\.slack\.com/services/[\w/]+"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]+(?:\.[\w-]*)?|sk-ant-[\w-]+|shpat_\w{20,})"
)
_REFERENCE = re.compile(r"^(arn:|\$|%|var\.|<|\{|projects/|/subscriptions/|ssm:|vault:|true$|false$|null$|None$)")


@cache
def secretive(name: str) -> bool:
    """Whether an attribute, a variable or a key of this name holds a secret."""
    name = _CLAIM.sub("", name)
    return bool(_ALWAYS.search(name)) or (bool(_NAMES.search(name)) and not _NOT.search(name))


def searched(text: str) -> bool:
    """Whether a secret is worth looking for elsewhere: long enough, and no word that stands everywhere."""
    if len(text) < SHORTEST or text.lower() in _COMMON:
        return False
    return not (_REGION.fullmatch(text) or (_ORDINARY.fullmatch(text) and not re.match(r"[a-z]{2}-", text)))


def taken(text: str) -> Iterator[str]:
    """The secrets that a free text shows by their form: keys, logins in URLs, settings, known kinds of tokens."""
    for found in _TAKEN.finditer(text):
        secret = found[found.lastgroup or 0]
        if not _REFERENCE.match(secret):
            yield secret


def payload(text: str) -> str:
    """What a text in Base64 says, "" where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8") if len(text) % 4 == 0 else ""
    except ValueError:
        return ""


def spellings(text: str) -> set[str]:
    """How a secret may be written inside another text: as it is, escaped for JSON or a URL, in Base64."""
    found = {text, text.strip(), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    found |= {one.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") for one in set(found)}
    found.add(quote(text, safe=""))
    if len(text) >= SHORTEST + 2:
        found |= set(_base64(text.encode("utf-8", "surrogatepass")))
    return {one for one in found if len(one) >= SHORTEST}


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a value; numbers that are long enough to be a secret among them, and what JSON texts hold."""
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            yield from (one for one in _inside(value) if one != value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**SHORTEST:
        yield str(value)


# Private


def _inside(text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, (dict, list)):
        yield from texts_of(document)


def _base64(secret: bytes) -> Iterator[str]:
    """The letters that stand for these bytes and nothing else, at each of the three places that they may begin."""
    for shift in range(3):
        letters = base64.b64encode(b"\0" * shift + secret).decode()
        yield letters[(shift * 8 + 5) // 6 : (shift + len(secret)) * 8 // 6]
