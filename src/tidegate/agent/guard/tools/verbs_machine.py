"""Programs that change what a store holds, or what this machine runs."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.agent.guard.tools.verb import ADMIN, RUNS, Verbs, verbs

_PACKAGES = verbs(
    "remove, purge, erase, autoremove, dist-upgrade, full-upgrade, --purge",
    "it takes programs from the machine",
    ADMIN,
    "-s --simulate",
)
MACHINE_OF: Mapping[str, Verbs] = {
    "redis-cli": verbs(
        "flushall, flushdb, config, shutdown, debug, swapdb, failover, replicaof, slaveof, del, unlink, set, rename, "
        "eval, cluster, migrate, restore, hdel, hset, lpush, zadd, expire, script, acl, module",
        "it changes or empties the store",
        "read with get, scan, info; let the application write",
    ),
    "rabbitmqctl": verbs(
        "reset, force_reset, delete_queue, purge_queue, stop, stop_app, delete_vhost, delete_user", RUNS, ADMIN
    ),
    "kafka-topics": verbs("--delete", "it deletes a topic with what it holds", ADMIN),
    "kafka-topics.sh": verbs("--delete", "it deletes a topic with what it holds", ADMIN),
    "etcdctl": verbs("del, put, member, defrag, snapshot restore, role, user, auth", "it changes the store", ADMIN),
    "systemctl": verbs(
        "*",
        RUNS,
        ADMIN,
        "status is-active is-enabled is-failed list-units list-unit-files list-timers show cat list-dependencies "
        "list-sockets list-jobs get-default show-environment --user",
    ),
    "service": verbs("stop, restart, reload, start, force-reload", RUNS, ADMIN),
    "launchctl": verbs("unload, remove, bootout, stop, disable, kill, load, bootstrap", RUNS, ADMIN),
    "initctl": verbs("stop, restart, start", RUNS, ADMIN),
    "supervisorctl": verbs("stop, restart, shutdown, remove, start, reload, update", RUNS, ADMIN),
    "alembic": verbs("downgrade", "it takes the schema back, with what is in it", "ask a person", "--sql"),
    "flyway": verbs("clean, undo, repair", "it empties the database", "ask a person"),
    "liquibase": verbs("drop-all, dropAll, rollback", "it empties the database", "ask a person"),
    "prisma": verbs("migrate reset, db push", "it may drop what the schema lost", "run `prisma migrate diff`"),
    "dropdb": verbs("*", "it drops a database with what it holds", "ask a person"),
    "dropuser": verbs("*", "it drops a user of the database", "ask a person"),
    "pg_restore": verbs("*", "it writes over what the database holds", "restore into a scratch database", "-l --list"),
    "pg_resetwal": verbs("*", "it loses what was written last", "ask a person"),
    "mongorestore": verbs("*", "it writes over what the database holds", "restore into a scratch database"),
    "mysqladmin": verbs(
        "drop, shutdown, kill, flush-privileges, password", "it changes the database server", "ask a person"
    ),
    "apt": _PACKAGES,
    "apt-get": _PACKAGES,
    "aptitude": _PACKAGES,
    "yum": _PACKAGES,
    "dnf": _PACKAGES,
    "zypper": _PACKAGES,
    "snap": _PACKAGES,
    "apk": verbs("del", RUNS, ADMIN),
    "brew": verbs("services stop, services restart, services kill, services cleanup", RUNS, ADMIN),
    "certbot": verbs("delete, revoke", RUNS, ADMIN),
    "ufw": verbs("*", "it opens or shuts the machine to the network", ADMIN, "status"),
    "zpool": verbs("destroy, labelclear, remove, detach, create", "it destroys what the disks hold", ADMIN),
    "zfs": verbs("destroy, rollback", "it destroys what the disks hold", ADMIN),
    "lvremove": verbs("*", "it destroys what the volume holds", ADMIN),
    "vgremove": verbs("*", "it destroys what the volumes hold", ADMIN),
    "pvremove": verbs("*", "it destroys what the disks hold", ADMIN),
    "multipass": verbs("delete, purge", "it destroys the machine with what it holds", ADMIN),
    "virsh": verbs("destroy, undefine, vol-delete, shutdown", RUNS, ADMIN),
    "qm": verbs("destroy, stop, shutdown", RUNS, ADMIN),
    "userdel": verbs("*", "it takes a user away", ADMIN),
    "usermod": verbs("*", "it changes a user", ADMIN),
    "passwd": verbs("*", "it changes a password", ADMIN),
    "visudo": verbs("*", "it changes who may do everything", ADMIN, "-c"),
    "shutdown": verbs("*", "it switches the machine off", ADMIN),
    "reboot": verbs("*", "it switches the machine off", ADMIN),
    "poweroff": verbs("*", "it switches the machine off", ADMIN),
    "halt": verbs("*", "it switches the machine off", ADMIN),
    "init": verbs("0, 6, 1", "it switches the machine off", ADMIN),
    "telinit": verbs("0, 6, 1", "it switches the machine off", ADMIN),
    "chpasswd": verbs("*", "it changes passwords", ADMIN),
}
