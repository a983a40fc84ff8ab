"""The httpGet exchange, without any socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.engines.local.probes.http_get import HttpGet, Target

TARGET = Target("http", "10.0.0.5", 8080, "/healthz")


def answer(data: bytes, *, end: bool = True, target: Target = TARGET) -> HttpGet:
    exchange = HttpGet(target)
    exchange.feed(data)
    if end:
        exchange.ended()
    return exchange


def test_the_request_is_what_kubelet_sends() -> None:
    lines = HttpGet(TARGET).opening().decode().split("\r\n")
    assert lines[0] == "GET /healthz HTTP/1.1"
    assert lines[1] == "Host: 10.0.0.5:8080"
    assert lines[2].startswith("User-Agent: kube-probe/")
    assert "Accept: */*" in lines
    assert lines[-2:] == ["", ""]


def test_headers_of_the_manifest_replace_the_default_ones() -> None:
    headers = (("host", "web.example"), ("X-Custom", "Awesome"), ("Accept", ""))
    request = HttpGet(TARGET._replace(headers=headers)).opening().decode()
    assert "host: web.example\r\n" in request
    assert "X-Custom: Awesome\r\n" in request
    assert "Host: 10" not in request
    assert "Accept" not in request


@pytest.mark.parametrize(
    ("status", "ok"),
    [(200, True), (204, True), (304, True), (399, True), (400, False), (404, False), (500, False)],
)
def test_200_to_399_is_success(status: int, ok: bool) -> None:
    exchange = answer(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    assert exchange.verdict is not None
    assert exchange.verdict[0] is ok
    assert str(status) in exchange.verdict[1]


def test_the_body_of_a_failure_is_told() -> None:
    exchange = answer(b"HTTP/1.0 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", end=False)
    assert exchange.verdict == (False, "HTTP probe failed with statuscode: 503: busy")


def test_an_endless_body_is_not_waited_for() -> None:
    exchange = answer(b"HTTP/1.1 500 X\r\n\r\n" + b"x" * 20000, end=False)
    assert exchange.verdict is not None


def test_an_interim_answer_precedes_the_real_one() -> None:
    exchange = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    assert exchange.verdict == (True, "HTTP status 200")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/other?x=1", ("http", 8080, "/other?x=1")),
        ("other", ("http", 8080, "/other")),
        ("http://10.0.0.5:9090/", ("http", 9090, "/")),
        ("https://10.0.0.5/", ("https", 443, "/")),
    ],
)
def test_redirects_to_the_same_host_are_followed(
    location: str, target: tuple[str, int, str]
) -> None:
    exchange = answer(b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n\r\n")
    assert exchange.verdict is None
    assert exchange.redirect is not None
    assert (exchange.redirect.scheme, exchange.redirect.port, exchange.redirect.path) == target


def test_a_redirect_to_another_host_is_success_as_it_stands() -> None:
    exchange = answer(b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\n\r\n")
    assert exchange.redirect is None
    assert exchange.verdict is not None
    assert exchange.verdict[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"\0" * 70000],
)
def test_anything_else_is_failure(data: bytes) -> None:
    exchange = answer(data)
    assert exchange.verdict is not None
    assert not exchange.verdict[0]


@given(st.binary() | st.binary().map(lambda rest: b"HTTP/1.1 " + rest))
def test_no_answer_breaks_it(data: bytes) -> None:
    exchange = answer(data)
    assert exchange.verdict is not None or exchange.redirect is not None


@given(st.integers(1, 60), st.sampled_from([200, 302, 404]))
def test_pieces_make_no_difference(size: int, status: int) -> None:
    data = b"HTTP/1.1 %d X\r\nLocation: /a\r\nContent-Length: 3\r\n\r\nabc" % status
    exchange = HttpGet(TARGET)
    for start in range(0, len(data), size):
        exchange.feed(data[start : start + size])
    whole = answer(data, end=False)
    assert (exchange.verdict, exchange.redirect) == (whole.verdict, whole.redirect)
