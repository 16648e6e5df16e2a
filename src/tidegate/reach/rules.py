"""How an edge can come about. A rule is one line here; its probability is fitted on recorded runs (`fitted`)."""

from __future__ import annotations

from msgspec import Struct


class Rule(Struct, frozen=True):
    """One way in which a symbol uses another. `words` read: "A WORDS B".

    `virtual`: the edge is taken only where an instance of the target's class can exist. `makes`: the target class is
    instantiated. `runs`: taking the edge can execute the target; the others matter to people and not to tests.
    """

    name: str
    words: str
    virtual: bool = False
    makes: bool = False
    runs: bool = True


RULES: tuple[Rule, ...] = (
    Rule("call", "calls"),
    Rule("super", "calls the inherited"),
    Rule("dispatch", "calls", virtual=True),
    Rule("method", "calls a method of"),
    Rule("make", "makes a", makes=True),
    Rule("construct", "is made by"),
    Rule("special", "answers to the language with", virtual=True),
    Rule("framework", "is called back by a base from outside in", virtual=True),
    Rule("name", "may call, by its name,", virtual=True),
    Rule("outside-name", "may call, through something from outside,", virtual=True),
    Rule("by-name", "calls by a name in"),
    Rule("property", "reads the property"),
    Rule("pass", "hands over"),
    Rule("pass-class", "hands over the class", makes=True),
    Rule("escape", "hands an instance to the outside, which may call", virtual=True),
    Rule("mention", "mentions", runs=False),
    Rule("variable", "reads"),
    Rule("value", "holds the value of"),
    Rule("decorate", "is decorated with"),
    Rule("register", "registers"),
    Rule("inside", "contains", makes=True),
    Rule("inherit", "inherits from", runs=False),
    Rule("type", "has the type", runs=False),
    Rule("fixture", "uses the fixture"),
    Rule("set-up", "is set up by"),
    Rule("own", "is the test of"),
    Rule("module", "is loaded with", runs=False),
    Rule("import", "imports", runs=False),
    Rule("load", "loads"),
    Rule("text", "names in a text"),
    Rule("package", "uses"),
)
NUMBER = {rule.name: number for number, rule in enumerate(RULES)}
