"""Bad configurations: exit 2 and `FILE: path: what is wrong`."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.settings import Settings
from podweave.helpers.configuration import ConfigurationError
from tests.helpers.processes import run

GOOD: dict[str, Any] = {
    "version": 1,
    "program": "ambassador",
    "name": "orders-db",
    "listen": [["127.0.0.1", 5432], ["::1", 5432]],
    "admin": ["127.0.0.1", 15901],
    "protocol": "postgres",
    "profile": "dev",
    "profiles": {
        "dev": {"upstreams": [["dev-db.example", 5432, 1]]},
        "qa": {"upstreams": [["10.0.0.1", 5432], ["fd00::1", 5433, 3]]},
    },
    "connect_timeout": 10.0,
    "drain": 30,
}


def test_a_good_one() -> None:
    settings = Settings(GOOD)
    assert settings.listen == [("127.0.0.1", 5432), ("::1", 5432)]
    assert [upstream.label for upstream in settings.profiles["qa"].upstreams] == [
        "10.0.0.1:5432",
        "[fd00::1]:5433",
    ]
    assert [upstream.weight for upstream in settings.profiles["qa"].upstreams] == [1, 3]
    assert settings.connect_timeout == 10.0


def test_all_that_a_profile_may_have() -> None:
    profile = {
        "upstreams": [["a", 1, 3, 1]],
        "balance": "least_connections",
        "health_check": {
            "interval": 5,
            "timeout": 1,
            "unhealthy_after": 4,
            "healthy_after": 1,
            "http": {"path": "/healthz", "host": "a:81", "port": 81},
        },
        "ejection": {"failures": 2, "seconds": 7},
        "limits": {"connections": 8, "waiting": 9},
        "tls": {"mode": "verify-full", "ca": "/ca", "certificate": "/c", "key": "/k"},
        "credentials": {"username": "/u", "password": "/p"},
        "database": "orders",
    }
    switch = {"existing": "drain", "grace": 3}
    settings = Settings({**GOOD, "profiles": {"dev": profile}, "on_switch": switch})
    dev = settings.profiles["dev"]
    assert (dev.upstreams[0].weight, dev.upstreams[0].priority) == (3, 1)
    assert dev.balance == "least_connections"
    assert dev.health_check is not None
    assert dev.health_check.http is not None
    assert (dev.health_check.interval, dev.health_check.http.port) == (5.0, 81)
    assert (dev.ejection.failures, dev.ejection.seconds) == (2, 7.0)
    assert (dev.limits.connections, dev.limits.waiting) == (8, 9)
    assert dev.tls is not None
    assert (dev.tls.mode, dev.tls.server_name, dev.tls.key) == ("verify-full", "", "/k")
    assert dev.credentials is not None
    assert dev.credentials.password == "/p"
    assert dev.database == "orders"
    assert (settings.on_switch.existing, settings.on_switch.grace) == ("drain", 3.0)


def test_a_login_is_of_the_protocols_that_have_one() -> None:
    profile = {"upstreams": [["a", 1]], "database": "x"}
    message = "profiles.dev.database: is for postgres, mysql, redis; the protocol is tcp"
    with pytest.raises(ConfigurationError, match=message):
        Settings({**GOOD, "protocol": "tcp", "profiles": {"dev": profile}})


def test_tls_that_is_disabled_is_none() -> None:
    profile = {"upstreams": [["a", 1]], "tls": {"mode": "disable"}}
    assert Settings({**GOOD, "profiles": {"dev": profile}}).profiles["dev"].tls is None


@pytest.mark.parametrize(
    ("listen", "host", "circle"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "LOCALHOST.", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "10.0.0.1", False),
        ("0.0.0.0", "127.0.0.2", True),
        ("0.0.0.0", "localhost", True),
        ("10.0.0.1", "localhost", False),
        ("10.0.0.1", "10.0.0.1", True),
    ],
)
def test_an_ambassador_is_not_its_own_upstream(listen: str, host: str, circle: bool) -> None:
    config = {
        **GOOD,
        "listen": [[listen, 5432]],
        "profiles": {"dev": {"upstreams": [[host, 5432]]}},
    }
    if circle:
        with pytest.raises(ConfigurationError, match="where the ambassador itself listens"):
            Settings(config)
    else:
        assert Settings(config).profile == "dev"
        assert Settings({**config, "listen": [[listen, 5433]]}).profile == "dev"


ABSENT = object()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, "version: is 2; must be 1"),
        (("program",), "adapter", "program: is 'adapter'; must be one of ambassador"),
        (("name",), ABSENT, "lacks the key 'name'"),
        (("extra",), 1, "extra: is not a known key"),
        (("listen",), [], "listen: must have an address at least"),
        (("listen", 0), ["localhost", 1], "listen[0][0]: is 'localhost'; must be an IP address"),
        (("listen", 1), ["::1", 70000], "listen[1][1]: is 70000; must be between 0 and 65535"),
        (("admin",), "x", 'admin: must be an address ["HOST", PORT]'),
        (
            ("protocol",),
            "smtp",
            "protocol: is 'smtp'; must be one of tcp, http, postgres, mysql, redis",
        ),
        (("profile",), "prod", "profile: is 'prod'; must be one of dev, qa"),
        (("profiles",), {}, "profiles: must have a profile at least"),
        (("profiles", "qa"), [], "profiles.qa: must be an object, not an array"),
        (
            ("profiles", "qa", "upstreams"),
            [],
            "profiles.qa.upstreams: must have an upstream at least",
        ),
        (
            ("profiles", "qa", "upstreams", 1),
            ["a"],
            'profiles.qa.upstreams[1]: must be an upstream ["HOST", PORT, WEIGHT, PRIORITY]',
        ),
        (
            ("profiles", "dev", "upstreams", 0),
            ["a", 0],
            "profiles.dev.upstreams[0][1]: is 0; must be between 1 and 65535",
        ),
        (
            ("profiles", "dev", "upstreams", 0),
            ["a", 1, 0],
            "profiles.dev.upstreams[0][2]: is 0; must be between 1 and 1000",
        ),
        (
            ("profiles", "dev", "upstreams", 0),
            ["localhost", 5432],
            "profiles.dev.upstreams[0]: port 5432 of localhost is where the ambassador itself "
            "listens",
        ),
        (
            ("profiles", "dev", "upstreams", 0),
            ["a", 1, 1, 101],
            "profiles.dev.upstreams[0][3]: is 101; must be between 0 and 100",
        ),
        (
            ("profiles", "dev", "balance"),
            "random",
            "profiles.dev.balance: is 'random'; must be one of weighted, least_connections",
        ),
        (("profiles", "dev", "colour"), {}, "profiles.dev.colour: is not a known key"),
        (("profiles", "dev", "tls"), {}, "profiles.dev.tls: lacks the key 'mode'"),
        (
            ("profiles", "dev", "tls"),
            {"mode": "require", "certificate": "/x"},
            "profiles.dev.tls: must have both certificate and key, or neither",
        ),
        (
            ("profiles", "dev", "health_check"),
            {"interval": 0},
            "profiles.dev.health_check.interval: is 0; must be between 0.05 and 86400 seconds",
        ),
        (
            ("profiles", "dev", "health_check"),
            {"http": {"path": "/a b"}},
            "profiles.dev.health_check.http.path: has a character that HTTP doesn't allow",
        ),
        (
            ("profiles", "dev", "ejection"),
            {"failures": -1},
            "profiles.dev.ejection.failures: is -1; must be between 0 and 1000",
        ),
        (
            ("profiles", "dev", "limits"),
            {"clients": 1},
            "profiles.dev.limits.clients: is not a known key",
        ),
        (
            ("profiles", "dev", "credentials"),
            {"username": "/x"},
            "profiles.dev.credentials: lacks the key 'password'",
        ),
        (
            ("on_switch",),
            {"existing": "stop"},
            "on_switch.existing: is 'stop'; must be one of keep, drain, cut",
        ),
        (("datapath",), "user", "datapath: is 'user'; must be one of auto, proxy, kernel"),
        (("connect_timeout",), -1, "connect_timeout: is -1; must be between 0 and 86400 seconds"),
        (("drain",), "1", "drain: must be seconds, not a string"),
    ],
)
def test_bad_ones(path: tuple[str | int, ...], value: object, message: str) -> None:
    config = copy.deepcopy(GOOD)
    place: Any = config
    for part in path[:-1]:
        place = place[part]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(ConfigurationError) as raised:
        Settings(config)
    assert str(raised.value) == message


def test_the_program_says_it_and_exits_with_2(tmp_path: Path) -> None:
    file = tmp_path / "orders-db.json"
    file.write_text(json.dumps({**GOOD, "profile": "prod"}))
    result = run("ambassador", str(file))
    assert result.returncode == 2
    assert result.stderr == f"{file}: profile: is 'prod'; must be one of dev, qa\n"


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), json_values)
def test_any_value_anywhere_is_taken_or_refused_clearly(key: str, value: object) -> None:
    with contextlib.suppress(ConfigurationError):
        assert Settings({**GOOD, key: value}).profile in GOOD["profiles"]
