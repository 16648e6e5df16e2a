"""Runs the user's own test command with the recorder in it, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.reach.record.raw import Recording, read_recording

PLUGIN = "tidegate_reach_recorder"


class Run(Struct, frozen=True):
    """What a recorded command answered: its own exit code, and what was heard."""

    exit_code: int
    recording: Recording


def record(command: Sequence[str], repository_path: Path, environment: Mapping[str, str], folder: Path) -> Run:
    """Run `command` in `folder` with its own interpreter; code under `repository_path` is recorded.

    Output and exit code are the command's own. The recorder comes in through PYTHONPATH and PYTEST_ADDOPTS. Raises
    InputError when the command cannot be started, or left no recording.
    """
    with tempfile.TemporaryDirectory(prefix="tidegate-record-") as name:
        temporary = Path(name)
        raw, code = temporary / "raw", temporary / "code"
        raw.mkdir()
        _lay_out(code)
        try:
            # The command is the one that the user typed after `--`.
            done = subprocess.run(  # noqa: S603
                list(command), cwd=folder, env=_environment(environment, code, raw, repository_path), check=False
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"the command cannot be started ({error})", where=" ".join(command), mend="check its name and PATH"
            ) from error
        return Run(done.returncode, read_recording(raw))


# Private

_SITECUSTOMIZE = f"""\
import os, sys
if os.environ.get("TIDEGATE_REACH_TEST"):
    import {PLUGIN}
    {PLUGIN}.begin_in_child()
# The sitecustomize that this one stands before.
_here = os.path.dirname(os.path.abspath(__file__))
_path, _own = sys.path[:], sys.modules.pop("sitecustomize", None)
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != _here]
try:
    import sitecustomize
except ImportError:
    if _own is not None:
        sys.modules["sitecustomize"] = _own
finally:
    sys.path[:] = _path
"""


def _lay_out(code: Path) -> None:
    code.mkdir()
    shutil.copyfile(Path(__file__).with_name("plugin.py"), code / f"{PLUGIN}.py")
    (code / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")


def _environment(given: Mapping[str, str], code: Path, raw: Path, root: Path) -> dict[str, str]:
    environment = {key: value for key, value in given.items() if not key.startswith("TIDEGATE_REACH_")}
    environment.pop("PYTEST_CURRENT_TEST", None)
    paths = [str(code), *filter(None, [given.get("PYTHONPATH", "")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTEST_ADDOPTS"] = f"{given.get('PYTEST_ADDOPTS', '')} -p {PLUGIN}".strip()
    environment["TIDEGATE_REACH_FOLDER"] = str(raw)
    environment["TIDEGATE_REACH_ROOT"] = str(root.resolve())
    return environment
