"""Heads written anew: for upstreams, for clients, and the same whether known or not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.http import request_head, response_head
from podweave.helpers.ambassador.http.policy import (
    HOST_OF_CLIENT,
    NO_RULES,
    FieldRules,
    HttpPolicy,
    Route,
)
from podweave.helpers.ambassador.http.redirects import turn_back
from podweave.helpers.ambassador.http.service import Service
from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.wire.http1_grammar import CHUNKED, UNTIL_CLOSE, ProtocolError
from podweave.helpers.wire.prometheus import Registry


def written(request: bytes, policy: HttpPolicy | None = None) -> bytes:
    """The head as the upstream api.example gets it."""
    policy = policy or HttpPolicy()
    head = request_head.read(request)
    route = request_head.choose_route(head, policy)
    return request_head.write(head, route, policy.via, b"api.example")


def lines(*parts: str) -> bytes:
    return ("\r\n".join(parts) + "\r\n\r\n").encode("latin-1")


def test_a_request() -> None:
    assert written(
        lines("GET /a?b HTTP/1.1", "hOST: localhost:8080", "X-A:  1 ", "Connection: close")
    ) == lines("GET /a?b HTTP/1.1", "Host: api.example", "X-A:  1 ")


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("http://localhost:8080/a", "/a"),
        ("HTTP://LOCALHOST:8080", "/"),
        ("http://localhost:8080?b/c", "/?b/c"),
        ("http://localhost:8080/a?b", "/a?b"),
    ],
)
def test_a_target_that_names_its_host(target: str, wanted: str) -> None:
    request = lines(f"GET {target} HTTP/1.1", "Host: localhost:8080")
    assert written(request).startswith(f"GET {wanted} HTTP/1.1\r\nHost: api.example".encode())


def test_framing_is_written_once_and_plainly() -> None:
    request = lines(
        "POST / HTTP/1.1", "Host: a", "Content-Length: 007", "Connection: content-length"
    )
    assert b"\r\nContent-Length: 7\r\n" in written(request)
    request = lines("POST / HTTP/1.1", "Host: a", "transfer-encoding:  Chunked")
    assert written(request).endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("close", "X-A: 1\r\nCookie: c\r\nAuthorization: b\r\n"),
        ("x-a", "Cookie: c\r\nAuthorization: b\r\n"),
        ("X-A, cookie, Authorization", "Cookie: c\r\nAuthorization: b\r\n"),
    ],
)
def test_connection_takes_away_what_is_the_hops_own_and_nothing_else(
    options: str, kept: str
) -> None:
    request = lines(
        "GET / HTTP/1.1", "Host: a", "X-A: 1", "Cookie: c", "Authorization: b",
        f"Connection: {options}",
    )  # fmt: skip
    assert written(request).decode().partition("Host: api.example\r\n")[2] == kept + "\r\n"


@pytest.mark.parametrize(
    ("fields", "offered"),
    [
        (("Connection: upgrade", "Upgrade: websocket"), b"websocket"),
        (("Connection: upgrade", "Upgrade: websocket", "Content-Length: 0"), b"websocket"),
        (("Connection: upgrade", "Upgrade: websocket", "Content-Length: 1"), b""),
        (("Connection: upgrade", "Upgrade: websocket", "Transfer-Encoding: chunked"), b""),
        (("Connection: upgrade", "Upgrade: h2c"), b""),
        (("Connection: upgrade", "Upgrade: websocket, H2C"), b""),
        (("Connection: keep-alive", "Upgrade: websocket"), b""),
    ],
)
def test_which_upgrades_are_offered(fields: tuple[str, ...], offered: bytes) -> None:
    request = lines("GET / HTTP/1.1", "Host: a", *fields)
    assert request_head.read(request).upgrade == offered
    assert (b"\r\nUpgrade: " in written(request)) is bool(offered)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [("timeout=5", 4.0), ("timeout=1, max=3", 0.1), ("max=3", 0.0), ("timeout=x", 0.0)],
)
def test_how_long_an_upstream_keeps_its_connection(field: str, seconds: float) -> None:
    head = lines("HTTP/1.1 200 OK", "Content-Length: 0", f"Keep-Alive: {field}")
    assert response_head.read(head).idle == seconds


POLICY = HttpPolicy(
    (
        Route(b"/api/v1", path=b"/", headers=((b"x-canary", b"1"),), host="canary.example"),
        Route(b"/api/v1", path=b"/v2/", methods=frozenset((b"GET",))),
        Route(b"/api", host=HOST_OF_CLIENT),
        Route(
            requests=FieldRules(("X-Debug",), (("X-Team", "orders"),), (("X-More", "a"),)),
        ),
    ),
    via="podweave",
)


@pytest.mark.parametrize(
    ("request_line", "field", "wanted"),
    [
        ("GET /api/v1/x?y", "X-Canary: 1", ("GET /x?y HTTP/1.1", "Host: canary.example")),
        ("GET /api/v1", "x-canary: 1", ("GET / HTTP/1.1", "Host: canary.example")),
        ("GET /api/v1?y", "X-Canary: 1", ("GET /?y HTTP/1.1", "Host: canary.example")),
        ("GET /api/v1/x", "X-Canary: 2", ("GET /v2/x HTTP/1.1", "Host: api.example")),
        ("GET /api/v1", "A: b", ("GET /v2 HTTP/1.1", "Host: api.example")),
        ("POST /api/v1/x", "A: b", ("POST /api/v1/x HTTP/1.1", "Host: localhost:1")),
        ("GET /api/v10", "A: b", ("GET /api/v10 HTTP/1.1", "Host: localhost:1")),
        ("GET /apis", "A: b", ("GET /apis HTTP/1.1", "Host: api.example")),
        ("OPTIONS *", "A: b", ("OPTIONS * HTTP/1.1", "Host: api.example")),
    ],
)
def test_routes(request_line: str, field: str, wanted: tuple[str, str]) -> None:
    head = written(lines(f"{request_line} HTTP/1.1", "Host: localhost:1", field), POLICY)
    assert tuple(head.decode().split("\r\n")[:2]) == wanted
    assert b"\r\nVia: 1.1 podweave\r\n" in head


def test_fields_are_removed_set_and_added() -> None:
    request = lines(
        "GET / HTTP/1.1", "Host: a", "x-debug: 1", "X-TEAM: mine", "X-More: b", "X-Z: z"
    )
    assert written(request, POLICY) == lines(
        "GET / HTTP/1.1", "Host: api.example", "X-More: b", "X-Z: z", "X-Team: orders", "X-More: a",
        "Via: 1.1 podweave",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/api/../x", "/api/%2e%2E/x", "/./api", "/api/.", "/api/.%2e"])
def test_dot_segments_where_paths_are_routed(path: str) -> None:
    request = lines(f"GET {path} HTTP/1.1", "Host: a")
    with pytest.raises(ProtocolError) as error:
        written(request, POLICY)
    assert error.value.status == 400
    assert written(request).startswith(f"GET {path} ".encode()), "without routes it is the path"
    written(lines("GET /.well-known/a..b/...  HTTP/1.1".replace("  ", " "), "Host: a"), POLICY)


def answer(head: bytes, **options: Any) -> response_head.Answer:
    chosen = {"to_head": False, "minor": 1, "keep_alive": True, **options}
    return response_head.write(response_head.read(head), NO_RULES, **chosen)


def test_a_response() -> None:
    head = lines("HTTP/1.1 200 OK", "Server: x", "Connection: keep-alive", "content-length: 3")
    got = answer(head)
    assert got.head == lines("HTTP/1.1 200 OK", "Server: x", "Content-Length: 3")
    assert (got.length, got.reusable, got.keep_alive) == (3, True, True)
    assert answer(head, keep_alive=False).head.endswith(b"\r\nConnection: close\r\n\r\n")
    assert answer(head, minor=0).head.endswith(b"\r\nConnection: keep-alive\r\n\r\n")


@pytest.mark.parametrize(
    ("head", "options", "length", "reusable", "keep_alive"),
    [
        (("HTTP/1.1 200 OK",), {}, UNTIL_CLOSE, False, True),
        (("HTTP/1.1 200 OK",), {"minor": 0}, UNTIL_CLOSE, False, False),
        (("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), {}, CHUNKED, True, True),
        (("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), {"minor": 0}, CHUNKED, True, False),
        (("HTTP/1.0 200 OK", "Content-Length: 3"), {}, 3, False, True),
        (("HTTP/1.0 200 OK", "Content-Length: 3", "Connection: Keep-Alive"), {}, 3, True, True),
        (("HTTP/1.1 200 OK", "Content-Length: 3", "Connection: close"), {}, 3, False, True),
        (("HTTP/1.1 200 OK", "Content-Length: 3"), {"to_head": True}, 0, True, True),
        (("HTTP/1.1 304 Not Modified",), {}, 0, True, True),
        (("HTTP/1.1 204 No Content",), {}, 0, True, True),
        (("HTTP/1.1 200",), {}, UNTIL_CLOSE, False, True),
    ],
)
def test_where_a_response_ends(
    head: tuple[str, ...], options: dict[str, Any], length: int, reusable: bool, keep_alive: bool
) -> None:
    got = answer(lines(*head), **options)
    assert (got.length, got.reusable, got.keep_alive) == (length, reusable, keep_alive)


@pytest.mark.parametrize(
    "head",
    [
        ("HTTP/2 200 OK",),
        ("HTTP/1.1 20 OK",),
        ("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2"),
        ("HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"),
        ("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
        ("HTTP/1.1 200 OK", "A : b"),
        ("HTTP/1.1 200 OK", "A: b\nC: d"),
    ],
)
def test_a_broken_response_is_the_upstreams_fault(head: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError) as error:
        response_head.read(lines(*head))
    assert error.value.status == 502


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        ("http://api.example/v2/login?a#b", "http://localhost:8080/api/login?a#b"),
        ("https://API.example/v2", "http://localhost:8080/api"),
        ("http://api.example", "http://localhost:8080/"),
        ("http://api.example/other", "http://localhost:8080/other"),
        ("http://api.example/v2x", "http://localhost:8080/v2x"),
        ("/v2/login", "/api/login"),
        ("/login", "/login"),
        ("//api.example/v2", "//api.example/v2"),
        ("login", "login"),
        ("http://api.example.org/v2", "http://api.example.org/v2"),
        ("http://api.example:81/v2", "http://api.example:81/v2"),
        ("ftp://api.example/v2", "ftp://api.example/v2"),
    ],
)
def test_a_redirect_stays_with_the_ambassador(location: str, wanted: str) -> None:
    route = Route(b"/api", path=b"/v2")
    fields = [(b"location", location.encode(), b"Location: " + location.encode())]
    turned = turn_back(fields, route, b"api.example", b"localhost:8080")
    assert (turned or fields)[0][2] == b"Location: " + wanted.encode()


def service() -> Service:
    registry = Registry()
    from podweave.helpers.ambassador.http.metrics import HttpMetrics

    front: Any = SimpleNamespace(metrics=HttpMetrics(registry), loop=None)
    return Service(front, Profile("dev", [Upstream("api.example", 80)]), POLICY)


fields = st.sampled_from(
    ["Host: a", "A: b", "X-Canary: 1", "Connection: close", "Connection: a", "Content-Length: 2",
     "Transfer-Encoding: chunked", "Connection: upgrade", "Upgrade: websocket", "X-Debug: 1",
     "Expect: 100-continue", "bad", "Content-Length: 3", "Location: http://api.example/v2/x"]
)  # fmt: skip
starts = st.sampled_from(
    ["GET / HTTP/1.1", "POST /api/v1 HTTP/1.1", "HEAD /api HTTP/1.0", "GET  / HTTP/1.1",
     "GET http://a/ HTTP/1.1", "GET /api/../ HTTP/1.1", "CONNECT a:1 HTTP/1.1"]
)  # fmt: skip
heads = st.builds(lambda start, rest: lines(start, *rest), starts, st.lists(fields, max_size=4))


@given(st.lists(heads, max_size=12))
def test_a_known_request_becomes_what_a_new_one_becomes(requests: list[bytes]) -> None:
    remembering = service()
    for request in requests * 2:
        outcomes = []
        for each in (remembering, service()):
            try:
                plan = each.plan(request)
            except ProtocolError as error:
                outcomes.append((error.status, error.message))
            else:
                outcomes.append(
                    (plan.write(each.groups[""].peers[0]), plan.length, plan.keep_alive, plan.minor,
                     plan.upgrade, plan.idempotent, plan.to_head)  # type: ignore[arg-type]
                )  # fmt: skip
        assert outcomes[0] == outcomes[1]


statuses = st.sampled_from(
    ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 304 x", "HTTP/1.1 100 Continue", "HTTP/1.1 x"]
)
answers = st.builds(lambda start, rest: lines(start, *rest), statuses, st.lists(fields, max_size=4))
requests_ = st.sampled_from(
    [lines(f"{method} / HTTP/1.{minor}", "Host: a", *more)
     for method in ("GET", "HEAD") for minor in (0, 1) for more in ((), ("Connection: close",))]
)  # fmt: skip


@given(st.lists(st.tuples(requests_, answers, st.booleans()), max_size=12))
def test_a_known_response_becomes_what_a_new_one_becomes(
    exchanges: list[tuple[bytes, bytes, bool]],
) -> None:
    remembering = service()
    for request, response, keep_alive in exchanges * 2:
        outcomes = []
        for each in (remembering, service()):
            plan = each.plan(request)
            try:
                peer = each.groups[""].peers[0]
                got = each.answer(plan, response, peer, keep_alive=plan.keep_alive and keep_alive)
            except ProtocolError as error:
                outcomes.append((error.status, error.message))
            else:
                outcomes.append(
                    (got.head, got.length, got.status, got.reusable, got.keep_alive, got.chunk,
                     got.bare)  # type: ignore[arg-type]
                )  # fmt: skip
        assert outcomes[0] == outcomes[1]


def test_what_is_kept_is_bounded() -> None:
    each = service()
    plan = each.plan(lines("GET / HTTP/1.1", "Host: a"))
    for number in range(2000):
        each.plan(lines(f"GET /{number} HTTP/1.1", "Host: a", f"X-Id: {number}"))
        response = lines("HTTP/1.1 200 OK", f"ETag: {number}")
        each.answer(plan, response, each.groups[""].peers[0], keep_alive=True)
    assert len(each.plans) <= 256
    assert len(plan.answers) <= 256
    each.plan(lines("GET / HTTP/1.1", "Host: a", "Cookie: " + "x" * 5000))
    assert not any(len(head) > 2048 for head in each.plans)
