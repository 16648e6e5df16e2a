"""Reads XML of strangers as a stream: no entities of its own, nothing fetched, bounded depth, attributes and tags.

A DOCTYPE that only names a DTD is common (JaCoCo and Cobertura write one) and is passed over; the DTD is never read.
One that declares anything is refused: entities can grow without end (billion laughs) or name files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from tidegate.errors import InputError

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

DEPTH_LIMIT = 128
ATTRIBUTES_LIMIT = 256
TAG_LIMIT_BYTES = 1 << 20
MEND = "write the report again, or name another file"

Start: TypeAlias = Callable[[str, Mapping[str, str]], None]
End: TypeAlias = Callable[[str], None]
Text: TypeAlias = Callable[[str], None]


def read_xml(chunks: Iterable[bytes], where: str, start: Start, end: End, text: Text | None = None) -> None:
    """Calls `start` and `end` for each element and `text` for pieces of text. Names come without their prefix.

    Memory does not grow with the document. Raises InputError, in one line, for what is no XML, is cut off, declares
    entities, is nested deeper than 128 or has a tag or comment larger than 1 MB; `where` names the document.
    """
    from xml.parsers import expat

    parser = _parser(where, start, end, text)
    fed = 0
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - max(parser.CurrentByteIndex, 0) > TAG_LIMIT_BYTES:
                raise _refused(f"a tag or comment is larger than {TAG_LIMIT_BYTES >> 20} MB", where)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        said = "it ends too early" if reason in ("no element found", "unclosed token") else f"it is no XML: {reason}"
        raise _refused(f"{said} in line {error.lineno}", where) from error
    except (LookupError, ValueError) as error:
        # Expat's way to say that it does not know the encoding.
        raise _refused(f"it is no XML: {error}", where) from error


# Private


def _refused(what: str, where: str) -> InputError:
    return InputError(what, where=where, mend=MEND)


def _parser(where: str, start: Start, end: End, text: Text | None) -> XMLParserType:
    """Expat with every door to other documents shut."""
    from xml.parsers import expat

    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_LIMIT:
            raise _refused(f"its elements are nested deeper than {DEPTH_LIMIT}", where)
        if len(attributes) > ATTRIBUTES_LIMIT:
            raise _refused(f"an element has more than {ATTRIBUTES_LIMIT} attributes", where)
        start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2] if ":" in name else name)

    def typed(_name: str, _system: str | None, _public: str | None, declares: bool) -> None:
        if declares:
            raise _refused("its DOCTYPE declares things of its own, as no report does", where)

    def entity(*_: object) -> int:
        raise _refused("it uses entities of its own, as no report does", where)

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.StartDoctypeDeclHandler = typed
    parser.EntityDeclHandler = entity
    parser.SkippedEntityHandler = entity
    parser.ExternalEntityRefHandler = entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    if text is not None:
        parser.CharacterDataHandler = text
    return parser
