"""How programs that run other programs write them down: which flags take a value, and where the other one begins."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.agent.guard.frozen import Frozen


class Shape(Frozen):
    """`valued` are flags that take a value, `skip` how many words stand before the program, `after` a word before it.

    `joined` is whether the words are put together to a script for a shell.
    """

    valued: frozenset[str] = frozenset()
    skip: int = 0
    after: tuple[str, ...] = ()
    joined: bool = False
    assigns: bool = False


def shape_of(valued: str = "", skip: int = 0, after: str = "", joined: bool = False, assigns: bool = False) -> Shape:
    return Shape(frozenset(valued.split()), skip, tuple(after.split()), joined, assigns)


SHAPES: Mapping[str, Shape] = {
    "sudo": shape_of("-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir", assigns=True),
    "doas": shape_of("-u -C -a"),
    "env": shape_of("-u --unset -C --chdir", assigns=True),
    "nohup": shape_of(),
    "nice": shape_of("-n --adjustment"),
    "ionice": shape_of("-c -n --class --classdata"),
    "chrt": shape_of("", 1),
    "taskset": shape_of("", 1),
    "timeout": shape_of("-k -s --kill-after --signal", 1),
    "gtimeout": shape_of("-k -s --kill-after --signal", 1),
    "time": shape_of("-f -o --format --output"),
    "stdbuf": shape_of("-i -o -e --input --output --error"),
    "setsid": shape_of(),
    "unbuffer": shape_of(),
    "caffeinate": shape_of("-t -w"),
    "builtin": shape_of(),
    "exec": shape_of("-a"),
    "chronic": shape_of(),
    "ts": shape_of(),
    "ifne": shape_of("-n"),
    "start-stop-daemon": shape_of("-p -c -u -d -x", after="--"),
    "dbus-launch": shape_of(),
    "firejail": shape_of(),
    "bwrap": shape_of("--bind --ro-bind --dev --proc --tmpfs --chdir --setenv"),
    "prlimit": shape_of(),
    "numactl": shape_of(),
    "catchsegv": shape_of(),
    "watch": shape_of("-n --interval", joined=True),
    "strace": shape_of("-e -o -p -s -u -E -P"),
    "ltrace": shape_of("-e -o -p -s -u"),
    "xvfb-run": shape_of("-n -s -e -f -p -w --server-args --server-num"),
    "dumb-init": shape_of(),
    "tini": shape_of(),
    "faketime": shape_of("-f", 1),
    "unshare": shape_of("-S -G -R -w"),
    "nsenter": shape_of("-t -S -G"),
    "fakeroot": shape_of("-l -f -i -s"),
    "proot": shape_of("-r -b -w"),
    "chroot": shape_of("", 1),
    "runuser": shape_of("-u -g -G"),
    "gosu": shape_of("", 1),
    "su-exec": shape_of("", 1),
    "flock": shape_of("-w -E --timeout --wait --conflict-exit-code", 1),
    "parallel": shape_of("-j --jobs -I --joblog -a -S -N -n --tmpdir --colsep --results", joined=True),
    "coproc": shape_of(),
    "rtk": shape_of(),
    "xargs": shape_of("-I -n -P -L -d -a -E -s --arg-file --delimiter --max-args --max-procs --max-lines --replace"),
    "nodemon": shape_of("-e -w --watch --ext -x"),
    "dotenv": shape_of("-f -e -c", after="run --"),
    "aws-vault": shape_of("-d --duration", 1, "exec"),
    "op": shape_of("--env-file --account", after="run"),
    "doppler": shape_of("-p -c -t --project --config", after="run"),
    "chamber": shape_of("", 1, "exec"),
    "infisical": shape_of("--env --path", after="run"),
    "direnv": shape_of("", 1, "exec"),
    "mise": shape_of("", after="exec x run"),
    "asdf": shape_of("", 1, "exec"),
    "bundle": shape_of("", after="exec"),
    "npx": shape_of("-p --package -c --call"),
    "bunx": shape_of("-p --package"),
    "pnpx": shape_of("-p --package"),
    "uvx": shape_of("--from --with -p --python"),
    "pipx": shape_of("--spec --python", after="run"),
    "poetry": shape_of("-C -P --directory", after="run"),
    "pipenv": shape_of("", after="run"),
    "uv": shape_of("--with --python -p --extra --group --env-file --directory --project", after="run"),
    "pdm": shape_of("", after="run"),
    "hatch": shape_of("-e --env", after="run"),
    "rye": shape_of("", after="run"),
    "conda": shape_of("-n -p --name --prefix", after="run"),
    "mamba": shape_of("-n -p --name --prefix", after="run"),
    "micromamba": shape_of("-n -p --name --prefix", after="run"),
    "nix": shape_of("", after="-c --command"),
    "dbus-run-session": shape_of(),
    "systemd-run": shape_of("-u -p -t --unit --property"),
    "systemd-inhibit": shape_of("--what --who --why --mode"),
    "arch": shape_of(),
    "tsocks": shape_of(),
    "proxychains": shape_of("-f"),
    "cross-env": shape_of(assigns=True),
    "cross-env-shell": shape_of(assigns=True),
    "dotenvx": shape_of("-f", after="run"),
}
