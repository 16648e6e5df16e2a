"""What each definition of a Ruby file is made of, as digests that comments and formatting do not change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tidegate.reach.languages.ruby_reader import RubyReader
from tidegate.reach.languages.ruby_scope import Draft
from tidegate.reach.languages.tree import comment_above, digest, leaves
from tidegate.reach.symbols import Digests

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset(["comment"])
_CLOSING = frozenset([")", "]", "}"])
_LISTS = frozenset(["argument_list", "array", "hash", "method_parameters"])


def read_ruby_digests(source: bytes, root: Node) -> tuple[Digests, ...]:
    """The digests of the module and of every definition, in the order of `read_symbols`."""
    reader = RubyReader(source)
    reader.read_file(root)
    holes = frozenset(draft.node.id for draft in reader.drafts[1:])
    # `class A::B` opens A too and says nothing of it: both have the same node.
    drafts = reader.drafts
    mentioned = {one.parent for one in drafts if one.parent > 0 and drafts[one.parent].node.id == one.node.id}
    lines = source.split(b"\n")
    return tuple(_one(draft, holes, lines, mentioned=index in mentioned) for index, draft in enumerate(reader.drafts))


# Private


def _one(draft: Draft, holes: frozenset[int], lines: list[bytes], *, mentioned: bool) -> Digests:
    node = draft.node
    signature: list[Node] = []
    defaults: list[Node] = []
    body: list[Node] = []
    if draft.kind == "class" and mentioned:
        pass
    elif node.type in ("class", "module"):
        body = [part for part in [node.child_by_field_name("body")] if part is not None]
    elif node.type in ("method", "singleton_method"):
        _split_method(node, signature, defaults, body)
    elif node.type == "assignment":
        body = node.children[1:]
    else:
        body = node.children
    silent = draft.kind == "module" or mentioned
    docs = [] if silent else comment_above(lines, node.start_point[0] + 1, (b"#",))
    head = [draft.name, draft.kind, draft.visibility, *draft.flags]
    return Digests(
        name=draft.name,
        kind=draft.kind,
        line=node.start_point[0] + 1,
        end_line=node.end_point[0] + 1,
        signature=digest([*(part.encode() for part in head if draft.kind != "module"), *_tokens(signature, holes)]),
        defaults=digest(_tokens(defaults, holes)),
        decorators=digest(()),
        bases=digest(base.encode() for base in draft.bases),
        body=digest(_tokens(body, holes) if node.child_count else [node.text or b""]),
        docs=digest(docs),
    )


def _split_method(node: Node, signature: list[Node], defaults: list[Node], body: list[Node]) -> None:
    after = False
    for part in node.children:
        if part.type == "method_parameters":
            for parameter in part.children:
                value = parameter.child_by_field_name("value")
                signature += [child for child in parameter.children if child != value] or [parameter]
                defaults += [value] if value is not None else []
            after = True
        elif after or part.type in ("body_statement", "="):
            after = True
            body.append(part)
        elif part.type not in ("def", "comment"):
            (body if part == node.child_by_field_name("body") else signature).append(part)


def _tokens(nodes: Iterable[Node], holes: frozenset[int]) -> Iterable[bytes]:
    return leaves(nodes, skip=_COMMENTS, holes=holes, trailing=_is_trailing)


def _is_trailing(parent: Node, separator: Node) -> bool:
    return separator.type == "," and parent.type in _LISTS and parent.children[-1].type in _CLOSING
