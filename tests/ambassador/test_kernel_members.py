"""Which addresses get the kernel's connections: those of the first priority that answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from podweave.helpers.ambassador.kernel.members import Members
from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import Loop
from podweave.helpers.wire.nftables import Member

FIRST, SECOND = "192.0.2.1", "192.0.2.2"
REFUSED = DialError("ECONNREFUSED", "connect: Connection refused")


class Dials:
    """In the place of a connector: the test says what becomes of each dial."""

    def __init__(self) -> None:
        self.waiting: dict[str, Callable[[socket.socket | DialError], object]] = {}

    def connect(self, host: str, port: int, timeout: float, done: Any) -> Dials:
        self.waiting[host] = done
        return self

    def cancel(self) -> None:
        pass

    def answer(self, host: str, error: DialError | None = None) -> None:
        self.waiting.pop(host)(error or socket.socket())


class Play:
    def __init__(self, loop: Loop) -> None:
        self.dials = Dials()
        self.told: list[list[str]] = []
        upstreams = [Upstream(SECOND, 5432, 1, 1), Upstream(FIRST, 5432, 1, 0)]
        profile = Profile("dev", upstreams)
        connector: Any = self.dials
        resolver: Any = None
        self.members = Members(loop, connector, resolver, profile, self.found, lambda *told: None)
        loop.step(5)

    def found(self, members: list[Member], failure: DialError | None) -> None:
        self.told.append([socket.inet_ntoa(member.address) for member in members])


@pytest.fixture
def play() -> Iterator[Play]:
    loop = Loop()
    play = Play(loop)
    yield play
    play.members.close()
    loop.close()


def test_the_second_priority_does_not_get_ahead_by_answering_sooner(play: Play) -> None:
    play.dials.answer(SECOND)
    assert play.told == []
    play.dials.answer(FIRST)
    assert play.told == [[FIRST]]


def test_the_second_priority_follows_when_the_first_has_failed(play: Play) -> None:
    play.dials.answer(SECOND)
    play.dials.answer(FIRST, REFUSED)
    assert play.told == [[SECOND]]


def test_the_first_priority_need_not_wait_for_the_second(play: Play) -> None:
    play.dials.answer(FIRST)
    assert play.told == [[FIRST]]


def test_that_nobody_answers_is_told_when_it_is_known(play: Play) -> None:
    play.dials.answer(SECOND, REFUSED)
    assert play.told == []
    play.dials.answer(FIRST, REFUSED)
    assert play.told == [[]]
