"""What is wrong in a pattern and no type can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from podweave.model.adapter_patterns import AdapterLogs, AdapterSpec
from podweave.model.adapter_rules import check_adapter_logs
from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.model.ambassador_rules import MAX_SECONDS, check_ambassador
from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.log_reading import listen_errors, multiline_errors, reading_errors
from podweave.model.names import dns_label_problem, label_key_problem, label_value_problem
from podweave.model.own_containers import NOT_THE_HELPERS, check_beside, check_container
from podweave.model.paths import file_path_problem
from podweave.model.pattern_parts import METRICS_BOUNDS, Metrics, Selector
from podweave.model.patterns import (
    FromAdapter,
    Pattern,
    SidecarLogs,
    SidecarSpec,
    sources_of,
)
from podweave.model.state_rules import check_state
from podweave.model.store_rules import check_memory, check_store
from podweave.model.stores import DeadLetters, MemoryLimits, Spill

SIDECAR_BOUNDS: Final[Bounds] = {("SidecarSpec", "drainSeconds"): (0, MAX_SECONDS)}


def check_pattern(pattern: Pattern, path: Path = ()) -> list[InputError]:
    """All that is wrong in a pattern at `path`."""
    errors = []
    meta = (*path, "metadata")
    if problem := dns_label_problem(pattern.metadata.name):
        message = f"{problem}; it is also the name of the woven container"
        errors.append(InputError(message, path=(*meta, "name")))
    spec = pattern.spec
    at = (*path, "spec")
    if spec.selector is not None:
        errors += _selector(spec.selector, (*at, "selector"))
    if spec.container is not None:
        errors += check_container(spec.container, (*at, "container"))
    if spec.metrics is not None:
        errors += _metrics(spec.metrics, spec.container is not None, (*at, "metrics"))
    if isinstance(spec, AmbassadorSpec):
        errors += check_ambassador(spec, at)
    else:
        if spec.state is not None:
            errors += check_state(spec.state, spec.container is not None, (*at, "state"))
        errors += _logs(spec, at)
    if isinstance(spec, SidecarSpec):
        errors += _sidecar(spec, at)
    return errors


def _selector(selector: Selector, path: Path) -> Iterator[InputError]:
    if not selector.match_labels and not selector.match_expressions:
        yield InputError("empty: leave the selector out to select every workload", path=path)
    for key, value in (selector.match_labels or {}).items():
        if problem := label_key_problem(key) or label_value_problem(value):
            yield InputError(problem, path=(*path, "matchLabels", key))
    for index, requirement in enumerate(selector.match_expressions or ()):
        place = (*path, "matchExpressions", index)
        if problem := label_key_problem(requirement.key):
            yield InputError(problem, path=(*place, "key"))
        needs_values = requirement.operator in {"In", "NotIn"}
        if needs_values != bool(requirement.values):
            yield InputError(
                f"{requirement.operator} needs {'at least one value' if needs_values else 'none'}",
                path=(*place, "values") if requirement.values else place,
            )


def _metrics(metrics: Metrics, own: bool, path: Path) -> Iterator[InputError]:
    if own:
        yield InputError(
            "this configures podweave's own helper and can't stand beside `container`: declare "
            "the port in the container's own `ports`",
            path=path,
        )
    yield from check_bounds(metrics, METRICS_BOUNDS, path)


def _logs(spec: AdapterSpec | SidecarSpec, path: Path) -> Iterator[InputError]:
    own = spec.container is not None
    if not spec.logs and not own:
        yield InputError("logs is missing: the files to read, or a `container`", path=path)
    entries: Sequence[AdapterLogs | SidecarLogs] = spec.logs or ()
    for index, logs in enumerate(entries):
        place = (*path, "logs", index)
        if not logs.from_ and not (isinstance(logs, SidecarLogs) and logs.listen):
            yield InputError("at least one path", path=(*place, "from"))
        for position, item in enumerate(sources_of(logs)):
            at: Path = (*place, "from", position)
            if isinstance(logs.from_, FromAdapter):
                at = (*place, "from")
            if isinstance(item, FromAdapter):
                if own:
                    yield InputError(
                        "only podweave's own sidecar takes what an adapter makes: name a file",
                        path=at,
                    )
                elif problem := dns_label_problem(item.adapter):
                    yield InputError(problem, path=(*at, "adapter"))
            elif problem := log_glob_problem(item):
                yield InputError(problem, path=at)
        if logs.target is not None and (problem := dns_label_problem(logs.target)):
            yield InputError(problem, path=(*place, "target"))
        if own:
            # They say what is shared with it, and no more.
            yield from check_beside(logs, ("from", "target"), place)
        elif isinstance(logs, AdapterLogs):
            yield from _adapter_logs(logs, place)
        else:
            yield from _sidecar_logs(logs, place)


def _sidecar(spec: SidecarSpec, path: Path) -> Iterator[InputError]:
    if spec.container is not None:
        yield from check_beside(spec, ("logs", "state", *NOT_THE_HELPERS), path)
        return
    parts: dict[str, MemoryLimits | Spill | DeadLetters | None] = {
        "limits": spec.limits,
        "spill": spec.spill,
        "deadLetters": spec.dead_letters,
    }
    yield from check_memory(parts, path)
    for index, logs in enumerate(spec.logs or ()):
        if spec.state is not None and logs.listen:
            message = (
                "beside `state` only files are followed, for one Pod at a time reads with it, and "
                "what nobody reads is lost in a pipe: put `listen` into a Sidecar of its own"
            )
            yield InputError(message, path=(*path, "logs", index, "listen"))
    yield from check_bounds(spec, SIDECAR_BOUNDS, path)


def _adapter_logs(logs: AdapterLogs, path: Path) -> Iterator[InputError]:
    yield from reading_errors(logs.exclude, logs.encoding, logs.max_line, path)
    yield from check_adapter_logs(logs, path)
    if logs.to != "stdout" and (problem := file_path_problem(logs.to)):
        yield InputError(f"{problem}; or `stdout`", path=(*path, "to"))


def _sidecar_logs(logs: SidecarLogs, path: Path) -> Iterator[InputError]:
    yield from reading_errors(logs.exclude, logs.encoding, logs.max_line, path)
    yield from multiline_errors(logs.multiline, (*path, "multiline"))
    yield from listen_errors(logs.listen, (*path, "listen"))
    for index, item in enumerate(logs.listen):
        for key in ("pipe", "socket"):
            place = getattr(item, key)
            if place is not None and (problem := log_glob_problem(place, wild=False)):
                yield InputError(problem, path=(*path, "listen", index, key))
    if logs.store is not None and logs.stores is not None:
        yield InputError("either `store` or `stores`", path=(*path, "stores"))
    elif logs.store is not None:
        yield from check_store(logs.store, (*path, "store"))
    elif not logs.stores:
        yield InputError("store is missing: where the records go", path=path)
    names: set[str] = set()
    for index, store in enumerate(logs.stores or ()):
        place = (*path, "stores", index)
        yield from check_store(store, place)
        if store.name and store.name in names:
            message = f"another store is called {store.name!r} too"
            yield InputError(message, path=(*place, "name"))
        names.add(store.name)


def log_glob_problem(glob: str, *, wild: bool = True) -> str | None:
    """What keeps `glob` from being a pattern of log files: its folder must be known to share it.

    With wildcards in its folders the folder above them is shared.
    """
    if problem := file_path_problem(glob):
        return problem
    folder, _, name = glob.rpartition("/")
    if not name:
        return f"{glob!r} is a folder: name the files, as in {glob}*.log"
    if not wild and set(glob) & set("*?["):
        return f"{glob!r} names one file, without `*`, `?` and `[`"
    fixed = folder.split("/")[1:2]
    if fixed and set(fixed[0]) & set("*?["):
        return f"{glob!r}: the first folder has a name without `*`, `?` and `["
    if not folder.strip("/"):
        return f"{glob!r}: files right in / can't be shared with a helper, they need a folder"
    return None
