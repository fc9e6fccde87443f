"""GitHub's expressions, `${{ … }}`: the operators, contexts and functions that its documentation names, and no others.

Comparison is GitHub's: strings without regard to case, unequal types as numbers; what a context does not hold is null.
"""

import hashlib
import json
import pathlib
import re

TOKEN = re.compile(
    r"\s*(?:(?P<number>0x[0-9a-fA-F]+|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'(?P<string>(?:[^']|'')*)'"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<op>\|\||&&|==|!=|<=|>=|[<>!()\[\].,*]))"
)


class Wrong(ValueError):
    """An expression that is not understood, or that means nothing."""


def tokens(text):
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if not match:
            raise Wrong(f"{text!r}: not understood from {text[at:]!r} on")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found + [("end", "")]


class Expression:
    """Recursive descent over the tokens, evaluated as it goes."""

    def __init__(self, text, contexts, functions):
        self.text, self.tokens, self.at = text, tokens(text), 0
        self.contexts, self.functions = contexts, functions

    def value(self):
        value = self.either()
        if self.tokens[self.at][0] != "end":
            raise Wrong(f"{self.text!r}: not understood from {self.tokens[self.at][1]!r} on")
        return value

    def take(self, *wanted):
        kind, text = self.tokens[self.at]
        if kind == "op" and text in wanted:
            self.at += 1
            return text
        return None

    def must(self, wanted):
        if not self.take(wanted):
            raise Wrong(f"{self.text!r}: {wanted!r} is missing")

    def either(self):
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value if truth(value) else other
        return value

    def both(self):
        value = self.compared()
        while self.take("&&"):
            other = self.compared()
            value = other if truth(value) else value
        return value

    def compared(self):
        value = self.negated()
        while operator := self.take("==", "!=", "<", "<=", ">", ">="):
            value = compare(operator, value, self.negated())
        return value

    def negated(self):
        return not truth(self.negated()) if self.take("!") else self.reached()

    def reached(self):
        value = self.atom()
        while True:
            if self.take("."):
                kind, name = self.tokens[self.at]
                if kind != "name":
                    raise Wrong(f"{self.text!r}: a name is missing after '.'")
                self.at += 1
                value = self.look(value, name)
            elif self.take("["):
                value = self.look(value, self.either())
                self.must("]")
            else:
                return value

    @staticmethod
    def look(value, name):
        if isinstance(value, dict):
            return value.get(name)
        return value[int(name)] if isinstance(value, list) and 0 <= int(name) < len(value) else None

    def atom(self):
        kind, text = self.tokens[self.at]
        self.at += 1
        match kind:
            case "number":
                return float(int(text, 16)) if text.startswith("0x") else float(text)
            case "string":
                return text.replace("''", "'")
            case "op" if text == "(":
                value = self.either()
                self.must(")")
                return value
            case "name" if self.take("("):
                return self.call(text)
            case "name" if text in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text]
            case "name" if text in self.contexts:
                return self.contexts[text]
        raise Wrong(f"{self.text!r}: {text!r} is not known here")

    def call(self, name):
        given = []
        while not self.take(")"):
            given.append(self.either())
            if not self.take(","):
                self.must(")")
                break
        known = {**FUNCTIONS, **self.functions}
        if name not in known:
            raise Wrong(f"{self.text!r}: function {name} is not known here")
        return known[name](*given)


def truth(value):
    return value not in (None, False, "", 0, 0.0)


def number(value):
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def compare(operator, first, second):
    if isinstance(first, str) and isinstance(second, str):
        first, second = first.lower(), second.lower()
    elif type(first) is not type(second):
        first, second = number(first), number(second)
    return {
        "==": lambda: first == second,
        "!=": lambda: first != second,
        "<": lambda: first < second,
        "<=": lambda: first <= second,
        ">": lambda: first > second,
        ">=": lambda: first >= second,
    }[operator]()


def text(value):
    """A value as it stands in a string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return json.dumps(value, indent=2) if isinstance(value, (dict, list)) else str(value)


def contains(where, what):
    if isinstance(where, list):
        return any(compare("==", one, what) for one in where)
    return text(what).lower() in text(where).lower()


def filled(pattern, *given):
    return re.sub(r"\{(\d+)\}", lambda found: text(given[int(found.group(1))]), text(pattern))


FUNCTIONS = {
    "contains": contains,
    "startsWith": lambda where, what: text(where).lower().startswith(text(what).lower()),
    "endsWith": lambda where, what: text(where).lower().endswith(text(what).lower()),
    "format": filled,
    "join": lambda all, by=",": by.join(text(one) for one in all),
    "toJSON": lambda value: json.dumps(value, indent=2),
    "fromJSON": lambda value: json.loads(value),
}


def hash_files(workspace, *patterns):
    """GitHub's: a digest of the digests of what matches, or nothing."""
    found = sorted({path for pattern in patterns for path in pathlib.Path(workspace).glob(pattern) if path.is_file()})
    digests = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in found)
    return hashlib.sha256(digests).hexdigest() if found else ""


def substitute(value, contexts, functions):
    """Every `${{ … }}` in a value, or in what it holds."""
    if isinstance(value, dict):
        return {key: substitute(one, contexts, functions) for key, one in value.items()}
    if isinstance(value, list):
        return [substitute(one, contexts, functions) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\s*\$\{\{(.*?)\}\}\s*", value, re.DOTALL)
    if whole and "${{" not in whole.group(1):
        return Expression(whole.group(1), contexts, functions).value()
    put = lambda found: text(Expression(found.group(1), contexts, functions).value())  # noqa: E731
    return re.sub(r"\$\{\{(.*?)\}\}", put, value, flags=re.DOTALL)


STATUS = re.compile(r"\b(success|failure|always|cancelled)\s*\(")


def condition(value, contexts, functions):
    """Whether an `if` holds; without a status function it is `success() && (…)`."""
    if value is None:
        return functions["success"]()
    inner = str(value).strip()
    if inner.startswith("${{") and inner.endswith("}}"):
        inner = inner[3:-2]
    holds = truth(Expression(inner, contexts, functions).value())
    return holds if STATUS.search(inner) else holds and functions["success"]()
