"""localhost in a tier's settings, once the other side lives elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from podweave.review.addresses import companion_port, usual_port
from podweave.review.facts import ContainerFacts

_LOCAL: Final = re.compile(
    r"(?<![\w.-])(?P<host>localhost|127\.0\.0\.1|\[::1\])(?![\w-])(?P<rest>[:,#](?P<port>\d{1,5})\b)?"
)
_SCHEME: Final = re.compile(r"([a-zA-Z][\w+.:]*)://(?:[^\s/@\"']*@)?$")


def rewrite_text(text: str, where: Callable[[int], str | None], context: str = "") -> str:
    """`text` with localhost:PORT replaced wherever `where(port)` names the host that has it now.

    `context` is the setting's name: DB_HOST=localhost has its port elsewhere.
    """

    def replaced(match: re.Match[str]) -> str:
        port = int(match["port"]) if match["port"] else 0
        if not port:
            scheme = _SCHEME.search(text[: match.start()])
            port = usual_port(scheme[1].lower() if scheme else "", context.lower())
        host = where(port) if port else None
        return match[0] if host is None else host + (match["rest"] or "")

    return _LOCAL.sub(replaced, text)


def rewrite_container(
    container: dict[str, Any], facts: ContainerFacts, where: Callable[[int], str | None]
) -> list[str]:
    """Rewrite a container's environment and arguments in place; says what was changed."""
    changed = []
    values = {env.name: env.value for env in facts.env if env.value}
    for env in container.get("env") or []:
        old = env.get("value") if isinstance(env, dict) else None
        if not isinstance(old, str):
            continue
        name = str(env.get("name"))
        port = companion_port(name, values)

        def by_name(found: int, port: int = port) -> str | None:
            return where(port or found)

        new = rewrite_text(old, by_name if port else where, name)
        if new != old:
            env["value"] = new
            changed.append(f"{facts.name}: {name}={new} (was {old})")
    for key in ("command", "args"):
        words = container.get(key)
        if not isinstance(words, list):
            continue
        for index, old in enumerate(words):
            if isinstance(old, str) and (new := rewrite_text(old, where)) != old:
                words[index] = new
                changed.append(f"{facts.name}: {key} {new[:80]} (was {old[:80]})")
    return changed
