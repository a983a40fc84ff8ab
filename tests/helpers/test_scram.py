"""SCRAM against its RFC's example, against another implementation, and against nonsense."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
import scramp  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.wire.channel_binding import server_end_point
from podweave.helpers.wire.scram import (
    MAX_ITERATIONS,
    ScramClient,
    ScramError,
    prepared,
    salted_password,
)

NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)


def client(password: bytes = b"pencil", **more: bytes | None) -> ScramClient:
    return ScramClient(password, NONCE, salted_password, **more)  # type: ignore[arg-type]


def test_salted_passwords_are_pbkdf2() -> None:
    for iterations in (1, 2, 1000):
        for password in (b"", b"pencil", b"x" * 65, "påss".encode()):
            expected = hashlib.pbkdf2_hmac("sha256", password, b"salt", iterations)
            assert salted_password(password, b"salt", iterations) == expected


def test_a_whole_login_step_by_step() -> None:
    """The messages of RFC 7677's example but for the user's name, which PostgreSQL ignores."""
    scram = client()
    assert scram.first() == b"n,,n=*,r=rOprNGfwEbeRWgbNEkqO"
    final = scram.continued(SERVER_FIRST)
    assert final.startswith(b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=")
    assert not scram.verified


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_another_implementation_agrees(password: str) -> None:
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    try:
        verifier = mechanism.make_auth_info(password, iteration_count=4096)
    except scramp.ScramException:
        return  # SASLprep prohibits it
    server = mechanism.make_server(lambda user: verifier)
    scram = client(prepared(password.encode()))
    server.set_client_first(scram.first().decode())
    server.set_client_final(scram.continued(server.get_server_first().encode()).decode())
    scram.final(server.get_server_final().encode())
    assert scram.verified


def test_a_password_that_saslprep_prohibits_stays_as_it_is() -> None:
    assert prepared(b"\xff\xfe") == b"\xff\xfe"
    assert prepared("tab\tä".encode()) == "tab\tä".encode()
    assert prepared("\u2168 \u00ad\u00e4".encode()) == "IX ä".encode()


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    scram = client()
    scram.first()
    scram.continued(SERVER_FIRST)
    with pytest.raises(ScramError, match="does"):
        scram.final(b"v=" + b"A" * 43 + b"=")
    assert not scram.verified


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"r=other,s=eA==,i=4096",
        b"r=" + NONCE.encode() + b",s=eA==,i=4096",
        b"m=x," + SERVER_FIRST,
        SERVER_FIRST.replace(b"4096", b"0"),
        SERVER_FIRST.replace(b"4096", b"-1"),
        SERVER_FIRST.replace(b"4096", b"%d" % (MAX_ITERATIONS + 1)),
        SERVER_FIRST.replace(b"4096", b"9" * 1000),
        SERVER_FIRST.replace(b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s="),
        SERVER_FIRST.replace(b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s=?"),
        b"r=" + NONCE.encode() + b"x" * 1000 + b",s=eA==,i=4096",
    ],
)
def test_a_servers_demands_are_bounded(message: bytes) -> None:
    scram = client()
    scram.first()
    with pytest.raises(ScramError):
        scram.continued(message)


def test_messages_out_of_turn() -> None:
    with pytest.raises(ScramError):
        client().continued(SERVER_FIRST)
    scram = client()
    scram.first()
    with pytest.raises(ScramError):
        scram.final(b"v=eA==")
    with pytest.raises(ScramError):
        client().final(b"e=unknown-user")


def test_a_binding_is_part_of_the_proof() -> None:
    bound = ScramClient(b"pencil", NONCE, salted_password, b"hash")
    assert bound.mechanism == "SCRAM-SHA-256-PLUS"
    assert bound.first().startswith(b"p=tls-server-end-point,,")
    assert bound.continued(SERVER_FIRST).startswith(b"c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsaGFzaA==,")
    hidden = ScramClient(b"pencil", NONCE, salted_password, could_bind=True)
    assert hidden.first().startswith(b"y,,")


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_server_raises_anything_else(first: bytes, final: bytes) -> None:
    scram = client()
    scram.first()
    with contextlib.suppress(ScramError):
        scram.continued(first)
        scram.final(final)
    assert not scram.verified


@given(st.binary(max_size=300))
def test_no_certificate_raises_anything(data: bytes) -> None:
    assert server_end_point(data) is None or len(server_end_point(data) or b"") >= 28
