"""Names made of a Pod's and of a time: of an index, of an object, of a label.

`{namespace}`, `{pod}`, `{uid}`, `{node}`, `{service}` (the workload, as the Pod's name tells it),
`{file}` (the log file's path), `{label:NAME}` (a label of the Pod), and where a time has a meaning
strftime's numbers of it in UTC: `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`, `%j`, `%G`, `%V`, `%y`. What a
Pod doesn't have becomes nothing; `%%` is a percent sign.
"""

from __future__ import annotations

import re
import time

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.pod_metadata import workload_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podweave.helpers.logs.delivery.origin import Origin

POD_NAMES = ("namespace", "pod", "uid", "node", "service")
_CODES = "YmdHMSjGVy"
_PLACE = re.compile(r"\{([^{}]*)\}")


class NameTemplate:
    """`text` with the names in braces, and the codes of a time, replaced."""

    __slots__ = ("_parts", "dated", "text")

    def __init__(
        self, text: str, where: str, others: Sequence[str] = (), *, dated: bool = False
    ) -> None:
        """`others` are names beside those of a Pod; `dated` allows strftime's codes.

        ConfigurationError at `where` for what has no meaning.
        """
        self.text = text
        known = (*POD_NAMES, *others)
        # Literal, name, literal, …, literal.
        self._parts = _PLACE.split(text)
        for name in self._parts[1::2]:
            if name not in known and not (name.startswith("label:") and len(name) > 6):
                names = ", ".join(f"{{{each}}}" for each in (*known, "label:NAME"))
                raise ConfigurationError(where, f"has {{{name}}}; there is {names}")
        self.dated = False
        for number, literal in enumerate(self._parts[::2]):
            if "{" in literal or "}" in literal:
                raise ConfigurationError(where, f"{text!r} has a brace without its counterpart")
            if dated:
                self.dated |= _has_codes(literal, where)
            else:
                self._parts[number * 2] = literal.replace("%", "%%")

    def fill(self, values: Mapping[str, str], seconds: float = 0.0) -> str:
        """`seconds`: Unix time for the codes."""
        parts = list(self._parts)
        parts[1::2] = [values.get(name, "") for name in parts[1::2]]
        moment = time.gmtime(seconds) if self.dated else None
        for number in range(0, len(parts), 2):
            literal = parts[number]
            if "%" in literal:
                if moment is None:
                    parts[number] = literal.replace("%%", "%")
                else:
                    parts[number] = time.strftime(literal, moment)
        return "".join(parts)


def _has_codes(literal: str, where: str) -> bool:
    found = False
    position = literal.find("%")
    while position >= 0:
        code = literal[position + 1 : position + 2]
        if code != "%":
            if not code or code not in _CODES:
                known = ", ".join(f"%{each}" for each in _CODES)
                raise ConfigurationError(where, f"has %{code}; there is {known} and %%")
            found = True
        position = literal.find("%", position + 2)
    return found


def pod_values(origin: Origin) -> dict[str, str]:
    """The names of a Pod, for `fill`."""
    pod = origin.kubernetes.get("pod") or {}
    values = {f"label:{name}": str(value) for name, value in (pod.get("labels") or {}).items()}
    values.update(
        namespace=origin.namespace,
        pod=origin.pod,
        uid=origin.uid,
        node=origin.node,
        service=workload_of(origin.pod),
    )
    return values


def file_name(path: str) -> str:
    """A path as text that can be sent: what is no UTF-8 in it stays visible."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
