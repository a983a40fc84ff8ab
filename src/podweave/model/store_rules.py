"""What is wrong in a store and no type can say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from podweave.model.addresses import parse_address
from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.name_templates import index_problem, template_problem
from podweave.model.names import dns_label_problem, dns_subdomain_problem, is_token
from podweave.model.paths import file_path_problem
from podweave.model.pattern_parts import Strict
from podweave.model.quantities import bytes_of
from podweave.model.secret_references import Credentials, Tls
from podweave.model.secret_rules import check_credentials, check_reference, check_tls
from podweave.model.stores import (
    KINDS,
    AwsKeys,
    Batch,
    DeadLetters,
    ElasticsearchStore,
    FilesStore,
    GelfStore,
    LokiStore,
    MemoryLimits,
    NetworkStore,
    Retention,
    S3Store,
    Spill,
    Store,
    SyslogStore,
    Token,
    kind_of,
)
from podweave.model.suggestions import did_you_mean
from podweave.model.urls import url_problem

_MIB: Final = 1 << 20
QUANTITIES: Final[dict[tuple[str, str], tuple[int, int]]] = {
    ("Batch", "bytes"): (1 << 10, 64 * _MIB),
    ("Retention", "bytes"): (_MIB, 1 << 50),
    ("FilesStore", "file_bytes"): (1 << 16, 1 << 40),
    ("MemoryLimits", "memory"): (_MIB, 16 * _MIB),
    ("Spill", "max_bytes"): (_MIB, 1 << 50),
    ("DeadLetters", "max_bytes"): (0, 1 << 50),
}
"""(type, field) -> the least and the most of a quantity of bytes."""
BOUNDS: Final[Bounds] = {
    ("Batch", "records"): (1, 1_000_000),
    ("Batch", "seconds"): (0, 3600),
    ("Retention", "seconds"): (60, 10 * 366 * 86400),
    ("FilesStore", "fileSeconds"): (1, 366 * 86400),
    ("Spill", "afterSeconds"): (0, 3600),
    ("SplunkStore", "acknowledgementTimeoutSeconds"): (1, 3600),
    **{(f"{kind}Store", "timeoutSeconds"): (0.1, 3600) for kind in (
        "Http", "Elasticsearch", "Splunk", "Loki", "Otlp", "Syslog", "Forward", "Gelf", "S3",
    )},
}  # fmt: skip

_WHOLE_URLS: Final = ("HttpStore",)
"""The others make the query themselves, and S3 the path, too."""
TEMPLATES: Final[dict[tuple[str, str], tuple[tuple[str, ...], bool]]] = {
    ("SplunkStore", "index"): ((), False),
    ("SplunkStore", "source"): ((), False),
    ("SplunkStore", "sourcetype"): ((), False),
    ("SplunkStore", "host"): ((), False),
    ("S3Store", "key"): (("id", "file"), True),
}
"""(type, field) -> the names beside a Pod's, and whether codes of a time are replaced."""
_WRITABLE: Final = (
    "persistentVolumeClaim", "emptyDir", "hostPath", "ephemeral", "csi", "nfs", "azureDisk",
    "azureFile", "awsElasticBlockStore", "cephfs", "cinder", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "iscsi", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
)  # fmt: skip
_NOT_WRITABLE: Final = ("configMap", "secret", "downwardAPI", "projected", "image", "gitRepo")
"""The volume sources of Kubernetes 1.0 to 1.34 (core/v1 VolumeSource)."""
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_STORAGE_CLASS: Final = re.compile(r"[A-Z0-9_]{1,40}")

_SECRET_FIELDS: Final = ("authorization", "proxy-authorization", "cookie")


def check_store(store: Store, path: Path) -> Iterator[InputError]:
    """All that is wrong in the store at `path`."""
    if store.name and (problem := dns_label_problem(store.name)):
        yield InputError(problem, path=(*path, "name"))
    found = kind_of(store)
    if found is None:
        stated = [kind for kind in KINDS if getattr(store, kind) is not None]
        what = f"has {' and '.join(stated)}" if stated else "names no kind"
        yield InputError(f"{what}: exactly one of {', '.join(KINDS)}", path=path)
        return
    kind, settings = found
    yield from check_part(settings, (*path, kind))


