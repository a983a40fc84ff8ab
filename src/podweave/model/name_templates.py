"""Names made of a Pod's and of a time, as stores take them: `logs-{namespace}-%Y.%m.%d`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_POD_NAMES: Final = ("namespace", "pod", "uid", "node", "service")
_CODES: Final = "YmdHMSjGVy"
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_NOT_OF_AN_INDEX: Final = '"*\\<|,>/?#:'
_CODE: Final = re.compile(r"%(.?)", re.DOTALL)


def template_problem(text: str, others: Sequence[str] = (), *, dated: bool = False) -> str | None:
    """What is wrong in a template; or None. `others` are names beside those of a Pod, `dated`
    allows strftime's codes."""
    known = (*_POD_NAMES, *others)
    for name in _PLACE.findall(text):
        if name not in known and not (name.startswith("label:") and len(name) > len("label:")):
            names = ", ".join(f"{{{each}}}" for each in (*known, "label:NAME"))
            return f"there is no {{{name}}}: there is {names}"
    literal = literal_of(text)
    if "{" in literal or "}" in literal:
        return f"{text!r} has a brace without its counterpart"
    for code in _CODE.findall(literal) if dated else ():
        if code != "%" and (not code or code not in _CODES):
            codes = ", ".join(f"%{each}" for each in _CODES)
            return f"there is no %{code}: there is {codes} and %%"
    return None


def literal_of(text: str) -> str:
    """The template without the names in it. Its parts stay apart."""
    return _PLACE.sub("\0", text)


def index_problem(text: str, *, dated: bool) -> str | None:
    """What keeps a template from making names of indices of Elasticsearch; or None."""
    if problem := template_problem(text, dated=dated):
        return problem
    # Codes of a time become digits, so their capitals are none.
    literal = _CODE.sub("", literal_of(text)) if dated else literal_of(text)
    if text[:1] in ("-", "_", "+", "."):
        return f"{text!r}: the name of an index doesn't begin with {text[0]}"
    if literal != literal.lower() or any(char in f" {_NOT_OF_AN_INDEX}" for char in literal):
        return f"{text!r} is no name of an index: lower case, no spaces, none of {_NOT_OF_AN_INDEX}"
    return None
