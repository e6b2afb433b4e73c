"""The little language of ofctl/schema.def, as 'xvs-ofctl COMMAND --help' shows it, and whether a value is of it."""
import json
import re

TOKEN = re.compile(r"\s*([A-Za-z_]+|[*?:,{}\[\]|])")


class Schema:
    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text
        self.at = 0
        self.root = self.choice()
        assert self.at == len(self.tokens), f"left over in {text}: {self.tokens[self.at:]}"

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.peek()
        assert token is not None and wanted in (None, token), f"{wanted} is wanted, not {token}"
        self.at += 1
        return token

    def choice(self):
        kinds = [self.one()]
        while self.peek() == "|":
            self.take()
            kinds.append(self.one())
        return ("choice", kinds) if len(kinds) > 1 else kinds[0]

    def one(self):
        if self.peek() == "[":
            self.take()
            inner = self.choice()
            self.take("]")
            return ("list", inner)
        if self.peek() == "{":
            return self.object()
        return ("word", self.take())

    def object(self):
        members = {}
        self.take("{")
        while self.peek() != "}":
            name, optional = self.take(), False
            if self.peek() == "?":
                self.take()
                optional = True
            self.take(":")
            members[name] = (optional, self.choice())
            if self.peek() == ",":
                self.take()
        self.take("}")
        return ("object", members)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


WORDS = {
    "text": lambda v: isinstance(v, str),
    "number": is_number,
    "bool": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "count": lambda v: v is None or is_number(v),
    "seconds": lambda v: v is None or is_number(v),
    "port": lambda v: isinstance(v, (int, str)) and not isinstance(v, bool),
}


def fault(kind, value, where="answer"):
    """What is wrong, or None."""
    what, inner = kind
    if what == "word":
        return None if WORDS[inner](value) else f"{where}: {value!r} is no {inner}"
    if what == "choice":
        faults = [fault(k, value, where) for k in inner]
        return None if None in faults else faults[0]
    if what == "list":
        if not isinstance(value, list):
            return f"{where}: {value!r} is no list"
        return next(filter(None, (fault(inner, v, f"{where}[{i}]") for i, v in enumerate(value))), None)
    if not isinstance(value, dict):
        return f"{where}: {value!r} is no object"
    if "*" in inner:
        return next(filter(None, (fault(inner["*"][1], v, f"{where}.{k}") for k, v in value.items())), None)
    missing = [k for k, (optional, _) in inner.items() if not optional and k not in value]
    unknown = [k for k in value if k not in inner]
    if missing or unknown:
        return f"{where}: missing {missing}, not in the schema {unknown}"
    return next(filter(None, (fault(inner[k][1], v, f"{where}.{k}") for k, v in value.items())), None)


def schema_of(help_text):
    """(schema, whether it is an object a line), from a command's --help."""
    found = re.search(r"^With -f json(, a line each)?: (.*)$", help_text, re.M)
    return (Schema(found[2]), bool(found[1])) if found else (None, False)


def check(help_text, output):
    schema, lines = schema_of(help_text)
    assert schema, f"no schema: {help_text}"
    texts = output.splitlines() if lines else [output]
    assert texts, "no answer"
    for text in texts:
        wrong = fault(schema.root, json.loads(text))
        assert not wrong, f"{wrong}\n{text[:1000]}"
