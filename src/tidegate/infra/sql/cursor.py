"""A place in a statement that moves over its words."""

from __future__ import annotations

from tidegate.infra.sql.lexer import Statement, Token

_LONGEST_TEXT = 90
_END = Token("sign", "", 0)


class Cursor:
    """Reads one statement from the front. What is asked for and not there is "" and moves nothing."""

    def __init__(self, statement: Statement) -> None:
        self._all = statement
        self._at = 0

    @property
    def line(self) -> int:
        """The line that the statement begins in."""
        return self._all[0].line if self._all else 0

    @property
    def rest(self) -> Statement:
        """What has not been passed."""
        return self._all[self._at :]

    @property
    def done(self) -> bool:
        """Whether everything has been passed."""
        return self._at >= len(self._all)

    @property
    def text(self) -> str:
        """The statement as people recognise it, short."""
        return shown(self._all)

    def token(self, ahead: int = 0) -> Token:
        place = self._at + ahead
        return self._all[place] if place < len(self._all) else _END

    def peek(self, ahead: int = 0) -> str:
        """The keyword that comes, in upper case."""
        return self.token(ahead).upper

    def next(self) -> Token:
        found = self.token()
        self._at += 1
        return found

    def next_word(self) -> str:
        return self.next().upper

    def skip(self, *words: str) -> bool:
        """Passes any of these words as long as they come; whether there was one."""
        start = self._at
        while self.peek() and self.peek() in words:
            self._at += 1
        return self._at > start

    def if_exists(self) -> bool:
        return self.skip("IF") and (self.skip("NOT"), self.skip("EXISTS"))[1]

    def name(self) -> str:
        """A name with its schema, as written and without quotes; "" where none comes."""
        if not self.token().is_name:
            return ""
        parts = [self.next().text]
        while self.peek() == "." and self.token(1).is_name:
            self._at += 1
            parts.append(self.next().text)
        return ".".join(parts)

    def has(self, *words: str) -> bool:
        """Whether any of these words comes anywhere later."""
        return any(token.upper in words for token in self.rest)

    def has_outside(self, *words: str) -> bool:
        """Whether any of these words comes later and stands in no parenthesis."""
        depth = 0
        for token in self.rest:
            depth += {"(": 1, ")": -1}.get(token.upper, 0)
            if depth == 0 and token.upper in words:
                return True
        return False

    def after(self, word: str) -> str:
        """The name after the next such word; passes it."""
        for place in range(self._at, len(self._all)):
            if self._all[place].upper == word:
                self._at = place + 1
                self.skip("ONLY")
                return self.name()
        return ""

    def past_arguments(self) -> bool:
        """Passes the arguments of a function's name; always true."""
        if self.peek() == "(":
            self.group()
        return True

    def group(self) -> Statement:
        """Passes a parenthesis that comes and answers what is in it."""
        if self.peek() != "(":
            return ()
        start, depth = self._at + 1, 0
        while self._at < len(self._all):
            depth += {"(": 1, ")": -1}.get(self.next().upper, 0)
            if depth == 0:
                return self._all[start : self._at - 1]
        return self._all[start:]

    def clause(self) -> Cursor:
        """Passes everything up to the next comma that stands in no parenthesis, or the end."""
        start, depth = self._at, 0
        while self._at < len(self._all):
            word = self.peek()
            if word == "," and depth == 0:
                break
            depth += {"(": 1, ")": -1}.get(word, 0)
            self._at += 1
        return Cursor(self._all[start : self._at])

    def between(self, first: str, *last: str) -> Statement:
        """The tokens after the word `first` ("" is the front) up to any of `last`, or the end; moves nothing."""
        words = [token.upper for token in self.rest]
        start = words.index(first) + 1 if first in words and first else 0
        if first and first not in words:
            return ()
        ends = [place for place in range(start, len(words)) if words[place] in last]
        return self.rest[start : ends[0] if ends else len(words)]

    def where(self) -> Statement | None:
        """The condition of this statement, None where it has none; those of queries inside it do not count."""
        depth = 0
        for place in range(self._at, len(self._all)):
            word = self._all[place].upper
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0 and word == "WHERE":
                return _until(self._all[place + 1 :], ("RETURNING", "ORDER", "LIMIT"))
        return None

    def assigned(self) -> list[str]:
        """The columns that a `SET` writes to."""
        found = []
        cursor = Cursor(_until(self.between("SET"), ("WHERE", "RETURNING")))
        while not cursor.done:
            part = cursor.clause()
            names = [token.text for token in part.group() if token.is_name] if part.peek() == "(" else [part.name()]
            found += [name.rpartition(".")[2] for name in names if name]
            cursor.next()
        return found

    def only_fills(self) -> bool:
        """Whether a `SET` writes only where nothing stood: `x = COALESCE(x, 0)`."""
        cursor = Cursor(_until(self.between("SET"), ("WHERE", "RETURNING")))
        while not cursor.done:
            part = cursor.clause()
            name = part.name()
            part.skip("=")
            keeps = part.skip("COALESCE", "IFNULL", "ISNULL", "NVL") and part.skip("(") and part.name() == name
            if not keeps:
                return False
            cursor.next()
        return True


def shown(statement: Statement) -> str:
    """Tokens as one line of SQL, short, with strings left out: they may be data."""
    parts: list[str] = []
    for token in statement:
        text = {"string": "'...'", "body": "$$...$$"}.get(token.kind, token.text)
        glued = text in (",", ")", ".", ";") or (parts and parts[-1][-1:] in ("(", "."))
        parts.append(text if glued or not parts else f" {text}")
        if sum(map(len, parts)) > _LONGEST_TEXT:
            return "".join(parts)[:_LONGEST_TEXT].rstrip() + "..."
    return "".join(parts)


def _until(found: Statement, words: tuple[str, ...]) -> Statement:
    depth = 0
    for place, token in enumerate(found):
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if depth == 0 and token.upper in words:
            return found[:place]
    return found
