"""The kinds of stores that a log sidecar delivers to, each with its keys.

A key that is left out is left out of the helper's configuration as well, where `stores/KIND.py`
has its default.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from podweave.model.pattern_parts import Strict
from podweave.model.secret_references import Credentials, Tls


class SecretKey(Strict):
    """One key of a Secret."""

    name: str
    """metadata.name of the Secret, in the Pod's namespace."""
    key: str = "token"
    """The key in it."""


class Token(Strict):
    """A secret text, such as a token or an API key."""

    secret_ref: SecretKey
    """The Secret that it is in, read again whenever it changes."""


class AwsKeysReference(Strict):
    """A Secret with the keys of an S3 account."""

    name: str
    """metadata.name of the Secret, in the Pod's namespace."""
    access_key_id_key: str = "access_key_id"
    """The key with the access key's id."""
    secret_access_key_key: str = "secret_access_key"
    """The key with the secret access key."""
    session_token_key: str = "session_token"
    """The key with the session token; the Secret need not have it."""


class AwsKeys(Strict):
    """As whom to sign requests."""

    secret_ref: AwsKeysReference
    """The Secret with the keys."""


class Batch(Strict):
    """How much is sent at once; what comes first ends a batch."""

    bytes: int | str | None = None
    """A quantity (`1Mi`), counted before anything is wrapped around the lines."""
    records: int | None = None
    """How many records at most."""
    seconds: float | None = None
    """How long a record waits for company. After a silence of that length none is waited for."""


class Retention(Strict):
    """Which files a store keeps; the oldest go first."""

    bytes: int | str | None = None
    """All files of this Pod together (`10Gi`)."""
    seconds: int | None = None
    """How old a closed file may become."""


class FilesStore(Strict):
    """The embedded store: NDJSON files that `podweave search` reads."""

    directory: str
    """Where, as the helper sees it."""
    volume: dict[str, Any] | None = None
    """A Kubernetes volume source to mount there (`{persistentVolumeClaim: {claimName: logs}}`);
    default: the main container's own volume at that place, else an emptyDir, which ends with
    the Pod."""
    format: Literal["json", "raw"] = "json"
    """`json`: a line becomes a record with its time, file and Pod. `raw`: lines as they are."""
    file_bytes: int | str | None = None
    """A file is closed when it has so many bytes; default 64Mi."""
    file_seconds: int | None = None
    """A file is closed when it is so old; default a day."""
    compression: Literal["none", "gzip"] = "none"
    """What becomes of closed files; `podweave search` reads both."""
    retention: Retention | None = None
    """Absent: everything is kept."""


class StdoutStore(Strict):
    """The sidecar's own standard output, for whatever collects the output of containers."""

    format: Literal["json", "raw"] = "json"
    """`json`: a line becomes a record with its time, file and Pod. `raw`: lines as they are."""


class NetworkStore(Strict, kw_only=True):
    """What every store has that is another machine."""

    tls: Tls | None = None
    """How the way to it is encrypted; absent: as a URL's scheme says, else not at all."""
    batch: Batch | None = None
    """How much is sent at once."""
    timeout_seconds: float | None = None
    """How long an answer is waited for; default 30."""


class HttpBasedStore(NetworkStore, kw_only=True):
    """What every store has that is spoken to over HTTP."""

    compression: Literal["none", "gzip", "zstd"] | None = None
    """Of a request's content. zstd needs Python 3.14 in the helper's image."""
    headers: dict[str, str] | None = None
    """Further header fields of every request; nothing secret, for they stand in the manifest."""
    credentials: Credentials | None = None
    """User and password (HTTP Basic)."""
    proxy: str = ""
    """`http://HOST:PORT` of a proxy. Default: what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
    of the helper's environment say."""


class HttpStore(HttpBasedStore, kw_only=True):
    """Any server that takes a POST."""

    url: str
    """`https://HOST:PORT/PATH`."""
    method: Literal["POST", "PUT"] = "POST"
    """The request's method."""
    format: Literal["ndjson", "array", "raw"] = "ndjson"
    """`ndjson`: a JSON object a line. `array`: one JSON array. `raw`: the lines as they are."""
    content_type: str = ""
    """Default: application/x-ndjson, application/json or text/plain, as the format is."""
    token: Token | None = None
    """Sent as `Authorization: Bearer TOKEN`."""


