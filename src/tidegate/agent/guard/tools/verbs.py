"""Programs that are judged by their verbs alone: those that write are held, those that read pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from tidegate.agent.guard.values import Call, Said, Tool, plain, unseen


class Verbs(Struct, frozen=True):
    """`writes` are held wherever they stand among the words (`delete`, or `app sync`), unless a flag of `dry` is set.

    With `reads`, a call without any of these is held too. `means` says what happens, `safe` what to do instead.
    """

    writes: frozenset[str]
    means: str
    safe: str
    dry: tuple[str, ...] = ("--dry-run", "--dryrun", "--help", "--version")
    reads: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()


def _verbs(writes: str, means: str, safe: str, dry: str = "", reads: str = "", valued: str = "") -> Verbs:
    usual = ("--dry-run", "--dryrun", "--help", "--version")
    return Verbs(
        frozenset(one.strip() for one in writes.split(",")),
        means,
        safe,
        (*usual, *dry.split()),
        frozenset(reads.split()),
        frozenset(valued.split()),
    )


_DEPLOYS = "it changes what runs elsewhere"
_PIPELINE = "let the pipeline do it after review, or ask a person to run it"
_PUBLISHES = "it publishes, and what is published cannot be taken back"
_RELEASE = "publish from the release pipeline; look at it first with --dry-run"
_RUNS = "it stops or changes what this machine runs"
_ADMIN = "ask a person who answers for the machine"

VERBS: Mapping[str, Verbs] = {
    "pulumi": _verbs(
        "up, update, destroy, refresh, cancel, import, state delete, stack rm, stack import, config set, state rename",
        _DEPLOYS,
        "run `pulumi preview`, and let the pipeline apply it",
    ),
    "cdk": _verbs("deploy, destroy, bootstrap, import, rollback, gc", _DEPLOYS, "run `cdk diff`", "--no-execute"),
    "cdktf": _verbs("deploy, destroy, apply", _DEPLOYS, "run `cdktf diff`"),
    "serverless": _verbs("deploy, remove, rollback, invoke", _DEPLOYS, _PIPELINE),
    "sls": _verbs("deploy, remove, rollback, invoke", _DEPLOYS, _PIPELINE),
    "sst": _verbs("deploy, remove, dev", _DEPLOYS, _PIPELINE),
    "sam": _verbs("deploy, delete, sync, publish", _DEPLOYS, _PIPELINE),
    "eb": _verbs("deploy, terminate, create, setenv, scale, swap, restore, abort", _DEPLOYS, _PIPELINE),
    "amplify": _verbs("push, delete, publish, remove", _DEPLOYS, _PIPELINE),
    "copilot": _verbs("app delete, env delete, svc delete, deploy, svc deploy, env deploy", _DEPLOYS, _PIPELINE),
    "flyctl": _verbs(
        "deploy, destroy, apps destroy, scale, secrets set, secrets unset, volumes destroy, machine destroy, restart, "
        "machines destroy, postgres detach, suspend, launch, stop, kill, update, delete",
        _DEPLOYS,
        _PIPELINE,
    ),
    "heroku": _verbs(
        "pg:reset, pg:copy, pg:promote, apps:destroy, config:set, config:unset, ps:scale, ps:stop, addons:destroy, "
        "releases:rollback, rollback, container:release, run, addons:create, pg:kill, pg:killall, maintenance:on, "
        "restart, ps:restart, container:push, pg:push, domains:remove",
        _DEPLOYS,
        _PIPELINE,
    ),
    "vercel": _verbs("deploy, remove, rm, rollback, promote, env rm, env add, domains rm, alias", _DEPLOYS, _PIPELINE),
    "netlify": _verbs("deploy, sites:delete, env:set, env:unset", _DEPLOYS, _PIPELINE),
    "railway": _verbs("up, down, delete, redeploy, variables", _DEPLOYS, _PIPELINE),
    "wrangler": _verbs(
        "deploy, publish, delete, rollback, secret put, secret delete, d1 execute, kv:key delete, r2 object delete, "
        "kv key delete, kv namespace delete, kv:namespace delete, d1 delete, r2 bucket delete, d1 migrations apply",
        _DEPLOYS,
        _PIPELINE,
        "--local",
    ),
    "firebase": _verbs(
        "deploy, firestore:delete, database:remove, hosting:disable, functions:delete", _DEPLOYS, _PIPELINE
    ),
    "supabase": _verbs(
        "db reset, db push, functions deploy, secrets set, projects delete", _DEPLOYS, _PIPELINE, "--local"
    ),
    "doctl": _verbs(
        "delete, create, update, resize, power-off, reboot, rebuild, shutdown, destroy", _DEPLOYS, _PIPELINE
    ),
    "hcloud": _verbs("delete, create, update, shutdown, poweroff, rebuild, reset, reboot, detach", _DEPLOYS, _PIPELINE),
    "linode-cli": _verbs("delete, rm, create, update, rebuild, shutdown, reboot", _DEPLOYS, _PIPELINE),
    "scw": _verbs("delete, create, update, terminate, stop, reboot", _DEPLOYS, _PIPELINE),
    "ibmcloud": _verbs("delete, rm, create, update, target-delete, service-delete, app-delete", _DEPLOYS, _PIPELINE),
    "oci": _verbs("delete, terminate, create, update, bulk-delete, put", _DEPLOYS, _PIPELINE),
    "aliyun": _verbs("DeleteInstance, DeleteDBInstance, delete, rm", _DEPLOYS, _PIPELINE),
    "eksctl": _verbs("delete, create, scale, upgrade, drain, update", _DEPLOYS, _PIPELINE),
    "kops": _verbs("delete, update, rolling-update, replace, edit, create", _DEPLOYS, _PIPELINE),
    "kubeadm": _verbs("reset, init, join, upgrade", _DEPLOYS, _ADMIN),
    "nomad": _verbs(
        "run, stop, job run, job stop, system gc, node drain, alloc stop, job revert, purge", _DEPLOYS, _PIPELINE
    ),
    "consul": _verbs("kv delete, kv put, leave, force-leave, acl", _DEPLOYS, _ADMIN),
    "vault": _verbs(
        "delete, write, kv delete, kv put, kv destroy, kv patch, kv metadata, secrets disable, auth disable, "
        "policy write, policy delete, operator, token revoke, lease revoke, seal, secrets enable, auth enable",
        "it changes secrets or who may read them",
        "ask a person who answers for the vault",
    ),
    "argocd": _verbs(
        "app sync, app delete, app rollback, app set, app create, app patch, app terminate-op, app unset, "
        "app delete-resource, app actions, cluster rm, cluster add, proj delete, proj create, repo rm, repo add, "
        "appset delete, appset create, account update-password, app edit",
        _DEPLOYS,
        "run `argocd app diff`; a merged commit is what syncs",
        "--dry-run",
    ),
    "flux": _verbs(
        "delete, suspend, uninstall, reconcile, resume, create, bootstrap, install", _DEPLOYS, _PIPELINE, "--export"
    ),
    "istioctl": _verbs("install, uninstall, upgrade, tag, apply", _DEPLOYS, _PIPELINE),
    "velero": _verbs("delete, restore, uninstall, install", _DEPLOYS, _ADMIN),
    "linkerd": _verbs("uninstall, upgrade", _DEPLOYS, _PIPELINE),
    "skaffold": _verbs("run, deploy, delete, apply", _DEPLOYS, _PIPELINE),
    "helmfile": _verbs("apply, sync, destroy, delete", _DEPLOYS, "run `helmfile diff`"),
    "kamal": _verbs("deploy, remove, rollback, setup, redeploy, app, accessory, server, proxy", _DEPLOYS, _PIPELINE),
    "cap": _verbs("deploy, production, deploy:rollback", _DEPLOYS, _PIPELINE),
    "cf": _verbs(
        "push, delete, restart, stop, scale, delete-service, restage, delete-org, delete-space", _DEPLOYS, _PIPELINE
    ),
    "ansible-playbook": _verbs(
        "*",
        _DEPLOYS,
        "run it with --check first",
        "--check -C --syntax-check --list-tasks --list-hosts localhost localhost,",
    ),
    "ansible": _verbs("*", _DEPLOYS, "run it with --check first", "--check -C --list-hosts localhost localhost,"),
    "salt": _verbs("*", _DEPLOYS, _ADMIN, "test=True"),
    "knife": _verbs("delete, ssh, upload, bootstrap", _DEPLOYS, _ADMIN),
    "packer": _verbs("build", "it makes images and what builds them in a cloud", _PIPELINE),
    "vagrant": _verbs("destroy", "it destroys the machine with what it holds", "keep it: `vagrant halt`"),
    "redis-cli": _verbs(
        "flushall, flushdb, config, shutdown, debug, swapdb, failover, replicaof, slaveof, del, unlink, set, rename, "
        "eval, cluster, migrate, restore, hdel, hset, lpush, zadd, expire, script, acl, module",
        "it changes or empties the store",
        "read with get, scan, info; let the application write",
    ),
    "rabbitmqctl": _verbs(
        "reset, force_reset, delete_queue, purge_queue, stop, stop_app, delete_vhost, delete_user", _RUNS, _ADMIN
    ),
    "kafka-topics": _verbs("--delete", "it deletes a topic with what it holds", _ADMIN),
    "kafka-topics.sh": _verbs("--delete", "it deletes a topic with what it holds", _ADMIN),
    "etcdctl": _verbs("del, put, member, defrag, snapshot restore, role, user, auth", "it changes the store", _ADMIN),
    "systemctl": _verbs(
        "*",
        _RUNS,
        _ADMIN,
        "status is-active is-enabled is-failed list-units list-unit-files list-timers show cat list-dependencies "
        "list-sockets list-jobs get-default show-environment --user",
    ),
    "service": _verbs("stop, restart, reload, start, force-reload", _RUNS, _ADMIN),
    "launchctl": _verbs("unload, remove, bootout, stop, disable, kill, load, bootstrap", _RUNS, _ADMIN),
    "initctl": _verbs("stop, restart, start", _RUNS, _ADMIN),
    "supervisorctl": _verbs("stop, restart, shutdown, remove, start, reload, update", _RUNS, _ADMIN),
    "npm": _verbs(
        "publish, unpublish, deprecate, dist-tag add, dist-tag rm, owner add, owner rm, access, token, team, org, "
        "hook, star, unstar, stage",
        _PUBLISHES,
        _RELEASE,
        "ls",
    ),
    "pnpm": _verbs("publish, unpublish, deploy", _PUBLISHES, _RELEASE),
    "yarn": _verbs("publish, npm publish, npm tag, unpublish, tag add, owner add", _PUBLISHES, _RELEASE),
    "bun": _verbs("publish", _PUBLISHES, _RELEASE),
    "lerna": _verbs("publish", _PUBLISHES, _RELEASE),
    "changeset": _verbs("publish", _PUBLISHES, _RELEASE),
    "semantic-release": _verbs("*", _PUBLISHES, _RELEASE, "-d"),
    "goreleaser": _verbs("release, publish", _PUBLISHES, _RELEASE, "--snapshot --skip-publish"),
    "release-it": _verbs("*", _PUBLISHES, _RELEASE),
    "np": _verbs("*", _PUBLISHES, _RELEASE, "--preview"),
    "twine": _verbs("upload, register", _PUBLISHES, _RELEASE),
    "poetry": _verbs("publish", _PUBLISHES, _RELEASE),
    "uv": _verbs("publish", _PUBLISHES, _RELEASE),
    "pdm": _verbs("publish", _PUBLISHES, _RELEASE),
    "hatch": _verbs("publish", _PUBLISHES, _RELEASE),
    "flit": _verbs("publish", _PUBLISHES, _RELEASE),
    "maturin": _verbs("publish, upload", _PUBLISHES, _RELEASE),
    "rye": _verbs("publish", _PUBLISHES, _RELEASE),
    "cargo": _verbs("publish, yank, owner", _PUBLISHES, _RELEASE),
    "gem": _verbs("push, yank, owner", _PUBLISHES, _RELEASE),
    "mvn": _verbs("deploy, release:perform, release:prepare, deploy:deploy", _PUBLISHES, _RELEASE),
    "gradle": _verbs("publish, uploadArchives, publishPlugins", _PUBLISHES, _RELEASE),
    "dotnet": _verbs("nuget push, nuget delete", _PUBLISHES, _RELEASE),
    "nuget": _verbs("push, delete", _PUBLISHES, _RELEASE),
    "vsce": _verbs("publish, unpublish", _PUBLISHES, _RELEASE),
    "ovsx": _verbs("publish", _PUBLISHES, _RELEASE),
    "mix": _verbs("hex.publish, ecto.drop, ecto.reset, hex.retire", _PUBLISHES, _RELEASE),
    "skopeo": _verbs("copy, delete, sync", _PUBLISHES, _RELEASE),
    "crane": _verbs("push, delete, copy, tag, cp", _PUBLISHES, _RELEASE),
    "oras": _verbs("push, delete, copy, manifest delete", _PUBLISHES, _RELEASE),
    "snapcraft": _verbs("upload, push, release", _PUBLISHES, _RELEASE),
    "alembic": _verbs("downgrade", "it takes the schema back, with what is in it", "ask a person", "--sql"),
    "flyway": _verbs("clean, undo, repair", "it empties the database", "ask a person"),
    "liquibase": _verbs("drop-all, dropAll, rollback", "it empties the database", "ask a person"),
    "prisma": _verbs("migrate reset, db push", "it may drop what the schema lost", "run `prisma migrate diff`"),
    "dropdb": _verbs("*", "it drops a database with what it holds", "ask a person"),
    "dropuser": _verbs("*", "it drops a user of the database", "ask a person"),
    "pg_restore": _verbs("*", "it writes over what the database holds", "restore into a scratch database", "-l --list"),
    "pg_resetwal": _verbs("*", "it loses what was written last", "ask a person"),
    "mongorestore": _verbs("*", "it writes over what the database holds", "restore into a scratch database"),
    "mysqladmin": _verbs(
        "drop, shutdown, kill, flush-privileges, password", "it changes the database server", "ask a person"
    ),
    "certbot": _verbs("delete, revoke", _RUNS, _ADMIN),
    "ufw": _verbs("*", "it opens or shuts the machine to the network", _ADMIN, "status"),
    "zpool": _verbs("destroy, labelclear, remove, detach, create", "it destroys what the disks hold", _ADMIN),
    "zfs": _verbs("destroy, rollback", "it destroys what the disks hold", _ADMIN),
    "lvremove": _verbs("*", "it destroys what the volume holds", _ADMIN),
    "vgremove": _verbs("*", "it destroys what the volumes hold", _ADMIN),
    "pvremove": _verbs("*", "it destroys what the disks hold", _ADMIN),
    "multipass": _verbs("delete, purge", "it destroys the machine with what it holds", _ADMIN),
    "virsh": _verbs("destroy, undefine, vol-delete, shutdown", _RUNS, _ADMIN),
    "qm": _verbs("destroy, stop, shutdown", _RUNS, _ADMIN),
    "userdel": _verbs("*", "it takes a user away", _ADMIN),
    "usermod": _verbs("*", "it changes a user", _ADMIN),
    "passwd": _verbs("*", "it changes a password", _ADMIN),
    "visudo": _verbs("*", "it changes who may do everything", _ADMIN, "-c"),
    "shutdown": _verbs("*", "it switches the machine off", _ADMIN),
    "reboot": _verbs("*", "it switches the machine off", _ADMIN),
    "poweroff": _verbs("*", "it switches the machine off", _ADMIN),
    "halt": _verbs("*", "it switches the machine off", _ADMIN),
    "init": _verbs("0, 6, 1", "it switches the machine off", _ADMIN),
    "telinit": _verbs("0, 6, 1", "it switches the machine off", _ADMIN),
    "chpasswd": _verbs("*", "it changes passwords", _ADMIN),
}
VERBS = {**VERBS, "fly": VERBS["flyctl"], "hub": _verbs("delete", _DEPLOYS, _PIPELINE), "vercel-cli": VERBS["vercel"]}
ANYWHERE = frozenset(
    (
        *("db:drop", "db:reset", "db:wipe", "db:purge", "db:truncate", "migrate:fresh", "migrate:reset", "db:drop:all"),
        *("migrate:refresh", "db:migrate:undo", "db:migrate:undo:all", "db:rollback", "schema:drop", "db:schema:load"),
        *("doctrine:database:drop", "doctrine:schema:drop", "ecto.drop", "ecto.reset", "database:drop"),
    )
)
DANGER = frozenset(
    (
        *(
            "apply",
            "destroy",
            "delete",
            "drop",
            "terminate",
            "purge",
            "uninstall",
            "wipe",
            "nuke",
            "undeploy",
            "deploy",
        ),
        *(
            "publish",
            "unpublish",
            "teardown",
            "decommission",
            "drain",
            "truncate",
            "rollback",
            "destroy-all",
            "redeploy",
        ),
    )
)
"""Words that mean the same with every tool, for one that nobody here knows."""


def judge(call: Call) -> Iterator[Said]:
    """Held where a verb writes, or where the verb is not seen."""
    verbs = VERBS[call.name]
    words = [one.lower() if call.name == "redis-cli" else one for one in plain(call.arguments, verbs.valued)]
    if any(one in verbs.dry or one.partition("=")[0] in verbs.dry[:3] for one in call.arguments):
        return
    everything = [*words, *(one for one in call.arguments if one.startswith("-"))]
    if "*" in verbs.writes:
        if call.arguments or call.name not in ("ansible", "ansible-playbook", "systemctl", "ufw", "pg_restore"):
            yield _held(call, verbs, words)
        return
    pairs = {f"{one} {two}" for one, two in pairwise(words)}
    if verbs.writes & ({*everything} | pairs):
        yield _held(call, verbs, words)
    elif words and unseen(words[0]):
        yield call.concern(
            "unseen-command", f"what {call.name} would do is only known when it runs", "write the verb out"
        )


def judge_any(call: Call) -> Iterator[Said]:
    """Tasks that empty databases, whatever runs them."""
    found = next((one for one in call.arguments if one in ANYWHERE), "")
    if found:
        yield call.concern(
            "data", f"{found} empties or drops a database wherever its address points to", "ask a person"
        )
    elif "flush" in call.arguments and any(one.endswith("manage.py") for one in call.arguments):
        yield call.concern("data", "flush empties the database wherever its address points to", "ask a person")


def is_dangerous(words: tuple[str, ...]) -> bool:
    """Whether a word, or a part of one, means destroying or deploying with any tool."""
    parts = {part for one in words for part in re.split(r"[^a-z]+", one.lower())}
    return bool(parts & DANGER)


# Private


def _held(call: Call, verbs: Verbs, words: list[str]) -> Said:
    target = words[-1] if words else call.name
    rule = "publish" if verbs.means == _PUBLISHES else "writes"
    return call.concern(rule, verbs.means, verbs.safe, target)


TOOL = Tool(frozenset(VERBS), judge)
