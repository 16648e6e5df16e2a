"""The grammar of a shell (POSIX.1-2017 XCU 2.10, and bash's `[[`, `((`, `select`, `coproc`, `function`, `|&`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tidegate.agent.guard.shell.lexer import DEEPEST, Words, is_name
from tidegate.agent.guard.shell.values import (
    Command,
    Group,
    Pipeline,
    Redirect,
    Run,
    Script,
    ShellError,
    Text,
    Variable,
    Word,
)

MOST_CHARACTERS = 200_000
_REDIRECT = re.compile(r"(?:\d+|\{\w+\})?(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<(?!\()|>(?!\())")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^=\n;|&]*\])?\+?=")
_CLOSERS = frozenset(("then", "do", "done", "fi", "else", "elif", "esac", "}"))
_FUNCTION = re.compile(r"([^\s()<>|&;$`'\"]+)[ \t]*\([ \t]*\)")


def parse(text: str, depth: int = 0) -> Script:
    """What a shell would make of this text. Raises ShellError where it cannot be read to its end."""
    if len(text) > MOST_CHARACTERS:
        raise ShellError("the script is too long to be read")
    if depth > DEEPEST:
        raise ShellError("the script is nested too deep to be read")
    reader = _Reader(text, 0, depth)
    script = reader.script(())
    reader.blanks()
    if reader.place < len(text):
        raise ShellError(f"there is an unexpected {text[reader.place]!r}")
    return script


# Private


class _Reader:
    def __init__(self, text: str, place: int, depth: int) -> None:
        if depth > DEEPEST:
            raise ShellError("the script is nested too deep to be read")
        self.text = text
        self.place = place
        self.depth = depth
        self.words = Words(text, self._inner, lambda inside: parse(inside, depth + 1))
        self._compound: Mapping[str, Callable[[], Group]] = {
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "select": self._for,
            "case": self._case,
            "function": self._function,
        }
        self.pending: list[tuple[int, str, bool, bool, list[Redirect]]] = []

    def script(self, closers: tuple[str, ...]) -> Script:
        """Pipelines up to one of these words, or to a closing bracket."""
        made: list[Pipeline] = []
        while True:
            self.lines()
            if self.place >= len(self.text) or self.text[self.place] == ")":
                break
            word = self.bare()
            if word in closers or (self.text.startswith(";;", self.place) and ";;" in closers):
                break
            if word in _CLOSERS:
                raise ShellError(f"there is an unexpected `{word}`")
            made.append(self.pipeline())
            self.blanks()
            if not self._separator(closers):
                break
        self._read_documents_at_end()
        return tuple(made)

    def _separator(self, closers: tuple[str, ...]) -> bool:
        text, place = self.text, self.place
        if text.startswith(("&&", "||"), place):
            self.place += 2
            return True
        if text.startswith(";;", place):
            return ";;" in closers
        if place < len(text) and text[place] in ";&":
            self.place += 1
            return True
        if place < len(text) and text[place] == "\n":
            return True
        if place < len(text) and text[place] != ")" and self.bare() not in closers:
            raise ShellError(f"there is an unexpected {text[place]!r}")
        return place < len(text) and text[place] != ")"

    def pipeline(self) -> Pipeline:
        made: list[Command | Group] = []
        while True:
            self.lines() if made else self.blanks()
            while self.bare() in ("!", "time", "coproc"):
                self.place += len(self.bare())
                self.blanks()
                while self.bare() == "-p":
                    self.place += 2
                    self.blanks()
            made.append(self.command())
            self.blanks()
            if self.text.startswith("||", self.place) or not self.text.startswith("|", self.place):
                return tuple(made)
            self.place += 2 if self.text.startswith("|&", self.place) else 1

    def command(self) -> Command | Group:
        text = self.text
        if text.startswith("((", self.place):
            script = self._arithmetic(self.place)
            if script is not None:
                return self._grouped("arithmetic", script)
        if text.startswith("(", self.place):
            self.place += 1
            script = self.script(())
            self._expect(")")
            return self._grouped("subshell", script)
        word = self.bare()
        reader = self._compound.get(word)
        if reader is not None:
            self.place += len(word)
            return reader()
        if word == "{":
            self.place += 1
            return self._grouped("braces", self._until("}"))
        if word == "[[":
            return self._test()
        function = _FUNCTION.match(text, self.place)
        if function is not None:
            self.place = function.end()
            return self._body(function[1])
        return self._simple()

    # Compound commands

    def _if(self) -> Group:
        made = self._until("then")
        while True:
            made += self.script(("elif", "else", "fi"))
            word = self.bare()
            self._expect_word(("elif", "else", "fi"))
            if word == "fi":
                return self._grouped("if", made)
            if word == "elif":
                made += self._until("then")

    def _while(self) -> Group:
        return self._grouped("while", self._until("do") + self._until("done"))

    def _for(self) -> Group:
        self.blanks()
        if self.text.startswith("((", self.place):
            script = self._arithmetic(self.place) or ()
            self.lines(also=";")
            closing = "}" if self.bare() == "{" else "done"
            self._expect_word(("do", "{"))
            return self._grouped("for", script + self._until(closing))
        variable = self.bare()
        self.place += len(variable)
        self.lines()
        words: list[Word] = []
        if self.bare() == "in":
            self.place += 2
            words = self._line_of_words()
        self.lines(also=";")
        closing = "}" if self.bare() == "{" else "done"
        self._expect_word(("do", "{"))
        return self._grouped("for", self._until(closing), tuple(words), variable)

    def _case(self) -> Group:
        self.blanks()
        subject, self.place = self.words.word(self.place)
        words = [subject]
        self.lines()
        self._expect_word(("in",))
        made: Script = ()
        while True:
            self.lines()
            if self.bare() == "esac":
                self.place += 4
                return self._grouped("case", made, tuple(words))
            if self.place >= len(self.text):
                raise ShellError("a `case` is never closed")
            self._pattern(words)
            made += self.script((";;", "esac"))
            if self.text.startswith(";;", self.place):
                self.place += 3 if self.text.startswith(";;&", self.place) else 2

    def _pattern(self, words: list[Word]) -> None:
        if self.text.startswith("(", self.place):
            self.place += 1
        while not self.text.startswith(")", self.place):
            before = self.place
            self.blanks()
            word, self.place = self.words.word(self.place)
            words.append(word)
            self.blanks()
            if self.text.startswith("|", self.place):
                self.place += 1
            if self.place == before:
                raise ShellError("a pattern of a `case` cannot be read")
        self.place += 1

    def _function(self) -> Group:
        self.blanks()
        name = self.bare().removesuffix("()")
        self.place += len(name)
        self.blanks()
        brackets = re.compile(r"\([ \t]*\)").match(self.text, self.place)
        self.place = brackets.end() if brackets else self.place
        return self._body(name)

    def _body(self, name: str) -> Group:
        self.lines()
        if self.bare() in _CLOSERS or self.place >= len(self.text):
            raise ShellError(f"the function {name} has no body")
        body = self.command()
        return Group("function", ((body,),), name=name)

    def _test(self) -> Group:
        """`[[ ... ]]` runs nothing but what its words run."""
        self.place += 2
        words: list[Word] = []
        while self.place < len(self.text):
            self.lines()
            if self.bare() == "]]":
                self.place += 2
                return self._grouped("test", (), tuple(words))
            word, end = self.words.word(self.place)
            words.append(word)
            self.place = max(end, self.place + 1) if not word else end
        raise ShellError("a `[[` is never closed")

    def _arithmetic(self, place: int) -> Script | None:
        """What runs inside `((...))`; None where these are two subshells."""
        word, end = Words(f"${self.text[place:]}", self._inner, lambda text: parse(text, self.depth + 1)).word(0)
        if not self.text.startswith("))", place + end - 3):
            return None
        self.place = place + end - 1
        return tuple(pipe for part in word if isinstance(part, Run) for pipe in part.script)

    # Simple commands

    def _simple(self) -> Command:
        assigned: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.blanks()
            if self._redirect(redirects):
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

    def _redirect(self, redirects: list[Redirect]) -> bool:
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

    def _grouped(self, kind: str, script: Script, words: tuple[Word, ...] = (), variable: str = "") -> Group:
        redirects: list[Redirect] = []
        self.blanks()
        while self._redirect(redirects):
            self.blanks()
        return Group(kind, script, words, tuple(redirects), variable=variable)

    # Places in the text

    def bare(self) -> str:
        """The word that starts here as it is written, without moving on."""
        found = re.compile(r"[^\s;&|<>()]+").match(self.text, self.place)
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

    def _read_documents_at_end(self) -> None:
        if self.pending and self.place >= len(self.text):
            self._read_documents()

    def _line_of_words(self) -> list[Word]:
        words: list[Word] = []
        while True:
            self.blanks()
            word, end = self.words.word(self.place)
            if end == self.place:
                return words
            words.append(word)
            self.place = end

    def _until(self, word: str) -> Script:
        made = self.script((word,))
        self._expect_word((word,))
        return made

    def _expect(self, char: str) -> None:
        if not self.text.startswith(char, self.place):
            raise ShellError(f"a `{char}` is missing")
        self.place += 1

    def _expect_word(self, words: tuple[str, ...]) -> None:
        found = self.bare()
        if found not in words:
            raise ShellError(f"a `{words[0]}` is missing")
        self.place += len(found)

    def _inner(self, text: str, place: int) -> tuple[Script, int]:
        reader = _Reader(text, place, self.depth + 1)
        script = reader.script(())
        reader.blanks()
        reader._expect(")")
        return script, reader.place


def _ends_assigning(word: Word) -> bool:
    last = word[-1]
    return isinstance(last, Text) and last.text.endswith("=") and is_name(last.text.rstrip("+="))
