"""The generated parts of the pages: between `<!-- NAME -->` and `<!-- /NAME -->`.

A setting or a format that isn't documented can't stay so: the tests compare the pages with what
this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from podweave.helpers.ambassador.http.metrics import HttpMetrics
from podweave.helpers.ambassador.metrics import Metrics
from podweave.helpers.logs.adapter_metrics import AdapterMetrics
from podweave.helpers.logs.fields import FIELDS
from podweave.helpers.logs.formats.catalogue import ALIASES, load_all
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.sidecar_metrics import SidecarMetrics
from podweave.helpers.wire.prometheus import Registry
from podweave.model.schema import schema

DOCS = Path(__file__).parent
SHOWN = 160


def fields_of(kind: str) -> str:
    """A table of every field of a pattern kind, with its whole path."""
    definitions = schema()["$defs"]
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]

    def walk(name: str, path: str) -> None:
        definition = definitions[name]
        required = definition.get("required", [])
        for field, content in definition["properties"].items():
            if field in ("apiVersion", "kind"):
                continue
            place = f"{path}{field}"
            inner, suffix = target(content)
            said = content.get("description") or definitions.get(inner or "", {}).get(
                "description", ""
            )
            default = "required" if field in required else shown(content.get("default"))
            rows.append(
                f"| `{place}{suffix}` | {type_of(content)} | {default} | {one_line(said)} |"
            )
            if inner is not None:
                walk(inner, f"{place}{suffix}.")

    walk(kind, "")
    return "\n".join(rows)


def target(content: dict[str, Any]) -> tuple[str | None, str]:
    """The struct that a field holds, and what stands behind its name: `[]` or `.NAME`."""
    for choice in (content, *content.get("anyOf", ())):
        if "$ref" in choice:
            return choice["$ref"].rpartition("/")[2], ""
        if "items" in choice:
            inner, _ = target(choice["items"])
            return inner, "[]"
        extra = choice.get("additionalProperties")
        if isinstance(extra, dict) and "$ref" in extra:
            return extra["$ref"].rpartition("/")[2], ".NAME"
    return None, ""


def type_of(content: dict[str, Any]) -> str:
    if "enum" in content:
        return ", ".join(f"`{value}`" for value in content["enum"])
    if "anyOf" in content:
        kinds = dict.fromkeys(type_of(choice) for choice in content["anyOf"])
        # A list last: what follows would seem to be of its items.
        ordered = sorted(kinds, key=lambda kind: kind.startswith("list of"))
        return " or ".join(kind for kind in ordered if kind != "null")
    if "$ref" in content:
        return "mapping"
    kind = str(content.get("type", "any"))
    if kind == "array":
        return f"list of {type_of(content['items'])}"
    return {"object": "mapping", "integer": "whole number"}.get(kind, kind)


def shown(default: Any) -> str:
    return "" if default in (None, {}, "") else f"`{default}`"


def one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def formats() -> str:
    rows = ["| format | also called | a line of it |", "|---|---|---|"]
    for each in load_all():
        others = ", ".join(f"`{alias}`" for alias, name in ALIASES.items() if name == each.name)
        sample = each.samples[0][0].split(b"\n")[0].decode().replace("|", "\\|")
        rows.append(f"| `{each.name}` | {others} | `{shortened(sample)}` |")
    return "\n".join(rows)


def shortened(sample: str) -> str:
    """As much of a line as a table's cell takes."""
    text = sample.replace("\t", " ").replace("\ufeff", "")
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip("\\") + "…"


def neutral_fields() -> str:
    """Where each neutral field stands in each schema."""
    names = [name for name in schemas.NAMES if name != "flat"]
    rows = [
        f"| field | type | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for field, kind in FIELDS.items():
        places = [f"`{schemas.load(name).place(field)}`" for name in names]
        rows.append(f"| `{field}` | {kind} | {' | '.join(places)} |")
    return "\n".join(rows)


def ambassador_metrics() -> str:
    return metrics_of(Metrics().registry)


def http_metrics() -> str:
    registry = Registry()
    HttpMetrics(registry)
    return metrics_of(registry)


def sidecar_metrics() -> str:
    return metrics_of(SidecarMetrics().registry)


def adapter_metrics() -> str:
    return metrics_of(AdapterMetrics().registry)


def metrics_of(registry: Registry) -> str:
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for family in registry.families():
        labels = ", ".join(f"`{name}`" for name in family.label_names)
        rows.append(f"| `{family.name}` | {family.kind} | {labels} | {one_line(family.help)} |")
    return "\n".join(rows)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "patterns.md": {
        "ambassador": lambda: fields_of("Ambassador"),
        "adapter": lambda: fields_of("Adapter"),
        "sidecar": lambda: fields_of("Sidecar"),
    },
    "ambassador.md": {"ambassador-metrics": ambassador_metrics, "http-metrics": http_metrics},
    "formats.md": {
        "formats": formats,
        "fields": neutral_fields,
        "adapter-metrics": adapter_metrics,
    },
    "stores.md": {"sidecar-metrics": sidecar_metrics},
}


def generated(page: str, text: str) -> str:
    """The page with its generated parts as the code has them."""
    for name, make in PARTS[page].items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{page}: no part between {begin.strip()} and {end}")
        text = f"{before}{begin}{make()}\n{end}{after}"
    return text


def main(check: bool) -> int:
    stale = []
    for page in PARTS:
        path = DOCS / page
        text = path.read_text()
        wanted = generated(page, text)
        if wanted != text:
            stale.append(page)
            if not check:
                path.write_text(wanted)
    for page in stale:
        print(f"docs/{page}: {'out of date, run scripts/docs' if check else 'written'}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
