"""aws, gcloud, gsutil, bq and az: what reads passes by its verb, everything else is held."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.tools.databases import judge_statements
from tidegate.agent.guard.values import Call, Said, Tool, may_be_value, plain, unseen

_AWS_VALUED = frozenset(
    "--profile --region --output --query --endpoint-url --color --ca-bundle --cli-read-timeout "
    "--cli-connect-timeout".split()
)
_AWS_READS = re.compile(
    r"(?:describe|list|get|head|lookup|search|batch-get|scan|query|select|filter|test|validate|estimate|simulate|"
    r"detect|preview|check|view|wait|help|tail|ls|presign|login|decode)(?:-.*)?|start-query|start-live-tail|"
    r"update-kubeconfig|assume-role.*|configure|package|history"
)
_AWS_LOCAL = frozenset(("configure", "sso", "sts", "help", "history"))
_READS = frozenset(
    "list describe show get read info version help tail query search ls cat stat du hash lint-condition-expression "
    "print-access-token print-identity-token login get-credentials get-value get-iam-policy list-grantable-roles "
    "configurations auth config components init get-server-config list-locations list-sizes list-skus check-name "
    "show-connection-string get-access-token get-versions feedback interactive find completion topic what-if "
    "validate get-instance-view list-usage list-ip-addresses head docker-helper configure-docker".split()
)
_WRITES = re.compile(
    r"(?:delete|remove|rm|create|update|set|add|deploy|apply|destroy|purge|stop|start|restart|reset|resize|scale|"
    r"deallocate|import|export|patch|replace|enable|disable|undelete|restore|failover|promote|rollback|publish|"
    r"submit|run|ssh|rsync|cp|mv|rb|mb|drain|invoke|move|detach|attach|upgrade|insert|load|mk|truncate|swap|"
    r"assign|revoke|grant|cancel|execute|write|upload|sync|setmeta|acl|iam|rewrite|put|clear)(?:-.*)?"
)
_SAFE = "read first, change it in code, and let the pipeline apply it"


def judge_aws(call: Call) -> Iterator[Said]:
    """`aws SERVICE OPERATION`."""
    if call.has("--dry-run", "--dryrun", "--generate-cli-skeleton") or call.has("--version", "--help"):
        return
    words = plain(call.arguments, _AWS_VALUED)
    if not words:
        return
    service, operation = words[0], (words[1] if len(words) > 1 else "help")
    if unseen(service) or unseen(operation):
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
    elif (
        service in _AWS_LOCAL
        or _AWS_READS.fullmatch(operation)
        or (service == "s3" and operation in ("cp", "sync") and _to_here(words) and not call.has("--delete"))
    ):
        return
    elif service in ("ecs", "ssm") and operation in ("execute-command", "start-session"):
        yield call.concern("cloud", "what is done in there is not seen", _SAFE, words[-1])
    else:
        yield call.concern("cloud", f"`aws {service} {operation}` changes the account", _SAFE, _target(call, words))


def judge_other(call: Call) -> Iterator[Said]:
    """gcloud, gsutil, bq, az and others whose verb stands behind its groups."""
    if call.has("--help", "-h", "--version", "--dry-run", "--dry_run", "--validate-only"):
        return
    words = plain(
        call.arguments, frozenset(("--project", "--account", "--region", "--zone", "-o", "--output", "--query"))
    )
    if call.name == "gsutil":
        words = [one for one in words if one != "-m"]
        if words[:1] in (["cp"], ["rsync"]) and not words[-1].startswith(("gs://", "s3://")) and not unseen(words[-1]):
            return
    if not words:
        return
    if call.name == "bq" and words[0] == "query":
        for text in (*words[1:], *((call.given,) if call.given else ())):
            yield from judge_statements(call, text)
        return
    own = words[0] in ("auth", "config", "components", "init", "login", "logout", "extension", "configure")
    if own and words[-1] not in ("clear", "delete"):
        return
    verb = next((one for one in words if (_WRITES.fullmatch(one) and one not in ("iam", "run")) or one in _READS), "")
    if verb in _READS and may_be_value(call.arguments, verb):
        verb = next((one for one in words if _WRITES.fullmatch(one)), verb)
    if verb in _READS:
        return
    if any(map(unseen, words[:3])) and not verb:
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
    else:
        said = f"`{call.name} {' '.join(words[:3])}`".replace("\0", "…")
        yield call.concern("cloud", f"{said} changes the account", _SAFE, _target(call, words))


# Private


def _to_here(words: list[str]) -> bool:
    return len(words) > 3 and words[2].startswith("s3://") and not words[3].startswith("s3://") and not unseen(words[3])


def _target(call: Call, words: list[str]) -> str:
    """What a person would type: the value that names what is hit."""
    for place, one in enumerate(call.arguments):
        if re.search(r"(?:name|identifier|id|ids|arn|bucket)$", one) and one.startswith("--"):
            return call.arguments[place + 1] if place + 1 < len(call.arguments) else words[-1]
        if one in ("-n", "--name", "-g"):
            return call.arguments[place + 1] if place + 1 < len(call.arguments) else words[-1]
    return words[-1]


AWS = Tool(frozenset(("aws", "awslocal", "aws2")), judge_aws)
OTHER = Tool(frozenset(("gcloud", "gsutil", "bq", "az", "cbt", "azcopy")), judge_other)
