"""What the stores over HTTP have in common: the settings of their requests, sending, and what a
status means where a store's protocol doesn't say otherwise.

    2xx                      delivered
    413                      too much at once
    400, 422                 some record's fault: divided until it is found
    408, 425, 429, 5xx       again, when Retry-After says
    all others               again: a wrong token, path or proxy is mended by somebody, and no
                             record is lost for it
"""

from __future__ import annotations

import os
import time

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.dialing.tls import TlsOptions
from podweave.helpers.http_client.authorization import basic, bearer
from podweave.helpers.http_client.client import HttpClient
from podweave.helpers.http_client.errors import HttpError
from podweave.helpers.http_client.proxies import proxy_for
from podweave.helpers.logs.stores import settings as keys
from podweave.helpers.logs.stores.compression import ENCODINGS, compress
from podweave.helpers.logs.stores.interface import (
    DELIVERED,
    Outcome,
    Store,
    failed,
    refused,
    too_large,
)
from podweave.helpers.wire import retry_after
from podweave.helpers.wire.http1_grammar import TOKEN
from podweave.helpers.wire.urls import Url, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.http_client.connection import Answer
    from podweave.helpers.logs.delivery.rows import Block
    from podweave.helpers.logs.stores.interface import Context

CREDENTIALS = ("username", "password")
_OWN_FIELDS = frozenset(("host", "content-length", "transfer-encoding", "connection"))


class HttpSettings:
    """url, proxy, tls, credentials, token, headers, compression, timeout, batch.

    With `several` it is `urls`, of servers that are alike: the next one is asked when one can't
    be reached.
    """

    __slots__ = (
        "batch",
        "compression",
        "credentials",
        "headers",
        "place",
        "proxies",
        "timeout",
        "tls",
        "token",
        "url",
        "urls",
    )

    def __init__(
        self,
        section: Section,
        *,
        credentials: Sequence[str] = CREDENTIALS,
        compression: str = "none",
        several: bool = False,
        url: str = "url",
        default: str | None = None,
        bytes: int = keys.BATCH_BYTES,
        records: int = keys.BATCH_RECORDS,
        seconds: float = keys.BATCH_SECONDS,
    ) -> None:
        self.urls = _urls(section, url, several, default)
        self.url = self.urls[0]
        proxy = _given_proxy(section)
        self.proxies = [proxy or _proxy(section, each) for each in self.urls]
        self.place = str(self.url)
        self.tls = _tls(section, self.urls)
        self.credentials = keys.secret_files(section, credentials)
        """Paths by name; a file is read at each request."""
        self.token = section.text("token", "")
        """The path of a file, or empty."""
        if "username" in self.credentials or "password" in self.credentials:
            _check_basic(section, self.credentials, self.token)
        self.headers = _headers(section)
        self.compression = keys.compression(section, compression)
        self.timeout = keys.timeout(section)
        self.batch = keys.batch_limits(section, bytes=bytes, records=records, seconds=seconds)


def _urls(section: Section, key: str, several: bool, default: str | None) -> list[Url]:
    texts = section.array(key) if several else [(section.at(key), section.text(key, default))]
    urls = []
    for where, text in texts:
        try:
            url = parse(text if isinstance(text, str) else "")
        except ValueError as error:
            raise ConfigurationError(where, str(error)) from None
        if url.userinfo:
            raise ConfigurationError(where, "credentials belong into a Secret, not here")
        urls.append(url)
    if not urls:
        raise ConfigurationError(section.at(key), "is empty: there must be a URL")
    if len({url.scheme for url in urls}) > 1:
        raise ConfigurationError(section.at(key), "must be all https:// or all http://")
    return urls


def no_query(section: Section, settings: HttpSettings) -> None:
    """For stores that make the query themselves."""
    if any(url.query for url in settings.urls):
        raise ConfigurationError(section.path, "a URL here ends with the path, without a ?query")


def _given_proxy(section: Section) -> Url | None:
    text = section.text("proxy", "")
    if not text:
        return None
    try:
        url = parse(text)
    except ValueError as error:
        raise ConfigurationError(section.at("proxy"), str(error)) from None
    if url.scheme != "http" or url.path or url.query or url.userinfo:
        raise ConfigurationError(section.at("proxy"), "must be http://HOST:PORT")
    return url


def _proxy(section: Section, url: Url) -> Url | None:
    try:
        return proxy_for(url, os.environ)
    except ValueError as error:
        raise ConfigurationError(section.path, f"the environment's {error}") from None


def _tls(section: Section, urls: list[Url]) -> TlsOptions | None:
    where = section.at("tls")
    files = keys.tls(section)
    if urls[0].scheme == "http":
        if files is not None and files.mode != "disable":
            raise ConfigurationError(where, "is for https://, and the URL is http://")
        return None
    if files is None:
        return TlsOptions("verify-full")
    if files.mode == "disable":
        raise ConfigurationError(where, "disable is for http://, and the URL is https://")
    return TlsOptions(
        files.mode,
        server_name=files.server_name,
        ca=files.ca,
        certificate=files.certificate,
        key=files.key,
    )


def _check_basic(section: Section, credentials: dict[str, str], token: str) -> None:
    where = section.at("credentials")
    if len(credentials) < 2:
        raise ConfigurationError(where, "username and password go together")
    if token:
        raise ConfigurationError(where, "and a token are two ways to log in; one will do")


