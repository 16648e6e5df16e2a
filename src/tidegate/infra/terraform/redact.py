"""Takes every secret out of a plan before anything else sees it.

A secret is what the plan marks as sensitive, what an attribute or a type of resource is known to hold, what its form
gives away, and the same text wherever else it stands, in JSON, in Base64, in an address. Equal secrets have the same
number, so that a changed one still shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tidegate.errors import InputError
from tidegate.infra.terraform.document import Mask
from tidegate.infra.terraform.hunt import Hay
from tidegate.infra.terraform.sensitive import (
    FORMS,
    HELD,
    PAYLOADS,
    SHORTEST,
    payload,
    searched,
    secretive,
    spellings,
    taken,
    texts_of,
)
from tidegate.infra.values import Hidden, Value

__all__ = ["SHORTEST", "Redactor"]
DEEPEST = 80
_IDENTITY = frozenset({"id", "arn", "address", "endpoint", "dns_name", "self_link", "hostname", "fqdn", "url"})
_PLAIN = re.compile(r"arn:|[a-z]+-[0-9a-f]{8,}$|projects/|/subscriptions/|[\w-]+(\.[\w-]+){2,}$")


class Redactor:
    """Two steps: `learn` from every part of a document, then `clean` each part."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._sought: dict[str, bool] = {}
        self._texts: dict[str, None] = {}
        self._plain: set[str] = set()
        self._replaced: dict[str, Value] = {}
        self._settled = True

    def learn(self, value: Any, mask: Mask = False, type_: str = "") -> None:
        """Note every secret in the values of a resource, and every text. Raises InputError for what is too deep."""
        held = HELD.get(type_, frozenset())
        if type_ == "aws_ssm_parameter" and isinstance(value, dict) and value.get("type") in ("String", "StringList"):
            held = (
                frozenset()
            )  # the provider hides every parameter; this one is no secret, and not looked for elsewhere
            mask = {**mask, "value": False} if isinstance(mask, dict) else mask
        self._settled = False
        self._learn(value, mask, held, 0)

    def note(self, value: Any, certain: bool = True) -> None:
        """Note one secret. `certain` is false where only its place says so, and not its name."""
        if value is None or value == "" or isinstance(value, bool):
            return
        self._settled = False
        self._number(value)
        for text in texts_of(value):
            self._number(text)
            self._sought[text] = self._sought.get(text, False) or certain

    def clean(self, value: Any, mask: Mask = False, type_: str = "") -> Value:
        """The values of a resource without their secrets; where all of it is one, each of its attributes is hidden."""
        if mask is True and isinstance(value, dict):
            mask = dict.fromkeys(value, True)
        if not self._settled:
            self._settle()
        return self._clean(value, mask, HELD.get(type_, frozenset()))

    def text(self, text: str) -> str:
        """A name or an address without the secrets in it."""
        if not self._settled:
            self._settle()
        found = self._replaced.get(text, text)
        return _mark(found) if isinstance(found, Hidden) else str(found)

    def secretive(self, name: str) -> bool:
        """Whether an attribute or a variable of this name holds a secret."""
        return secretive(name)

    # Private

    def _settle(self) -> None:
        """Find every text that holds a secret, and what stands in its place."""
        documents = {text: found for text in self._texts if text[:1] in ("{", "[") and (found := self._document(text))}
        for text in Hay(list(self._texts)).matching(FORMS):
            for secret in taken(text):
                self.note(secret)
        sought = {
            text for text, certain in self._sought.items() if searched(text) and (certain or not self._is_id(text))
        }
        written: dict[str, str] = {}
        for text in sorted(sought):
            for spelling in spellings(text):
                written.setdefault(spelling, _mark(Hidden(self._number(text))))
        self._replaced = {text: Hidden(self._number(text)) for text in sought}
        now = {text: text for text in self._texts if text not in sought}
        for text in documents.keys() - sought:
            now[text] = json.dumps(self._shown(documents[text]), separators=(",", ":"), ensure_ascii=False)
        without = Hay(list(now.values())).replaced(written)
        for text, shown in now.items():
            if shown in without or shown != text:
                self._replaced[text] = without.get(shown, shown)
        self._settled = True

    def _learn(self, value: Any, mask: Mask, held: Iterable[str], depth: int) -> None:
        if depth > DEEPEST:
            raise InputError("the plan is nested deeper than any real one", mend="make the plan again")
        if mask is True:
            self.note(value, certain=False)
            for text in texts_of(value):
                self._texts[text] = None
            return
        if isinstance(value, dict):
            masks = mask if isinstance(mask, dict) else {}
            labelled = _labelled(value)
            for key, inner in value.items():
                self._texts[key] = None
                masked = masks.get(key, False)
                placed = masked is True or key in held
                certain = _says(key, inner, labelled)
                if placed or certain:
                    self.note(inner, certain)
                if type(inner) is str:
                    self._learn_text(key, inner, placed or certain)
                elif type(inner) is dict or type(inner) is list:
                    self._learn(inner, masked, (), depth + 1)
        elif isinstance(value, list):
            self._learn_list(value, mask if isinstance(mask, list) else [], depth)

    def _learn_list(self, values: list[Any], masks: list[Mask], depth: int) -> None:
        for place, inner in enumerate(values):
            masked = masks[place] if place < len(masks) else False
            if type(inner) is str:
                self._texts[inner] = None
            if masked is True or type(inner) is dict or type(inner) is list:
                self._learn(inner, masked, (), depth + 1)

    def _learn_text(self, key: str, text: str, secret: bool) -> None:
        self._texts[text] = None
        if secret:
            return
        if key in _IDENTITY:
            self._plain.add(text)
        elif key in PAYLOADS:
            self._learn_payload(text)

    def _learn_payload(self, text: str) -> None:
        inside = payload(text)
        if inside and any(True for _ in taken(inside)):
            self.note(text)
            for secret in taken(inside):
                self.note(secret)

    def _document(self, text: str) -> Any:
        """The JSON of a text where a name in it says that it holds a secret, else None."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, (dict, list)):
            return None
        return document if self._note_named(document, 0) else None

    def _note_named(self, value: Any, depth: int) -> bool:
        if depth > DEEPEST:
            return False
        found = False
        if isinstance(value, dict):
            labelled = _labelled(value)
            for key, inner in value.items():
                if _says(key, inner, labelled) and not _refers(inner):
                    self.note(inner)
                    found = True
                elif isinstance(inner, (dict, list)):
                    found = self._note_named(inner, depth + 1) or found
        elif isinstance(value, list):
            for inner in value:
                found = self._note_named(inner, depth + 1) or found
        return found

    def _shown(self, value: Any) -> Any:
        """A JSON document with words in the place of its secrets."""
        if isinstance(value, dict):
            labelled = _labelled(value)
            return {
                key: _mark(Hidden(self._number(inner)))
                if _says(key, inner, labelled) and not _refers(inner)
                else self._shown(inner)
                for key, inner in value.items()
            }
        return [self._shown(inner) for inner in value] if isinstance(value, list) else value

    def _is_id(self, text: str) -> bool:
        """Whether a text that only its place makes secret is what a resource is openly called by."""
        return text in self._plain and _PLAIN.match(text) is not None

    def _number(self, value: Any) -> int:
        key = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def _clean(self, value: Any, mask: Mask, held: Iterable[str]) -> Value:
        if mask is True:
            return self._hidden(value)
        replaced = self._replaced
        if isinstance(value, dict):
            masks = mask if isinstance(mask, dict) else {}
            labelled = _labelled(value)
            cleaned = {}
            for key, inner in value.items():
                masked = masks.get(key, False)
                if masked is True or key in held or _says(key, inner, labelled):
                    inner = self._hidden(inner)
                elif type(inner) is str:
                    inner = replaced.get(inner, inner)
                elif type(inner) is dict or type(inner) is list:
                    inner = self._clean(inner, masked, ())
                cleaned[self.text(key) if key in replaced else key] = inner
            return cleaned
        if isinstance(value, list):
            masks_ = mask if isinstance(mask, list) else ()
            return [
                self._clean(inner, masks_[place] if place < len(masks_) else False, ())
                for place, inner in enumerate(value)
            ]
        return replaced.get(value, value) if type(value) is str else value

    def _hidden(self, value: Any) -> Value:
        open_ = value is None or value == "" or isinstance(value, bool)  # a switch is no secret, whatever marks it
        return value if open_ else Hidden(self._number(value))


# Private


def _mark(hidden: Hidden) -> str:
    return f"(sensitive {hidden.number})"


def _says(key: str, value: Any, labelled: bool) -> bool:
    """Whether the name of an attribute says that this text, or this list of texts, is a secret."""
    if type(value) is str:
        return secretive(key) or (labelled and key == "value")
    return type(value) is list and bool(value) and type(value[0]) is str and secretive(key)


def _refers(value: Any) -> bool:
    """Whether a text only says where a secret is kept."""
    return value == "" or (isinstance(value, str) and value.startswith(("arn:", "${", "{{")))


def _labelled(value: dict[str, Any]) -> bool:
    """Whether this is a pair of a name and a value of which the name says that it is a secret."""
    label = value.get("name") or value.get("key") or value.get("Name")
    return type(label) is str and "value" in value and secretive(label)
