"""One function over many items, each in a process of its own: here, or on the machines of a Ray cluster.

What an item does to its process (a crash, a memory kill, no end) is that item's failure and nobody else's. Only this
module knows of processes and of Ray.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.errors import InputError, TidegateError

Item = TypeVar("Item")
Result = TypeVar("Result")
Where: TypeAlias = Literal["here", "ray"]


class Done(Struct, Generic[Item, Result], frozen=True):
    """What became of one item: its result, or why there is none."""

    item: Item
    result: Result | None
    failure: str = ""


class Limits(Struct, frozen=True):
    """How many items run at once, and how long one may take, in seconds."""

    jobs: int = 2
    seconds: float = 3600.0


def map_each(
    function: Callable[[Item], Result], items: Sequence[Item], limits: Limits, where: Where = "here"
) -> Iterator[Done[Item, Result]]:
    """`function(item)` for every item, as they end. The function must be importable, and both must pickle.

    Raises InputError where Ray is asked for and not there. Leaving early ends what still runs.
    """
    if where == "ray":
        return _on_ray(function, items, limits)
    return _here(function, items, limits)


# Private


def _here(function: Callable[[Item], Result], items: Sequence[Item], limits: Limits) -> Iterator[Done[Item, Result]]:
    running: list[multiprocessing.process.BaseProcess] = []
    with ThreadPoolExecutor(max_workers=max(1, limits.jobs)) as threads:
        waiting: set[Future[Done[Item, Result]]] = {
            threads.submit(_in_process, function, item, limits.seconds, running) for item in items
        }
        try:
            while waiting:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield one.result()
        finally:
            for one in waiting:
                one.cancel()
            for process in running:
                _end(process)


def _in_process(
    function: Callable[[Item], Result],
    item: Item,
    seconds: float,
    running: list[multiprocessing.process.BaseProcess],
) -> Done[Item, Result]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, function, item), daemon=True)
    process.start()
    running.append(process)
    sender.close()
    try:
        receiver.recv()  # it runs: what it took to start is not the item's time
        said: tuple[Any, str] = receiver.recv() if receiver.poll(seconds) else (None, f"no answer in {seconds:.0f} s")
    except (EOFError, OSError):
        process.join()
        said = (None, _death(process.exitcode))
    finally:
        receiver.close()
        _end(process)
        running.remove(process)
    return Done(item, *said)


def _work(sender: Connection, function: Callable[[Any], Any], item: Any) -> None:
    os.setpgrp()  # git processes below end with this one
    sender.send(None)
    sender.send(_tried(function, item))
    sender.close()


def _tried(function: Callable[[Any], Any], item: Any) -> tuple[Any, str]:
    try:
        return function(item), ""
    except TidegateError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 the fence around one repository
        return None, f"Tidegate itself failed ({' '.join(f'{type(error).__name__}: {error}'.split())[:400]})"


def _end(process: multiprocessing.process.BaseProcess) -> None:
    if process.is_alive() and process.pid is not None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    process.join()


def _death(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, most likely for want of memory"
    return f"its process ended without an answer (exit code {code})"


def _on_ray(function: Callable[[Item], Result], items: Sequence[Item], limits: Limits) -> Iterator[Done[Item, Result]]:
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "Ray is not installed", where="--on ray", mend="install it: pip install 'tidegate[fleet]'"
        ) from error
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
    remote = ray.remote(num_cpus=1, max_retries=0)(_tried)
    left = list(items)
    asked: dict[Any, Item] = {}
    try:
        while left or asked:
            while left and len(asked) < max(1, limits.jobs):
                item = left.pop(0)
                asked[remote.remote(function, item)] = item
            ended, _ = ray.wait(list(asked), num_returns=1, timeout=limits.seconds)
            for one in ended or list(asked)[:1]:
                item = asked.pop(one)
                yield Done(item, *_of_ray(ray, one, bool(ended), limits.seconds))
    finally:
        for one in asked:
            ray.cancel(one, force=True)


def _of_ray(ray: Any, reference: Any, ended: bool, seconds: float) -> tuple[Any, str]:
    if not ended:
        ray.cancel(reference, force=True)
        return None, f"no answer in {seconds:.0f} s"
    try:
        said: tuple[Any, str] = ray.get(reference)
        return said
    except ray.exceptions.RayError as error:
        return None, f"its process ended without an answer ({type(error).__name__})"
