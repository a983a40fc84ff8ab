"""resolv.conf and hosts, as resolv.conf(5) and hosts(5) describe them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire.name_files import parse_hosts, parse_resolv_conf

POD = """\
# written by the kubelet
search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
options ndots:5 timeout:1 attempts:3
"""


def test_a_pods_resolv_conf() -> None:
    settings = parse_resolv_conf(POD)
    assert settings.servers == ["10.96.0.10"]
    assert (settings.ndots, settings.timeout, settings.attempts) == (5, 1.0, 3)
    assert settings.candidates("db") == [
        "db.shop.svc.cluster.local",
        "db.svc.cluster.local",
        "db.cluster.local",
        "db",
    ]
    assert settings.candidates("a.b.c.d.e.f")[0] == "a.b.c.d.e.f"
    assert settings.candidates("db.example.") == ["db.example"]


def test_defaults_and_limits() -> None:
    settings = parse_resolv_conf("")
    assert settings.servers == ["127.0.0.1"]
    assert settings.candidates("db") == ["db"]
    many = "".join(f"nameserver 10.0.0.{n}\n" for n in range(9))
    odd = (
        "options ndots:99 timeout:0 attempts:99 rotate ndots: edns0 timeout:x\n; comment\nsearch\n"
    )
    settings = parse_resolv_conf(many + odd)
    assert len(settings.servers) == 3
    assert (settings.ndots, settings.timeout, settings.attempts) == (15, 1.0, 5)
    assert settings.rotate


def test_the_last_search_or_domain_line_counts() -> None:
    settings = parse_resolv_conf("search a.example b.example\ndomain c.example.\n")
    assert settings.search == ["c.example"]


def test_hosts() -> None:
    hosts = parse_hosts(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
        "10.0.0.3\tDB.example db # the database\n# 1.2.3.4 no\n10.0.0.3 db\n\n10.0.0.9\n"
    )
    assert hosts["localhost"] == ["127.0.0.1", "::1"]
    assert hosts["db.example"] == ["10.0.0.3"]
    assert hosts["db"] == ["10.0.0.3"]
    assert "no" not in hosts


@given(st.text(max_size=300))
def test_any_text_gives_settings(text: str) -> None:
    settings = parse_resolv_conf(text)
    assert 1 <= len(settings.servers) <= 3
    assert settings.candidates("db")
    assert all(parse_hosts(text).values())
