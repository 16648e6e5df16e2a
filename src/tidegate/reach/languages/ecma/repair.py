"""Words that the grammar does not know, blanked out of a source that it could not read without errors.

Every repair keeps the length of the source, so that places stay what they are: `export type *` loses its `type`,
`<out T>` its `out`, and a signature of an interface that begins a line with `<` gets a `;` before it, without which
the grammar takes it for arguments of the type on the line above.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_TYPE_STAR = re.compile(rb"(\bexport\s+)type(\s*\*)")
_VARIANCE = re.compile(
    rb"([<,]\s*(?:(?:/\*[^/]{0,400}\*/|//[^\n]{0,200}\n)\s*){0,4}(?:const\s+)?)(in\s+out|in|out)(?=\s+[A-Za-z_$][\w$]*\s*(?:extends\b|=|,|>))"
)
_SIGNATURE = re.compile(rb"((?:[\w>\])'\"}]|\*/|//[^\n]{0,200})\s*\n[ \t]*)[ \t](?=<(?:[A-Za-z_$]|\s*\n))")
_ERROR_LIMIT = 100_000
_SIZE_LIMIT = 4 << 20


def parse_repaired(parser: Parser, source: bytes, root: Node) -> Node:
    """The tree with the fewest errors: that of the source, or that of the repaired source."""
    if len(source) > _SIZE_LIMIT:
        return root
    repaired = _SIGNATURE.sub(rb"\1;", _without_words(source))
    best, count = root, count_errors(root)
    for attempt in dict.fromkeys([repaired, _without_words(source)]):
        if attempt == source or not count:
            continue
        other = parser.parse(attempt).root_node
        errors = count_errors(other)
        if errors < count:
            best, count = other, errors
    return best


def count_errors(root: Node) -> int:
    """How much of a tree is errors: their number and the lines that they cover, up to a limit."""
    stack, found = [root], 0
    while stack and found < _ERROR_LIMIT:
        node = stack.pop()
        if node.is_error or node.is_missing:
            found += 1 + node.end_point[0] - node.start_point[0]
        elif node.has_error:
            stack.extend(node.children)
    return found


def _without_words(source: bytes) -> bytes:
    source = _TYPE_STAR.sub(lambda match: match[1] + b"    " + match[2], source)
    return _VARIANCE.sub(lambda match: match[1] + b" " * len(match[2]), source)
