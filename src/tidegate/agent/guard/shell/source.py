"""The text of a script, read piece by piece: blanks, lines, here-documents, and commands that hold no others."""

from __future__ import annotations

import re
from collections.abc import Callable

from tidegate.agent.guard.shell.lexer import DEEPEST, Inner, Words, is_name
from tidegate.agent.guard.shell.values import Command, Redirect, Run, Script, ShellError, Text, Variable, Word

_REDIRECT = re.compile(r"(?:\d+|\{\w+\})?(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<(?!\()|>(?!\())")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^=\n;|&]*\])?\+?=")
_BARE = re.compile(r"[^\s;&|<>()]+")


class Source:
    """A place in a text that moves on as it is read. `inner` and `whole` read the scripts inside of words."""

    def __init__(self, text: str, place: int, depth: int, inner: Inner, whole: Callable[[str], Script]) -> None:
        if depth > DEEPEST:
            raise ShellError("the script is nested too deep to be read")
        self.text = text
        self.place = place
        self.depth = depth
        self.words = Words(text, inner, whole)
        self.pending: list[tuple[int, str, bool, bool, list[Redirect]]] = []

    def simple(self) -> Command:
        """Assignments, words and redirections, up to what ends a command."""
        assigned: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.blanks()
            if self.redirect(redirects):
                continue
            begin = _ASSIGNED.match(self.text, self.place)
            if begin is not None and not words:
                assigned.append((begin[1], self._value(begin)))
                continue
            word, end = self.words.word(self.place)
            if end == self.place:
                break
            self.place = end
            words.append(word)
            if self.text.startswith("(", self.place) and _ends_assigning(word):
                self.place += 1
                words += self._array_words()
        if not (assigned or words or redirects):
            found = self.text[self.place : self.place + 1]
            raise ShellError(f"there is an unexpected {found!r}" if found else "a command is missing")
        return Command(tuple(assigned), tuple(words), tuple(redirects))

    def _value(self, begin: re.Match[str]) -> Word:
        self.place = begin.end()
        if self.text.startswith("(", self.place):
            self.place += 1
            parts = [part for word in self._array_words() for part in word if isinstance(part, Run)]
            return (Variable("", changed=True), *parts)
        word, self.place = self.words.word(self.place)
        if "+=" in begin[0] or begin[2]:
            return (Variable("", changed=True), *word)
        return word

    def _array_words(self) -> list[Word]:
        words: list[Word] = []
        while True:
            self.lines()
            if self.text.startswith(")", self.place):
                self.place += 1
                return words
            word, end = self.words.word(self.place)
            if end == self.place:
                raise ShellError("an array is never closed")
            words.append(word)
            self.place = end

    def redirect(self, redirects: list[Redirect]) -> bool:
        """Reads a redirection where one stands."""
        found = _REDIRECT.match(self.text, self.place)
        if found is None:
            return False
        self.place = found.end()
        self.blanks()
        sign = found[1]
        start = self.place
        word, self.place = self.words.word(self.place)
        if self.place == start:
            raise ShellError(f"a `{sign}` leads nowhere")
        if sign in ("<<", "<<-"):
            end = "".join(part.text if isinstance(part, Text) else "" for part in word)
            raw = self.text[start : self.place]
            self.pending.append((len(redirects), end or raw, any(c in raw for c in "'\"\\"), sign == "<<-", redirects))
        redirects.append(Redirect(sign, word))
        return True

    # Places in the text

    def bare(self) -> str:
        """The word that starts here as it is written, without moving on."""
        found = _BARE.match(self.text, self.place)
        return found[0] if found else ""

    def blanks(self) -> None:
        text = self.text
        while self.place < len(text):
            if text[self.place] in " \t\r":
                self.place += 1
            elif text.startswith("\\\n", self.place):
                self.place += 2
            elif text[self.place] == "#" and (self.place == 0 or text[self.place - 1] in " \t\n;&|()"):
                end = text.find("\n", self.place)
                self.place = len(text) if end < 0 else end
            else:
                break

    def lines(self, also: str = "") -> None:
        """Blanks and line breaks; behind the first break stand the here-documents of its line."""
        while True:
            self.blanks()
            char = self.text[self.place : self.place + 1]
            if char == "\n":
                self.place += 1
                self._read_documents()
            elif char and char in also:
                self.place += 1
            else:
                return

    def _read_documents(self) -> None:
        waiting, self.pending = self.pending, []
        for index, end, literal, tabs, redirects in waiting:
            lines: list[str] = []
            while self.place < len(self.text):
                stop = self.text.find("\n", self.place)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[self.place : stop]
                self.place = min(stop + 1, len(self.text))
                if (line.lstrip("\t") if tabs else line).rstrip("\r") == end:
                    break
                lines.append(line.lstrip("\t") if tabs else line)
            else:
                self.place = len(self.text)
            body = "\n".join(lines) + "\n"
            redirects[index] = Redirect("<<", (Text(body, quoted=True),) if literal else self.words.quoted(body))

    def read_documents_at_end(self) -> None:
        """The here-documents of a last line that no line break ends."""
        if self.pending and self.place >= len(self.text):
            self._read_documents()

    def line_of_words(self) -> list[Word]:
        """The words up to what ends the line."""
        words: list[Word] = []
        while True:
            self.blanks()
            word, end = self.words.word(self.place)
            if end == self.place:
                return words
            words.append(word)
            self.place = end

    def expect(self, char: str) -> None:
        """Moves on over a character that must stand here."""
        if not self.text.startswith(char, self.place):
            raise ShellError(f"a `{char}` is missing")
        self.place += 1

    def expect_word(self, words: tuple[str, ...]) -> None:
        """Moves on over one of these words, of which one must stand here."""
        found = self.bare()
        if found not in words:
            raise ShellError(f"a `{words[0]}` is missing")
        self.place += len(found)


# Private


def _ends_assigning(word: Word) -> bool:
    last = word[-1]
    return isinstance(last, Text) and last.text.endswith("=") and is_name(last.text.rstrip("+="))
