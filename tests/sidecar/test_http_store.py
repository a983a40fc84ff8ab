"""The http store: its formats, and what a status means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from tests.sidecar.http_peer import (
    HALF,
    NONSENSE,
    RESET,
    STALL,
    Fault,
    FaultyServer,
    HttpPeer,
    Reply,
)
from tests.sidecar.storing import (
    Made,
    configured,
    is_delivered,
    is_divided,
    is_failed,
    making,
    secret,
)


@pytest.fixture
def faults(server: FaultyServer) -> list[Reply | Fault]:
    return server.faults


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    with making(loop, tmp_path, "http") as make:
        yield lambda path="/in?key=1", **config: make(**{"url": peer.url + path, **config})


def test_formats(store: Made, peer: HttpPeer) -> None:
    for config in (
        {},
        {"format": "array", "compression": "gzip"},
        {"format": "raw", "method": "PUT", "content_type": "text/x-log"},
    ):
        storing = store(**config)
        assert is_delivered(storing.send(storing.raw(b"one", b'"\xff"')))
    ndjson, array, raw = peer.received
    assert [row["message"] for row in ndjson.rows] == ["one", '"\\xff"']
    assert ndjson.fields["content-type"] == "application/x-ndjson"
    assert ndjson.target == "/in?key=1"
    assert [row["message"] for row in array.json] == ["one", '"\\xff"']
    assert array.fields["content-encoding"] == "gzip"
    assert (raw.method, raw.content) == ("PUT", b'one\n"\xff"\n')
    assert raw.fields["content-type"] == "text/x-log"


def test_headers_and_credentials(store: Made, peer: HttpPeer, tmp_path: Path) -> None:
    token = secret(tmp_path, "token", "secret\n")
    storing = store(path="", headers={"X-Team": "a b"}, token=token)
    assert is_delivered(storing.send(storing.raw(b"x")))
    (received,) = peer.received
    assert received.target == "/"
    assert received.fields["x-team"] == "a b"
    assert received.fields["authorization"] == "Bearer secret"
    assert storing.store.sent_bytes > len(received.content)


def test_a_missing_secret_is_told_as_one(store: Made, peer: HttpPeer, tmp_path: Path) -> None:
    storing = store(token=str(tmp_path / "token"))
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert f"{tmp_path}/token: No such file or directory: the Secret that the" in outcome.reason
    assert peer.received == []


def test_a_secret_with_a_line_end_is_not_sent(store: Made, peer: HttpPeer, tmp_path: Path) -> None:
    storing = store(token=secret(tmp_path, "token", "a\nEvil: 1"))
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "can't be sent" in outcome.reason
    assert peer.received == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 301, 401, 403, 404, 405])
def test_what_comes_again(store: Made, faults: list[Reply | Fault], status: int) -> None:
    faults.append(Reply(status, b"the reason", Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"))
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "the reason" in outcome.reason
    assert outcome.after == 0


def test_a_page_of_a_proxys_is_no_reason(store: Made, faults: list[Reply | Fault]) -> None:
    faults.append(Reply(502, b"\n<html><head><title>502 Bad Gateway</title></head></html>"))
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert outcome.reason.startswith("502")
    assert "<" not in outcome.reason


def test_where_a_redirect_leads_is_said(store: Made, faults: list[Reply | Fault]) -> None:
    faults.append(Reply(302, Location="https://sso.example/login"))
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "to https://sso.example/login: redirects are not followed" in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


@pytest.mark.parametrize(("status", "too_large"), [(400, False), (422, False), (413, True)])
def test_what_is_divided(
    store: Made, faults: list[Reply | Fault], status: int, too_large: bool
) -> None:
    faults.append(Reply(status))
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_divided(outcome)
    assert outcome.too_large is too_large


@pytest.mark.parametrize("fault", [RESET, HALF, STALL, NONSENSE])
def test_faults_of_the_network(store: Made, faults: list[Reply | Fault], fault: Fault) -> None:
    faults.append(fault)
    storing = store(timeout=0.5)
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert storing.store._http.urls[0].address in outcome.reason  # type: ignore[attr-defined]
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_many_batches_go_over_one_connection(store: Made, peer: HttpPeer) -> None:
    storing = store()
    for number in range(20):
        assert is_delivered(storing.send(storing.raw(json.dumps(number).encode(), offset=number)))
    assert peer.connections == 1


def test_a_proxy_that_is_named_goes_before_the_environments(
    store: Made, peer: HttpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://nobody.invalid:1")
    storing = store(url="http://logs.example/in", proxy=peer.url)
    assert is_delivered(storing.send(storing.raw(b"x")))
    assert peer.received[0].target == "http://logs.example/in"
    with pytest.raises(ConfigurationError, match="must be http://HOST:PORT"):
        configured("http", url="http://x", proxy="https://p:1")


def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="one will do"):
        configured(
            "http", url="http://x", token="/t", credentials={"username": "/a", "password": "/b"}
        )
    with pytest.raises(ConfigurationError, match="go together"):
        configured("http", url="http://x", credentials={"username": "/a"})
    monkeypatch.setenv("HTTP_PROXY", "socks5://a:1")
    with pytest.raises(ConfigurationError, match="HTTP_PROXY"):
        configured("http", url="http://x")
