"""The grammar of a shell (POSIX.1-2017 XCU 2.10, and bash's `[[`, `((`, `select`, `coproc`, `function`, `|&`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tidegate.agent.guard.shell.lexer import DEEPEST, Words
from tidegate.agent.guard.shell.source import Source
from tidegate.agent.guard.shell.values import Command, Group, Pipeline, Redirect, Run, Script, ShellError, Word

MOST_CHARACTERS = 200_000
_CLOSERS = frozenset(("then", "do", "done", "fi", "else", "elif", "esac", "}"))
_BRACKETS = re.compile(r"\([ \t]*\)")
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


class _Reader(Source):
    def __init__(self, text: str, place: int, depth: int) -> None:
        super().__init__(text, place, depth, self._inner, lambda inside: parse(inside, depth + 1))
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
        self.read_documents_at_end()
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
            self.expect(")")
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
        return self.simple()

    # Compound commands

    def _if(self) -> Group:
        made = self._until("then")
        while True:
            made += self.script(("elif", "else", "fi"))
            word = self.bare()
            self.expect_word(("elif", "else", "fi"))
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
            self.expect_word(("do", "{"))
            return self._grouped("for", script + self._until(closing))
        variable = self.bare()
        self.place += len(variable)
        self.lines()
        words: list[Word] = []
        if self.bare() == "in":
            self.place += 2
            words = self.line_of_words()
        self.lines(also=";")
        closing = "}" if self.bare() == "{" else "done"
        self.expect_word(("do", "{"))
        return self._grouped("for", self._until(closing), tuple(words), variable)

    def _case(self) -> Group:
        self.blanks()
        subject, self.place = self.words.word(self.place)
        words = [subject]
        self.lines()
        self.expect_word(("in",))
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
        brackets = _BRACKETS.match(self.text, self.place)
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

    def _grouped(self, kind: str, script: Script, words: tuple[Word, ...] = (), variable: str = "") -> Group:
        redirects: list[Redirect] = []
        self.blanks()
        while self.redirect(redirects):
            self.blanks()
        return Group(kind, script, words, tuple(redirects), variable=variable)

    def _until(self, word: str) -> Script:
        made = self.script((word,))
        self.expect_word((word,))
        return made

    def _inner(self, text: str, place: int) -> tuple[Script, int]:
        reader = _Reader(text, place, self.depth + 1)
        script = reader.script(())
        reader.blanks()
        reader.expect(")")
        return script, reader.place
