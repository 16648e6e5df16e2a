"""What no plan shows: guards of the code itself, commands that run at apply, where state and modules come from."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import EffectCode, Place, Severity
from tidegate.infra.kinds import stateful
from tidegate.infra.same import same
from tidegate.infra.terraform.diff import Match, matched
from tidegate.infra.terraform.origins import origins
from tidegate.infra.terraform.sensitive import secretive, taken
from tidegate.infra.terraform.stacks import Call, Piece, Stack
from tidegate.infra.terraform.syntax import Block, Expression, ListOf, Literal, Member, Name, every_expression
from tidegate.infra.values import Draft, Mitigation


def unplanned(before: Stack, after: Stack) -> Iterator[Draft]:
    """Drafts for one stack, each with `code_only`."""
    seen: set[tuple[str, str]] = set()
    for match in matched(before, after):
        for draft in _of_resource(match):
            base = draft.address.partition("[")[0]
            if (draft.code, base) not in seen:
                seen.add((draft.code, base))
                yield draft
    if before.pieces:
        yield from _commands(before, after)
        yield from _backends(before, after)
        yield from _providers(before, after)
        yield from origins(before, after)


# Private


def _of_resource(match: Match) -> Iterator[Draft]:
    before, after = match.before, match.after
    if after is None:
        return
    if before is not None:
        if _flag(before.block, "prevent_destroy") and not _flag(after.block, "prevent_destroy"):
            yield _unguarded(after)
        if _flag(before.block, "create_before_destroy") and not _flag(after.block, "create_before_destroy"):
            yield _draft("OUTAGE_PARTIAL", "low", after, _DESTROYS_FIRST.format(after.address))
        yield from _ignored(before, after)
        if _provider(before.block) != _provider(after.block):
            yield _elsewhere(before, after)
    old = {_command(one) for one in before.block.inner("provisioner")} if before is not None else set()
    for block in after.block.inner("provisioner"):
        if _command(block) not in old and block.labels[:1] != ("file",):
            yield _draft("SUPPLY_CHAIN", "medium", after, _RUNS.format(after.address, *block.labels[:1]), block)


def _unguarded(piece: Piece) -> Draft:
    held = stateful(piece.type)
    what = f"; a later change can destroy {held.holds} with it" if held else ""
    return _draft(
        "GUARD_REMOVED",
        "high" if held else "medium",
        piece,
        f"lifecycle.prevent_destroy is removed from {piece.address}: Terraform no longer refuses to destroy it{what}. "
        "No plan shows this.",
        back="put prevent_destroy back",
    )


def _ignored(before: Piece, after: Piece) -> Iterator[Draft]:
    old, new = _ignores(before.block), _ignores(after.block)
    more = [one for one in new if one not in old and (one == "all" or one.partition(".")[0] in _MATTERS)]
    if more and "all" not in old:
        reason = (
            f"lifecycle.ignore_changes of {after.address} now covers {', '.join(more)}: what is changed there, by hand "
            "or in code, is no longer put right by Terraform."
        )
        yield _draft("GUARD_REMOVED", "medium" if "all" in more else "low", after, reason, back="narrow ignore_changes")


def _elsewhere(before: Piece, after: Piece) -> Draft:
    held = stateful(after.type)
    return _draft(
        "STATE_LOSS",
        "high" if held else "medium",
        after,
        f"{after.address} is given another provider ({_provider(before.block) or 'the default'} -> "
        f"{_provider(after.block) or 'the default'}): Terraform looks for it in another region or account, does not "
        "find it there and creates it anew; the existing one is left behind unmanaged.",
        back="give the provider back, or move the resource by import",
    )


def _commands(before: Stack, after: Stack) -> Iterator[Draft]:
    old = {(one.address, one.block.labels): _expressions(one.block) for one in before.calls if _external(one)}
    for call in after.calls:
        if _external(call) and old.get((call.address, call.block.labels)) != _expressions(call.block):
            address = f"{call.address}data.{'.'.join(call.block.labels)}"
            reason = f"{address} runs a program of its own at every plan, with the rights of whoever plans."
            yield Draft("SUPPLY_CHAIN", "medium", address, reason, True, place=_place(call.block), code_only=True)


def _backends(before: Stack, after: Stack) -> Iterator[Draft]:
    old, new = _backend(before), _backend(after)
    if old is None or not after.pieces:
        return
    new = new or Block("backend", ("local",), {}, (), 0, old.path)
    if _backend_key(old) == _backend_key(new):
        return
    shown = ", ".join(_backend_differences(old, new)) or "values that are not settled here"
    given_at_init = _left_to_init(old, new)
    yield Draft(
        "STATE_LOSS",
        "medium" if given_at_init else "high",
        ".".join(("terraform", new.kind, *new.labels)),
        f"the backend changes ({shown}): the state is looked for elsewhere, and where nobody migrates it the next plan "
        "creates everything anew beside what exists.",
        reversible=True,
        back="migrate the state (`terraform init -migrate-state`) before the next apply",
        place=_place(new),
        certainty="possible" if given_at_init else "likely",
        mitigations=(Mitigation(_AT_INIT),) if given_at_init else (),
        code_only=True,
    )


def _providers(before: Stack, after: Stack) -> Iterator[Draft]:
    old = {_provider_name(one): one for one in before.calls if one.block.kind == "provider"}
    for call in after.calls:
        known = old.get(_provider_name(call)) if call.block.kind == "provider" else None
        if known is None:
            continue
        for name in _WHERE:
            was, is_ = (_written(dict(every_expression(one.block)).get(name)) for one in (known, call))
            if was and is_ and was != is_:
                yield Draft(
                    "STATE_LOSS",
                    "high",
                    f"{call.address}provider.{_provider_name(call)[1]}",
                    f"the provider's {name} changes {was} -> {is_}: Terraform looks for every resource of it there, "
                    "does not find them and creates all of them anew; the existing ones are left behind unmanaged.",
                    reversible=True,
                    back=f"set {name} back before anything is applied",
                    place=_place(call.block),
                    certainty="likely",
                    code_only=True,
                )


_MATTERS = frozenset({
    "policy", "assume_role_policy", "ingress", "egress", "security_groups", "vpc_security_group_ids",
    "password", "engine_version", "desired_capacity", "tags_all", "container_definitions", "versioning",
    "public_access_block", "server_side_encryption_configuration", "backup_retention_period",
}) - {"tags_all", "desired_capacity", "container_definitions"}  # fmt: skip
_WHERE = ("region", "project", "subscription_id", "allowed_account_ids", "profile", "host", "assume_role.role_arn")
_KEPT = ("bucket", "key", "prefix", "path", "organization", "hostname", "workspace_key_prefix", "container_name",
         "storage_account_name", "address", "name", "secret_suffix")  # fmt: skip
"""What says where the state lies."""
_REQUIRED = ("bucket", "key", "container_name", "storage_account_name", "organization", "secret_suffix")
_AT_INIT = "what a backend must have and does not say is given at init (-backend-config), perhaps the same value"
_DESTROYS_FIRST = (
    "lifecycle.create_before_destroy is removed from {}: when it is next replaced, the old one goes before the new one "
    "is there."
)
_RUNS = "{} gains a provisioner {}, which runs a command at apply with the rights of whoever applies; no plan shows it."


def _draft(
    code: EffectCode, severity: Severity, piece: Piece, reason: str, block: Block | None = None, back: str = ""
) -> Draft:
    return Draft(
        code,
        severity,
        piece.address,
        reason,
        reversible=True,
        back=back,
        place=_place(block or piece.block),
        certainty="likely",
        code_only=True,
    )


def _flag(block: Block, name: str) -> bool:
    return any(inner.attributes.get(name) in (Literal(True), Literal("true")) for inner in block.inner("lifecycle"))


def _ignores(block: Block) -> list[str]:
    found: list[str] = []
    for inner in block.inner("lifecycle"):
        listed = inner.attributes.get("ignore_changes")
        for one in listed.items if isinstance(listed, ListOf) else [listed] if listed is not None else []:
            found += [_written(one)]
    return found


def _provider(block: Block) -> str:
    return _written(block.attributes.get("provider"))


def _written(expression: Expression | None) -> str:
    match expression:
        case Name(name):
            return name
        case Literal(value):
            return str(value)
        case Member(of, name):
            return f"{_written(of)}.{name if isinstance(name, str) else _written(name)}"
        case ListOf(items):
            return ", ".join(_written(one) for one in items)
    return ""


def _command(block: Block) -> object:
    return block.labels, _expressions(block)


def _expressions(block: Block) -> list[tuple[str, Expression]] | tuple[tuple[str, Expression], ...]:
    return tuple(every_expression(block))


def _external(call: Call) -> bool:
    return call.block.kind == "data" and call.block.labels[:1] == ("external",)


def _backend(stack: Stack) -> Block | None:
    """Where the state lies: the block of the backend, of the stack itself alone."""
    for call in stack.calls:
        if not call.address and call.block.kind == "terraform":
            for block in call.block.blocks:
                if block.kind in ("backend", "cloud"):
                    return block
    return None


def _left_to_init(old: Block, new: Block) -> bool:
    """Whether all that changes is that what a backend must be told is told no longer here: so it is at init."""
    was, is_ = dict(_expressions(old)), dict(_expressions(new))
    changed = {name for name in {*was, *is_} if was.get(name) != is_.get(name)}
    same_kind = (old.kind, old.labels) == (new.kind, new.labels)
    return same_kind and all(name in _REQUIRED and name not in is_ for name in changed & {*_KEPT, *_REQUIRED})


def _backend_key(block: Block) -> object:
    return block.kind, block.labels, [(name, one) for name, one in _expressions(block) if name.split(".")[-1] in _KEPT]


def _backend_differences(old: Block, new: Block) -> Iterator[str]:
    if (old.kind, old.labels) != (new.kind, new.labels):
        yield f"{' '.join((old.kind, *old.labels))} -> {' '.join((new.kind, *new.labels))}"
    for name in sorted({*old.attributes, *new.attributes}):
        was, is_ = _written(old.attributes.get(name)), _written(new.attributes.get(name))
        if same(was, is_):
            continue
        if secretive(name) or any(True for text in (was, is_) for _ in taken(text)):
            yield f"{name} (sensitive)"
        else:
            yield f"{name} {was or 'nothing'} -> {is_ or 'nothing'}"


def _provider_name(call: Call) -> tuple[str, str]:
    name = call.block.labels[0] if call.block.labels else ""
    alias = _written(call.block.attributes.get("alias"))
    return call.address, f"{name}.{alias}" if alias else name


def _place(block: Block) -> Place:
    return Place(block.path, block.line)