class ElasticsearchStore(HttpBasedStore, kw_only=True):
    """Elasticsearch and OpenSearch, through `_bulk`. Every record has an id that doesn't change,
    so that none is stored twice."""

    urls: list[str]
    """`https://HOST:PORT`, one or several of the same cluster; the next when one fails."""
    index: str = ""
    """Name of an index or alias; `%Y`, `%m`, `%d` stand for the date of a record's @timestamp in
    UTC, `{namespace}`, `{pod}`, `{node}`, `{service}` and `{label:NAME}` (a label of the Pod) for
    what they say."""
    data_stream: str = ""
    """Name of a data stream, as in logs-orders-{namespace}. Either this or `index`."""
    pipeline: str = ""
    """An ingest pipeline."""
    api_key: Token | None = None
    """An API key as Elasticsearch encodes it (base64 of ID:KEY), or ID:KEY itself."""


class SplunkStore(HttpBasedStore, kw_only=True):
    """Splunk's HTTP Event Collector."""

    url: str
    """`https://HOST:8088`."""
    token: Token
    """The collector's token."""
    index: str = ""
    """Default: the token's own."""
    source: str = ""
    """Default: the log file's path."""
    sourcetype: str = ""
    """Default: the token's own."""
    host: str = ""
    """Default: the Pod's name."""
    endpoint: Literal["event", "raw"] = "event"
    """`event`: a line is an event with its time, file and Pod. `raw`: Splunk makes events of the
    lines, by its source type."""
    acknowledgement: bool = True
    """Wait until the indexer has a record. A token without acknowledgement is noticed; then what
    was received counts as delivered."""
    acknowledgement_timeout_seconds: float | None = None
    """How long indexing may take before a batch is sent again; default 120."""


class LokiStore(HttpBasedStore, kw_only=True):
    """Grafana Loki."""

    url: str
    """`https://HOST:3100`."""
    tenant: str = ""
    """X-Scope-OrgID."""
    labels: dict[str, str] | None = None
    """Labels of the streams, few and of few values; `{namespace}`, `{service}`, `{pod}`, `{node}`,
    `{file}` and `{label:NAME}` (a label of the Pod) are replaced. Default: namespace and
    service_name."""
    structured_metadata: bool = True
    """Send Pod, file, node and level beside the line; needs Loki 3 or the setting of 2.9. Without
    it Pod and file are labels."""
    token: Token | None = None
    """Sent as `Authorization: Bearer TOKEN`."""


class OtlpStore(HttpBasedStore, kw_only=True):
    """An OpenTelemetry collector, or whatever takes OTLP over HTTP."""

    url: str
    """`https://HOST:4318`; `/v1/logs` is added where there is no path."""
    encoding: Literal["protobuf", "json"] = "protobuf"
    """How a request is written."""
    attributes: dict[str, str] | None = None
    """Further attributes of the resource, beside what is known of the Pod."""
    token: Token | None = None
    """Sent as `Authorization: Bearer TOKEN`."""


class SyslogStore(NetworkStore, kw_only=True):
    """A syslog server (RFC 5424). It acknowledges nothing: what was sent counts as delivered."""

    address: str
    """HOST:PORT."""
    transport: Literal["tcp", "udp"] = "tcp"
    """With `tls`: RFC 5425 over TCP."""
    framing: Literal["octetCounting", "newline"] = "octetCounting"
    """How messages are kept apart over TCP (RFC 6587); over TLS it is always by counting."""
    facility: str = "local0"
    """By name: kern, user, daemon, local0 to local7, ..."""
    severity: str = "info"
    """Of records whose level isn't known."""
    app_name: str = ""
    """APP-NAME; default: the Pod's service."""
    host_name: str = ""
    """HOSTNAME; default: the Pod's name."""


class ForwardStore(NetworkStore, kw_only=True):
    """Fluentd and Fluent Bit (the forward protocol)."""

    address: str
    """HOST:PORT, as in fluentd.logging:24224."""
    tag: str = "podweave.{namespace}.{pod}"
    """`{namespace}`, `{pod}`, `{node}` and `{file}` are replaced."""
    acknowledgement: bool = True
    """Wait for the server's ack of each chunk."""
    compression: Literal["none", "gzip"] = "none"
    """Of the entries."""
    shared_key: Token | None = None
    """For the handshake, where the server asks for one."""
    credentials: Credentials | None = None
    """For the handshake, where the server asks for a user."""


class GelfStore(NetworkStore, kw_only=True):
    """Graylog. It acknowledges nothing: what was sent counts as delivered."""

    address: str
    """HOST:PORT, as in graylog.logging:12201."""
    transport: Literal["tcp", "udp"] = "tcp"
    """UDP in chunks where a message is longer than a datagram."""
    compression: Literal["none", "gzip", "zlib"] | None = None
    """Over UDP only; default there: gzip."""
    host: str = ""
    """Default: the Pod's name."""
    fields: dict[str, str] | None = None
    """Further fields of every message; their names get the `_` that GELF asks for."""


