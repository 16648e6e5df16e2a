"""`tidegate witness`: remember what a ledger said, and cosign only what continues it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidegate.ledger.keys import NoteKey, NoteSigningKey
    from tidegate.ledger.witness import State

_PATH = click.Path(path_type=Path)
KEY_FILE = "witness.key"


@click.command(name="witness")
@click.option("--origin", "origins", multiple=True, required=True, metavar="VKEY", help="The key of a log to watch.")
@click.option("--state", type=_PATH, required=True, metavar="DIR", help="The folder for its key and its memory.")
@click.option("--name", metavar="NAME", help="How the witness is called, when its key is made. Such as HOST/witness.")
@click.option("--listen", default="127.0.0.1:8788", show_default=True, metavar="HOST:PORT", help="Where to listen.")
@click.option("--git", "repository", type=_PATH, metavar="REPO", help="Remember in a ref of this repository too.")
@click.option("--ref", default="refs/tidegate/witness", show_default=True, metavar="REF", help="The ref for --git.")
@click.option("--once", metavar="LEDGER", help="Look at this database or exported folder once, cosign it, and end.")
@click.option("--first", is_flag=True, help="With --once: nothing is remembered yet, and that is as it should be.")
def witness(
    origins: tuple[str, ...],
    state: Path,
    name: str | None,
    listen: str,
    repository: Path | None,
    ref: str,
    once: str | None,
    first: bool,
) -> int:
    """Watch ledgers: cosign each checkpoint that continues the last one seen, and never another.

    Run it on a host that the keeper of the ledger does not administer; one on the same host protects against nobody
    who holds that host. VKEY is the log's key as text or a file with it (`tidegate ledger verify` shows it); after a
    recovery the log has a new one, and a person decides whether to watch it. The key of the witness is made in
    DIR on the first start, and what to tell the log is shown: TIDEGATE_WITNESSES="VKEY URL".

    With --once it needs no host: a scheduled job fetches REF, looks, and pushes REF. With --git the ref is then its
    only memory, and `tidegate ledger verify --witness-git REPO` holds a ledger against it. Exit codes: 0 cosigned,
    1 the ledger does not continue what was seen.
    """
    from tidegate.ledger.witness import Witness
    from tidegate.server.witness import make_server

    logs: dict[str, list[NoteKey]] = {}
    for key in _keys(origins):
        logs.setdefault(key.name, []).append(key)
    if once is not None:
        return _look(once, logs, (state, name), (repository, ref, first))
    host, port = _address(listen)
    memory = _memory(state, repository, ref)
    signer = _signer(state, name)
    server = make_server(Witness([signer], logs, memory), host, port)
    at = server.server_address
    click.echo(
        f'Watching {", ".join(logs)}\nThe log needs: TIDEGATE_WITNESSES="{signer.public.vkey} http://{host}:{at[1]}"'
    )
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


# Private


def _look(
    ledger: str,
    logs: Mapping[str, list[NoteKey]],
    own: tuple[Path, str | None],
    kept: tuple[Path | None, str, bool],
) -> int:
    from tidegate.cli.ledger_source import open_source
    from tidegate.ledger.witness_state import FolderState
    from tidegate.server.witness import GitState
    from tidegate.server.witness_once import look_once

    (folder, name), (repository, ref, first) = own, kept
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = _signer(folder, name)
    memory = FolderState(folder) if repository is None else GitState(repository, ref)
    with open_source(ledger) as source:
        found = look_once(source, logs, signer, memory, first=first)
    click.echo(found.words)
    if found.whole and repository is not None:
        click.echo(f"Push it to where others fetch it: git push REMOTE {ref}")
    return 0 if found.whole else 1


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise InputError(f"{listen!r} is no address", where="--listen", mend="write it like 127.0.0.1:8788")
    return host.strip("[]"), int(port)


def _keys(origins: Sequence[str]) -> list[NoteKey]:
    from tidegate.cli.ledger_keys import read_vkey
    from tidegate.ledger.keys import KeyKind

    keys = [read_vkey(text, "--origin") for text in origins]
    if any(key.kind != KeyKind.LOG for key in keys):
        raise InputError(
            "this is no key of a log", where="--origin", mend="give the one that checkpoints are signed with"
        )
    return keys


def _memory(folder: Path, repository: Path | None, ref: str) -> State:
    from tidegate.ledger.witness_state import FolderState
    from tidegate.server.witness import GitState, TwoStates

    try:
        first = FolderState(folder)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=f"--state {folder}") from error
    return first if repository is None else TwoStates(first, GitState(repository, ref))


def _signer(folder: Path, name: str | None) -> NoteSigningKey:
    from tidegate.ledger.keys import KeyKind, new_key, read_key, write_key

    path = folder / KEY_FILE
    if not path.exists():
        if not name:
            raise InputError(
                "has no key yet", where=str(folder), mend="say how the witness is called: --name HOST/witness"
            )
        write_key(path, name, KeyKind.WITNESS, new_key())
    key = read_key(path, lambda: int(time.time()))
    if name is not None and key.name != name:
        raise InputError(f"the key here is that of {key.name}", where=str(path), mend="leave --name out")
    if key.public.kind == KeyKind.LOG:
        raise InputError("this is the key of a log", where=str(path))
    return key
