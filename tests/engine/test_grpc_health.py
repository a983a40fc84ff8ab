"""The grpc exchange: without any socket, and against a gRPC server that isn't ours."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.engines.local.probes.grpc_health import GrpcHealth

FRAME = b"\x00\x00%c\x00%c\x00\x00\x00\x01"


def data(message: bytes, flags: int = 0) -> bytes:
    return FRAME % (len(message), flags) + message


def answer(message: bytes) -> tuple[bool, str] | None:
    exchange = GrpcHealth("db", "x:1")
    exchange.feed(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + data(message))
    return exchange.verdict


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        (b"\x00\x00\x00\x00\x02\x08\x01", (True, "service 'db' is SERVING")),
        (b"\x00\x00\x00\x00\x02\x08\x02", (False, "service 'db' is NOT_SERVING")),
        (b"\x00\x00\x00\x00\x00", (False, "service 'db' is UNKNOWN")),
        (b"\x00\x00\x00\x00\x02\x08", None),
    ],
)
def test_the_message_is_the_verdict(message: bytes, verdict: tuple[bool, str] | None) -> None:
    assert answer(message) == verdict


def test_settings_and_pings_are_acknowledged() -> None:
    exchange = GrpcHealth("", "x:1")
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    ping = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"12345678"
    assert exchange.feed(settings) == b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"
    assert exchange.feed(ping) == b"\x00\x00\x08\x06\x01\x00\x00\x00\x00" + b"12345678"


def test_a_server_of_another_protocol_is_failure() -> None:
    exchange = GrpcHealth("", "x:1")
    exchange.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert exchange.verdict == (False, "not an HTTP/2 server")


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_answer_breaks_it(received: bytes, size: int) -> None:
    exchange = GrpcHealth("s", "x:1")
    for start in range(0, len(received), size):
        exchange.feed(received[start : start + size])
    exchange.ended()
    assert exchange.verdict is not None


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    grpc: Any = pytest.importorskip("grpc")
    health: Any = importlib.import_module("grpc_health.v1.health")
    messages: Any = importlib.import_module("grpc_health.v1.health_pb2")
    services: Any = importlib.import_module("grpc_health.v1.health_pb2_grpc")
    servicer = health.HealthServicer()
    servicer.set("", messages.HealthCheckResponse.SERVING)
    servicer.set("db", messages.HealthCheckResponse.SERVING)
    servicer.set("ill", messages.HealthCheckResponse.NOT_SERVING)
    running = grpc.server(futures.ThreadPoolExecutor(2))
    services.add_HealthServicer_to_server(servicer, running)
    port: int = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield port
    running.stop(None).wait()


@pytest.mark.parametrize(
    ("service", "ok", "said"),
    [
        ("", True, "SERVING"),
        ("db", True, "SERVING"),
        ("ill", False, "NOT_SERVING"),
        ("unknown", False, "unknown"),
        ("long" * 60, False, "long"),
    ],
)
def test_a_real_server_is_understood(server: int, service: str, ok: bool, said: str) -> None:
    exchange = GrpcHealth(service, f"127.0.0.1:{server}")
    with socket.create_connection(("127.0.0.1", server), timeout=60) as connection:
        connection.sendall(exchange.opening())
        while exchange.verdict is None:
            received = connection.recv(65536)
            if received:
                connection.sendall(exchange.feed(received))
            else:
                exchange.ended()
    assert exchange.verdict[0] is ok
    assert said in exchange.verdict[1]