def check_part(part: Strict, path: Path) -> Iterator[InputError]:
    """What is wrong in a store's settings, or in one of their parts."""
    name = type(part).__name__
    yield from check_bounds(part, BOUNDS, path)
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        at = (*path, field.encode_name)
        if value is None:
            continue
        if bounds := QUANTITIES.get((name, field.name)):
            yield from _quantity(value, *bounds, at)
        elif isinstance(value, Tls):
            yield from check_tls(value, at)
        elif isinstance(value, Credentials):
            yield from check_credentials(value, at)
        elif isinstance(value, Token | AwsKeys):
            yield from check_reference(value.secret_ref, (*at, "secretRef"))
        elif isinstance(value, Batch | Retention):
            yield from check_part(value, at)
        elif field.name == "url" or (name, field.name) == ("S3Store", "endpoint"):
            whole = name in _WHOLE_URLS
            if value and (problem := url_problem(value, path=name != "S3Store", query=whole)):
                yield InputError(problem, path=at)
        elif field.name == "proxy":
            if value and (problem := _proxy_problem(value)):
                yield InputError(problem, path=at)
        elif template := TEMPLATES.get((name, field.name)):
            if problem := template_problem(value, template[0], dated=template[1]):
                yield InputError(problem, path=at)
        elif field.name == "address":
            try:
                parse_address(value)
            except InputError as error:
                yield InputError(error.message, path=at)
        elif field.name == "headers":
            yield from _headers(value, at)
        elif field.name == "volume":
            yield from check_volume(value, at)
    if isinstance(part, FilesStore):
        if problem := file_path_problem(part.directory):
            yield InputError(problem, path=(*path, "directory"))
    elif isinstance(part, ElasticsearchStore):
        yield from _elasticsearch(part, path)
    elif isinstance(part, LokiStore):
        yield from _loki(part, path)
    elif isinstance(part, S3Store):
        yield from _s3(part, path)
    elif isinstance(part, SyslogStore | GelfStore):
        yield from _datagrams(part, path)
    if isinstance(part, NetworkStore):
        yield from _one_authority(part, path)
        yield from _tls_fits(part, path)


def check_memory(
    parts: dict[str, MemoryLimits | Spill | DeadLetters | None], path: Path
) -> Iterator[InputError]:
    """The parts of a Sidecar beside its logs, by their keys."""
    for key, part in parts.items():
        if part is not None:
            yield from check_part(part, (*path, key))


def _quantity(value: int | str, least: int, most: int, path: Path) -> Iterator[InputError]:
    try:
        size = bytes_of(value)
    except InputError as error:
        yield InputError(error.message, path=path)
        return
    if not least <= size <= most:
        yield InputError(f"{value} isn't from {_bytes(least)} to {_bytes(most)}", path=path)


