"""What an assertion leaves open, by its text: a tolerance, values that it does not look at, a broad exception."""

from __future__ import annotations

import re

from tidegate.verify.suite.values import Assertion


def tolerance(one: Assertion) -> float:
    """How far a value may be from the one that is expected, 0 where the assertion names no tolerance."""
    if one.limit:
        return one.limit
    text = one.text
    if found := _DIGITS.search(text):
        digits = float(found["digits"] or found["places"] or found["rounded"] or 2)
        return 10.0**-digits if digits < 300 else 0.0
    if found := _NAMED.search(text) or _LAST.search(text) or _BELOW.search(text):
        return _number(found["value"])
    return _delta(text)


def without_tolerance(text: str) -> str:
    """A text without the tolerances that it names."""
    return re.sub(r",\s*" + _NAMED.pattern.replace("?P<value>", "?:"), "", text)


def wildcards(one: Assertion) -> int:
    """How many places of what is expected take any value."""
    return len(_ANYTHING.findall(one.text))


def fields(text: str) -> frozenset[str]:
    """The names of the fields of a literal of an object, of a dict or of named arguments; nothing of other texts."""
    found = _LITERAL.search(text)
    return frozenset(name.strip("\"'") for name in _FIELD.findall(found[0])) if found else frozenset()


def thrown(one: Assertion) -> tuple[str, str]:
    """What must throw and the exception that it must throw, ("", "") of another assertion. "" is any exception."""
    if found := _THROWS_IN_JAVA.search(one.text):
        return found["body"], "" if found["wanted"] in _BROAD else found["wanted"]
    if found := _THROWS.search(one.text):
        wanted = found["wanted"] or found["ruby"] or ""
        return found["what"] or one.subject, "" if wanted in _BROAD else wanted
    return "", ""


# Private

_VALUE = r"(?P<value>\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?)[fFdD]?"
_DIGITS = re.compile(
    r"toBeCloseTo\([^()]*?(?:,(?P<digits>\d+))?\)$|assert_?[aA]lmost_?[eE]quals?\(.+,.+,\s*(?P<places>\d+)\)$"
    r"|\bround\((?:[^()]|\([^()]*\))*,\s*(?P<rounded>\d+)\)"
)
_NAMED = re.compile(
    r"\b(?:rel|abs|rtol|atol|delta|rel_tol|abs_tol|tolerance|tol|eps|epsilon|max_relative)\s*[=:]\s*" + _VALUE
)
_LAST = re.compile(
    r"(?:approximately\(.+,|closeTo\(.+,|within\(|offset\(|withPercentage\(|byLessThan\()" + _VALUE + r"\)"
)
_DELTA = re.compile(r"(?:InDelta|InEpsilon|assert_in_delta|assertArrayEquals|assertEquals)f?[( ]?(?P<given>.*?)\)?;?$")
_BELOW = re.compile(r"(?:\babs\(|\.abs\(\)|Math\.abs\().*?<=?\s*" + _VALUE + r"\)?$")
_ANYTHING = re.compile(
    r"\bANY\b|expect\.(?:any|anything)\(|expect\.\w+Containing\(|mock\.Anything|(?<![\w.])any(?:String|Int|Long|Object)?\(\)"
    r"|sinon\.match\.any|\banything\b|\bkind_of\(|\ban_instance_of\(|\binstance_of\("
)
_LITERAL = re.compile(r"\{.*\}|\bdict\(.*\)|hash_including\(.*\)|include\(.*\)", re.DOTALL)
_FIELD = re.compile(r"(?<=[{,(])\s*(\w+|\"[^\"]*\"|'[^']*')\s*(?::|=>|=(?!=))")
_BROAD = ("", "Error", "Exception", "Throwable", "StandardError", "RuntimeException", "BaseException")
_THROWS_IN_JAVA = re.compile(r"assertThrows(?:Exactly)?\((?P<wanted>[\w.]+)\.class,(?P<body>.*)\)$", re.DOTALL)
_THROWS = re.compile(
    r"\.(?:toThrow|toThrowError|throws?)\((?P<wanted>.*?)\)$|"
    r"^(?P<what>expect.*)\.to\(?raise_error(?:\(?(?P<ruby>\w.*?)\)?)?$",
    re.DOTALL,
)


def _delta(text: str) -> float:
    """The third of three values that are compared; a whole number may be something else in `assertEquals`."""
    found = _DELTA.search(text)
    depth, given = 0, [""]
    for sign in found["given"] if found else "":
        depth += (sign in "([{") - (sign in ")]}")
        given[-1:] = [given[-1], ""] if sign == "," and not depth else [given[-1] + sign]
    third = next((one for one in given[2:] if re.fullmatch(_VALUE, one.strip())), "")
    plain = "Equals" in text and not re.search(r"[.eE]", third)
    return 0.0 if plain or not third else _number(third.strip().rstrip("fFdD"))


def _number(text: str) -> float:
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return 0.0