def _headers(section: Section) -> list[tuple[str, str]]:
    fields = list(section.texts("headers").items())
    for name, value in fields:
        where = f"{section.at('headers')}.{name}"
        if not name or name.encode().translate(None, TOKEN) or name.lower() in _OWN_FIELDS:
            raise ConfigurationError(where, "is no field that can be given here")
        if not value.isprintable() or not _is_latin(value):
            raise ConfigurationError(where, "must be printable, in Latin-1")
    return fields


def _is_latin(value: str) -> bool:
    return all(ord(char) < 256 for char in value)


class HttpStore(Store):
    """Base of the stores over HTTP."""

    def __init__(self, settings: HttpSettings, context: Context) -> None:
        super().__init__(settings.batch)
        self._http = settings
        self._context = context
        self._clients: list[HttpClient | None] = [None] * len(settings.urls)
        self._now = 0
        """Which of the URLs is asked."""

    def post(
        self,
        target: str,
        content_type: str,
        content: Sequence[Block],
        answered: Callable[[Answer], Outcome | None],
        done: Callable[[Outcome], None],
        *,
        fields: Sequence[tuple[str, str]] = (),
        method: str = "POST",
        authorize: bool = True,
        packed: bool = False,
    ) -> None:
        """Send; `done` gets what `answered` makes of the answer, or that there was none.

        `answered` may return None: then it sees to `done` itself. `target` is below the URL's
        path. `packed`: the content is not to be compressed.
        """
        settings = self._http
        all_fields = [("Content-Type", content_type)] if content_type else []
        all_fields += fields
        all_fields += settings.headers
        try:
            if authorize:
                all_fields += self.authorization()
            pieces: Sequence[Block] = content
            if settings.compression != "none" and not packed:
                pieces = compress(content, settings.compression)
                all_fields.append(("Content-Encoding", ENCODINGS[settings.compression]))
            number = self._now
            self._client(number).request(
                method,
                settings.urls[number].path + target,
                all_fields,
                pieces,
                settings.timeout,
                lambda result: self._ended(number, result, answered, done),
            )
        except OSError as error:
            done(failed(keys.secret_problem(error)))
        except ValueError as error:
            # A secret with a line end in its middle.
            done(failed(f"the request can't be sent: {error}"))

    def authorization(self) -> list[tuple[str, str]]:
        """Fields made of the credentials as their files are now. OSError, ValueError."""
        files = self._http.credentials
        if "username" in files:
            user, password = (keys.read_secret(files[name]) for name in ("username", "password"))
            return [("Authorization", basic(user, password))]
        if self._http.token:
            return [("Authorization", bearer(keys.read_secret(self._http.token)))]
        return []

    def close(self) -> None:
        for client in self._clients:
            if client is not None:
                client.close()

    def _client(self, number: int) -> HttpClient:
        client = self._clients[number]
        if client is None:
            client = self._clients[number] = HttpClient(
                self._context.loop,
                self._context.connector,
                self._http.urls[number],
                tls=self._http.tls,
                proxy=self._http.proxies[number],
            )
        return client

    def _ended(
        self,
        number: int,
        result: Answer | HttpError,
        answered: Callable[[Answer], Outcome | None],
        done: Callable[[Outcome], None],
    ) -> None:
        self.sent_bytes = sum(client.sent_bytes for client in self._clients if client)
        if isinstance(result, HttpError):
            self._leave(number)
            done(failed(f"{self._http.urls[number]}: {result}"))
            return
        if result.status in (502, 503, 504):
            self._leave(number)
        outcome = answered(result)
        if outcome is not None:
            done(outcome)

    def _leave(self, number: int) -> None:
        """Ask the next one from now on."""
        if number == self._now:
            self._now = (number + 1) % len(self._clients)


def wait_of(answer: Answer) -> float | None:
    """Seconds of Retry-After."""
    return retry_after.seconds(answer.value("retry-after"), time.time())


def describe(answer: Answer, reason: str = "") -> str:
    """The status, and what the store says about it: short, for the journal."""
    words = reason or answer.content[:200].decode("utf-8", "replace")
    if words.lstrip()[:1] == "<":
        words = ""  # a page of a proxy's, which says the same in HTML
    location = answer.value("location")
    if 300 <= answer.status < 400 and location:
        words = f"to {location}: redirects are not followed, name the right URL {words}"
    return " ".join(f"{answer.status} {answer.reason} {words}".split())[:300]


def a_page_instead(answer: Answer) -> Outcome | None:
    """A success that is a page for people: a web interface answers so to what it doesn't know. Of
    stores whose answers are known: any other server may well say in HTML that all is well."""
    if answer.content.lstrip()[:1] != b"<":
        return None
    words = "a web page, and not what this store answers: does the URL name another server?"
    return failed(f"{describe(answer)}: {words}")


def outcome_of(answer: Answer, reason: str = "") -> Outcome:
    """What the status means by itself; see the module's docstring."""
    status = answer.status
    if 200 <= status < 300:
        return DELIVERED
    words = describe(answer, reason)
    if status == 413:
        return too_large(words)
    if status in (400, 422):
        return refused(words)
    return failed(words, wait_of(answer))
