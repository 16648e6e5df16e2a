"""The family of Terraform, OpenTofu and Terragrunt code by the names of its files; the reader is loaded when needed."""

from __future__ import annotations

import posixpath

from tidegate.change.trees import Pair, Trees
from tidegate.infra.values import Found

CODE = (".tf", ".tofu", ".tf.json", ".tofu.json")
VARIABLES = (".tfvars", ".tfvars.json")
TERRAGRUNT = "terragrunt.hcl"
READ = (".json", ".yaml", ".yml", ".csv", ".tpl", ".tftpl", ".tmpl", ".txt", ".policy", ".hcl", ".conf", ".xml")
"""What code reads with `file`, `templatefile` and the like."""


def claims(path: str) -> bool:
    """Whether a file is Terraform code, sets its variables, or may be read by it."""
    return (is_code(path) or path.endswith((*VARIABLES, *READ))) and "/.terraform/" not in f"/{path}"


def read(trees: Trees, pairs: tuple[Pair, ...]) -> Found:
    """The worlds of the folders whose code changed."""
    from tidegate.infra.terraform.code import read as read_code

    return read_code(trees, pairs)


def is_code(path: str) -> bool:
    return path.endswith(CODE) or posixpath.basename(path) == TERRAGRUNT


def is_given(path: str) -> bool:
    """Whether Terraform reads a file of variables without being asked."""
    name = posixpath.basename(path)
    return path.endswith(VARIABLES) and (name.startswith("terraform.tfvars") or ".auto.tfvars" in name)
