"""Addresses as Terraform writes them, from the references that `moved`, `removed` and `import` blocks hold."""

from __future__ import annotations

from tidegate.infra.terraform.syntax import Expression, Literal, Member, Name


def address_of(expression: Expression | None) -> str:
    """`module.a["k"].aws_x.y[0]` of a reference, "" where it is none."""
    steps: list[str | int] = []
    while isinstance(expression, Member):
        if isinstance(expression.name, str):
            steps.append(expression.name)
        elif isinstance(expression.name, Literal) and isinstance(expression.name.value, int):
            steps.append(expression.name.value)
        else:
            return ""
        expression = expression.of
    if not isinstance(expression, Name):
        return ""
    return _written([expression.name, *reversed(steps)])


def within(address: str, other: str) -> bool:
    """Whether the first is the second, an instance of it or something in it."""
    return address == other or address.startswith((f"{other}[", f"{other}."))


# Private


def _written(steps: list[str | int]) -> str:
    written: list[str] = []
    while steps and steps[0] == "module" and len(steps) > 1:
        written.append(f"module.{steps[1]}")
        del steps[:2]
        # A key in quotes and a name after a dot are one thing to the language; types and names come in pairs.
        if len(steps) % 2:
            written[-1] += _key(steps.pop(0))
    if len(steps) > 1:
        written.append(f"{steps[0]}.{steps[1]}" + "".join(_key(step) for step in steps[2:3]))
    return ".".join(written)


def _key(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f'["{step}"]'