class S3Store(NetworkStore, kw_only=True):
    """Objects of NDJSON in a bucket of S3, or of any server that speaks it."""

    bucket: str
    """The bucket's name."""
    endpoint: str = ""
    """`https://HOST:PORT` of a server that isn't Amazon's; default: Amazon's of the region."""
    region: str = "us-east-1"
    """The region that requests are signed for."""
    key: str = "{namespace}/{pod}/%Y/%m/%d/%H%M%S-{id}.ndjson"
    """The objects' keys: `{namespace}`, `{service}`, `{pod}`, `{node}`, `{file}`, `{label:NAME}`
    and `{id}` are replaced, strftime's codes by the time of the first record in UTC, and `.gz` or
    `.zst` is added where it is compressed. `{id}` must be there; it doesn't change when an object
    is sent again, so that it isn't stored twice."""
    path_style: bool | None = None
    """https://HOST/BUCKET/KEY, not https://BUCKET.HOST/KEY; default: where `endpoint` is given."""
    format: Literal["ndjson", "raw"] = "ndjson"
    """`ndjson`: a JSON object a line. `raw`: the lines as they are."""
    storage_class: str = ""
    """x-amz-storage-class, as STANDARD_IA."""
    encryption: Literal["", "AES256", "aws:kms"] = ""
    """x-amz-server-side-encryption."""
    compression: Literal["none", "gzip", "zstd"] | None = None
    """Default: gzip."""
    credentials: AwsKeys | None = None
    """Absent: requests are not signed."""
    proxy: str = ""
    """`http://HOST:PORT` of a proxy. Default: what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
    of the helper's environment say."""


class Store(Strict):
    """Where records are delivered to: exactly one kind."""

    name: str = ""
    """What metrics and messages call it, default its kind; and what its progress is kept under, so
    that another name has everything sent again that is still there."""
    files: FilesStore | None = None
    """The embedded store: NDJSON files that `podweave search` reads."""
    stdout: StdoutStore | None = None
    """The sidecar's own standard output."""
    http: HttpStore | None = None
    """Any server that takes a POST."""
    elasticsearch: ElasticsearchStore | None = None
    """Elasticsearch and OpenSearch."""
    splunk: SplunkStore | None = None
    """Splunk's HTTP Event Collector."""
    loki: LokiStore | None = None
    """Grafana Loki."""
    otlp: OtlpStore | None = None
    """OpenTelemetry."""
    syslog: SyslogStore | None = None
    """A syslog server."""
    forward: ForwardStore | None = None
    """Fluentd and Fluent Bit."""
    gelf: GelfStore | None = None
    """Graylog."""
    s3: S3Store | None = None
    """S3."""


KINDS: tuple[str, ...] = tuple(
    field.name for field in msgspec.structs.fields(Store) if field.name != "name"
)
"""The kinds of stores, by the keys under which they are configured."""


def kind_of(store: Store) -> tuple[str, Strict] | None:
    """The kind that is given, and its settings; None where that isn't exactly one."""
    found = [(kind, value) for kind in KINDS if (value := getattr(store, kind)) is not None]
    return found[0] if len(found) == 1 else None


class MemoryLimits(Strict):
    """What the sidecar may take."""

    memory: int | str = "8Mi"
    """Bytes read and not acknowledged yet, of all its logs and stores together, 1Mi to 16Mi.
    When they are used up, reading stops until a store has taken something."""


class Spill(Strict):
    """A buffer on disk: what a store that is down can't take is kept there, so that files may be
    rotated away and the Pod may end. It is used when a store has failed for some seconds, and at
    the end of the Pod."""

    max_bytes: int | str = "1Gi"
    """All stores' together. When it is full, reading stops."""
    volume: dict[str, Any] | None = None
    """A Kubernetes volume source for it. Default: an emptyDir, which ends with the Pod; on a
    claim, the next Pod's sidecar finds it and delivers what is there."""
    after_seconds: float = 5
    """How long a store must have failed."""


class DeadLetters(Strict):
    """Records that a store will never take, with the reason; see `podweave replay`."""

    max_bytes: int | str = "64Mi"
    """Beyond, refused records are dropped and counted."""
    volume: dict[str, Any] | None = None
    """A Kubernetes volume source for them; default: an emptyDir, which ends with the Pod."""
