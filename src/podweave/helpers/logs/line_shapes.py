r"""Shapes: what the parts of a line look like, as regular expressions with names.

Each takes no newline. The loose ones are for whole chunks, and cost `re` a fraction of the others.
"""

from __future__ import annotations

import re

SHAPES = {
    "NOTSPACE": rb"\S+",
    "WORD": rb"\w+",
    "INT": rb"(?:0|-?[1-9]\d{0,17})",
    "NUMBER": rb"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?",
    # Up to the quote that ends it, with escaped quotes inside.
    "SECONDS": rb"\d{1,9}\.\d{3,9}",
    "QUOTED": rb'[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)',
    "BRACKETED": rb"[^\]\n]*",
    "PARENTHESISED": rb"[^)\n]*",
    "LISTED": rb"[^,\n]*",
    "TABBED": rb"[^\t\n]*",
    "SPACED": rb"[^ \n]++",
    "INTORDASH": rb"(?:-|0|[1-9]\d{0,17})",
    "METHOD": rb"[A-Z]+",
    "URLPATH": rb'[^\s?"]+',
    "URLQUERY": rb'[^\s"]*',
    "HTTPVERSION": rb"\d(?:\.\d)?",
    # org.apache.catalina.core.ContainerBase.[Tomcat].[localhost].[/]
    "LOGGER": rb"[\w$][\w.$/\-\[\]@]*",
    "JAVACLASS": rb"(?:[a-z_]\w*\.)+[A-Z]\w*(?:\$\w+)*",
    "PYTHONLOGGER": rb"\w[\w.\-]*",
    "LOGLEVEL": rb"(?i:trace|debug|info|information|notice|warn|warning|error|err|severe|critical"
    rb"|crit|alert|fatal|emerg|panic|fine|finer|finest|config)",
    "PYTHONLEVEL": rb"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTSET)",
    "PGLEVEL": rb"(?:DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY"
    rb"|CONTEXT|LOCATION|STATEMENT)",
    "PGNAME": rb"(?:\[unknown\]|[\w.\-]+)",
    "KLOGLEVEL": rb"[IWEF]",
    "ADDRESS": rb"[0-9A-Fa-f.:]+?",
    "PRIORITY": rb"(?:0|[1-9]\d{0,2})",
    "SYSLOGTAG": rb"[^\s\[:]+",
    # Files without host names have the program there, with its colon.
    "SYSLOGHOST": rb"[^ \n]++(?<!:)",
    "STRUCTUREDDATA": rb'(?>(?:\[[^\]"\n]*+'
    rb'(?>(?:"[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)"[^\]"\n]*+)*)\])+)',
    "REST": rb"[^\n]*",
}

# The same for a chunk without escaped quotes, where a newline in a match is found out by
# counting: one excluded character costs `re` a fraction of what a class of them does.
LOOSE_SHAPES = {
    "NOTSPACE": (rb'[^\x00-\x20"\\]++', b" "),
    "SPACED": (rb"[^ ]++", b" "),
    "SYSLOGHOST": (rb"[^ ]++(?<!:)", b" "),
    "QUOTED": (rb'[^"]*+', b'"'),
    "BRACKETED": (rb"[^\]]*+", rb"\]"),
}
"""With the beginning of what follows in the pattern: elsewhere the exact shape is taken, since
the looser one would swallow a line's newline where the part stands at its end."""

# The same, wherever they stand: what they read needs no escaping in JSON, and the lines that they
# don't read are rare, and read again.
SAFE_SHAPES = {
    "NOTSPACE": rb'[^\x00-\x20"\\]+',
    "URLPATH": rb'[^\x00-\x20"\\?]+',
    "URLQUERY": rb'[^\x00-\x20"\\]*',
    "URL": rb'[^\x00-\x20"\\?][^\x00-\x20"\\]*',
}

# Texts of these shapes need no escaping where the loose pattern reads them.
SAFE = frozenset(
    (
        *("NOTSPACE", "METHOD", "URLPATH", "URLQUERY", "HTTPVERSION"),
        *("WORD", "LOGGER", "JAVACLASS", "PYTHONLOGGER", "INT", "NUMBER", "INTORDASH"),
    )
)
# What may stand between such parts of a field around them.
HARMLESS = re.compile(rb"(?:[A-Za-z0-9 /():?|,;=_-]|\\[?.()|])*")

_CATEGORIES = {rb"\d": b"0-9", rb"\w": b"A-Za-z0-9_", rb"\s": rb" \t\n\r\f\v"}


def spelled_out(pattern: bytes) -> bytes:
    r"""The same pattern without `\d`, `\w`, `\s` and `\S`, which cost `re` a call a character."""
    parts: list[bytes] = []
    place = 0
    inside = False
    while place < len(pattern):
        part = pattern[place : place + 1]
        if part == b"\\":
            part = pattern[place : place + 2]
            characters = _CATEGORIES.get(part)
            if characters is not None:
                parts.append(characters if inside else b"[" + characters + b"]")
            elif part == rb"\S" and not inside:
                parts.append(b"[^" + _CATEGORIES[rb"\s"] + b"]")
            else:
                parts.append(part)
            place += 2
            continue
        if inside:
            inside = part != b"]"
        elif part == b"[":
            inside = True
            # A bracket right at the beginning of a class is one of its characters.
            for first in (b"[^]", b"[]", b"[^"):
                if pattern.startswith(first, place):
                    part = first
                    break
        parts.append(part)
        place += len(part)
    return b"".join(parts)