def _bytes(size: int) -> str:
    for power, suffix in ((50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")):
        if size and size % (1 << power) == 0:
            return f"{size >> power}{suffix}"
    return str(size)


def _headers(headers: dict[str, str], path: Path) -> Iterator[InputError]:
    for name, value in headers.items():
        if not is_token(name):
            yield InputError(f"{name!r} isn't the name of a header field", path=(*path, name))
        elif name.lower() in _SECRET_FIELDS:
            yield InputError(
                "a secret doesn't stand in a manifest: name a Secret in `token` or `credentials`",
                path=(*path, name),
            )
        if any(char < " " or char == "\x7f" for char in value) or not value.isascii():
            yield InputError("a header field is one line of ASCII", path=(*path, name))


def check_volume(volume: dict[str, Any], path: Path) -> Iterator[InputError]:
    """What is wrong in a volume source that a helper writes to."""
    if len(volume) != 1 or "name" in volume:
        yield InputError(
            "one volume source, without a name, as in {persistentVolumeClaim: {claimName: logs}}",
            path=path,
        )
        return
    ((kind, source),) = volume.items()
    if kind in _NOT_WRITABLE:
        yield InputError(f"nothing can be written to a volume of {kind}", path=(*path, kind))
    elif kind not in _WRITABLE:
        hint = did_you_mean(kind, _WRITABLE)
        yield InputError(f"no volume source is called {kind!r}{hint}", path=(*path, kind))
    elif not isinstance(source, dict):
        yield InputError(f"expected a mapping, got {source!r}", path=(*path, kind))
    elif kind == "persistentVolumeClaim":
        yield from _claim(source, (*path, kind))


def _claim(source: dict[str, object], path: Path) -> Iterator[InputError]:
    for key in source:
        if key not in ("claimName", "readOnly"):
            hint = did_you_mean(key, ("claimName",))
            yield InputError(f"unknown key{hint}", path=(*path, key))
    name = source.get("claimName")
    if name is None:
        yield InputError("claimName is missing", path=path)
    elif not isinstance(name, str):
        yield InputError(f"expected a string, got {name!r}", path=(*path, "claimName"))
    elif problem := dns_subdomain_problem(name):
        yield InputError(problem, path=(*path, "claimName"))
    if source.get("readOnly"):
        yield InputError("the sidecar writes there", path=(*path, "readOnly"))


def _elasticsearch(store: ElasticsearchStore, path: Path) -> Iterator[InputError]:
    if not store.urls:
        yield InputError("at least one URL", path=(*path, "urls"))
    for index, url in enumerate(store.urls):
        if problem := url_problem(url, query=False):
            yield InputError(problem, path=(*path, "urls", index))
    if len({url.partition(":")[0].lower() for url in store.urls}) > 1:
        yield InputError("all https:// or all http://", path=(*path, "urls"))
    for key, name in (("index", store.index), ("dataStream", store.data_stream)):
        if name and (problem := index_problem(name, dated=key == "index")):
            yield InputError(problem, path=(*path, key))
    if bool(store.index) == bool(store.data_stream):
        yield InputError("either `index` or `dataStream`", path=path)


def _loki(store: LokiStore, path: Path) -> Iterator[InputError]:
    for name, template in (store.labels or {}).items():
        if not _LABEL.fullmatch(name):
            problem: str | None = f"{name!r}: the name of a label is letters, digits and _"
        else:
            problem = template_problem(template, ("file",))
        if problem:
            yield InputError(problem, path=(*path, "labels", name))


def _s3(store: S3Store, path: Path) -> Iterator[InputError]:
    if not _BUCKET.fullmatch(store.bucket):
        yield InputError(f"{store.bucket!r} is no bucket's name", path=(*path, "bucket"))
    if "{id}" not in store.key:
        message = "it must have {id}, or objects would overwrite each other"
        yield InputError(message, path=(*path, "key"))
    elif store.key.startswith("/"):
        yield InputError("a key doesn't begin with a slash", path=(*path, "key"))
    if store.storage_class and not _STORAGE_CLASS.fullmatch(store.storage_class):
        message = f"{store.storage_class!r} is no storage class, as STANDARD_IA is"
        yield InputError(message, path=(*path, "storageClass"))


def _datagrams(store: SyslogStore | GelfStore, path: Path) -> Iterator[InputError]:
    if store.transport == "udp" and store.tls is not None:
        yield InputError("there is no TLS over UDP", path=(*path, "tls"))
    if (
        isinstance(store, GelfStore)
        and store.transport == "tcp"
        and store.compression not in (None, "none")
    ):
        yield InputError("GELF is compressed over UDP only", path=(*path, "compression"))


def _proxy_problem(url: str) -> str | None:
    if url.lower().startswith("https://"):
        return "a proxy is spoken to as http://HOST:PORT, whatever goes through it"
    return url_problem(url, path=False, query=False)


def _tls_fits(store: NetworkStore, path: Path) -> Iterator[InputError]:
    """A URL says already whether there is TLS."""
    urls = getattr(store, "urls", None) or [
        getattr(store, "url", "") or getattr(store, "endpoint", "")
    ]
    if store.tls is None or not urls[0]:
        return
    plain = urls[0].lower().startswith("http://")
    if plain and store.tls.mode != "disable":
        yield InputError("it is for https://, and the URL is http://", path=(*path, "tls"))
    elif not plain and store.tls.mode == "disable":
        message = "`disable` is for http://, and the URL is https://"
        yield InputError(message, path=(*path, "tls", "mode"))


def _one_authority(store: NetworkStore, path: Path) -> Iterator[InputError]:
    """Both would be an Authorization field."""
    stated = [
        key
        for key, name in (("credentials", "credentials"), ("token", "token"), ("apiKey", "api_key"))
        if getattr(store, name, None) is not None
    ]
    if len(stated) > 1:
        yield InputError(f"either {' or '.join(f'`{key}`' for key in stated)}", path=path)
