"""`podweave switch`, `ambassadors` and `faults` on a running Pod, and the Secrets it is given."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from podweave.cli.ambassadors import lines
from podweave.cli.running_helpers import seconds
from podweave.cli.switch import said
from tests.ambassador.upstreams import named, upstream
from tests.engine.pods import pod, sleeper
from tests.installations import Installation


@contextlib.contextmanager
def running(one: Installation, **spec: Any) -> Iterator[None]:
    with upstream(named(b"dev")) as dev, upstream(named(b"qa")) as qa:
        profiles = {
            name: {
                "upstreams": [{"address": f"host.podweave.internal:{server.port}"}],
                "credentials": {"secretRef": {"name": f"login-{name}"}},
                "tls": {"mode": "disable"},
            }
            for name, server in (("dev", dev), ("qa", qa))
        }
        if spec.get("protocol", "tcp") == "tcp":
            for profile in profiles.values():
                del profile["credentials"]
        pattern = {
            "apiVersion": "podweave.dev/v1alpha1",
            "kind": "Ambassador",
            "metadata": {"name": "db"},
            "spec": {"listen": "localhost:5432", "profile": "dev", "profiles": profiles, **spec},
        }
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "login-dev"},
            "data": {"username": base64.b64encode(b"kim").decode()},
        }
        manifest = "\n---\n".join(
            [pod("shop", sleeper(), metadata={"labels": {"app": "shop"}}), json.dumps(secret)]
        )
        files = one.write("pod.yaml", manifest), one.write("pattern.json", json.dumps(pattern))
        one.run("up", *files)
        yield


def dials(one: Installation) -> str:
    """What a client of the ambassador is greeted with."""
    script = "import socket; print(socket.create_connection(('localhost', 5432)).recv(9).decode())"
    return one.run("exec", "shop", "-c", "db", "--", "python3", "-c", script).stdout.strip()


def test_switch_ambassadors_and_faults(one: Installation) -> None:
    with running(one, onSwitch={"existing": "cut"}):
        assert dials(one) == "dev"
        shown = one.run("ambassadors", "shop").stdout.splitlines()
        assert shown[0].startswith("shop db: tcp, profile dev for ")
        assert "● host.podweave.internal:" in shown[1]

        (state,) = json.loads(one.run("ambassadors", "--json").stdout)
        assert (state["pod"], state["name"], state["profile"]) == ("shop", "db", "dev")
        assert state["upstreams"][0]["state"] == "up"

        switched = one.run("switch", "qa").stdout
        assert switched == "db: profile qa, was dev; 0 connections cut\n"
        assert dials(one) == "qa"
        (answer,) = one.run("switch", "dev", "--existing", "keep", "--json").stdout.splitlines()
        assert json.loads(answer)["kept"] == 0
        wrong = one.run("switch", "prod", check=False)
        assert (wrong.returncode, wrong.stderr) == (
            1,
            "db: there is no profile 'prod'; there is dev, qa\n",
        )
        wrong = one.run("switch", "qa", "--grace", "1s", check=False)
        assert (wrong.returncode, wrong.stderr) == (2, "--grace: goes with --existing drain\n")

        set_ = one.run("faults", "set", "--latency", "150ms", "--reset", "5%").stdout
        assert set_ == ("db: profile dev: latency 150 ms, reset 5%; 0 open connections concerned\n")
        assert one.run("faults", "show").stdout == "db: profile dev: latency 150 ms, reset 5%\n"
        assert "faults on purpose in dev" in one.run("ambassadors").stdout
        one.run("faults", "clear", "shop")
        assert one.run("faults", "show").stdout == "db: no faults\n"
        for arguments, message in (
            (["--latency", "fast"], "--latency: 'fast' isn't a duration"),
            (["--bandwidth", "0"], "--bandwidth: '0' isn't a number of bytes"),
            (["--reset", "110%"], "--reset: '110%' isn't a share"),
            (["--jitter", "1s"], "jitter: is more than the latency"),
            (["--profile", "prod", "--latency", "1s"], "there is no profile 'prod'"),
            ([], "name a fault"),
        ):
            wrong = one.run("faults", "set", *arguments, check=False)
            assert (wrong.returncode, message in wrong.stderr) == (2, True), wrong.stderr
        wrong = one.run("ambassadors", "shop", "-c", "app", check=False)
        assert (wrong.returncode, wrong.stderr) == (2, "Pod shop has no ambassador app\n")


def test_secrets_are_files_of_the_helper_alone_and_need_not_exist(one: Installation) -> None:
    with running(one, protocol="redis"):
        place = "/etc/podweave-secrets/db"
        found = one.run("exec", "shop", "-c", "db", "--", "find", "-L", place, "-type", "f").stdout
        kept = [path for path in found.split() if "/.." not in path]
        assert kept == [f"{place}/dev/credentials/username"]
        content = one.run("exec", "shop", "-c", "db", "--", "cat", kept[0]).stdout
        assert content == "kim"
        hidden = one.run("exec", "shop", "-c", "app", "--", "ls", place, check=False)
        assert hidden.returncode != 0


def test_what_a_switch_leaves_behind_is_said() -> None:
    answer = {"profile": "qa", "previous": "dev", "redialled": 1}
    assert said(answer | {"kept": 3}) == (
        "profile qa, was dev; 1 waiting client dialled anew; 3 connections kept where they are"
    )
    assert said({"profile": "qa", "previous": "qa", "draining": 1, "grace_seconds": 1.5}) == (
        "profile qa, as before; 1 connection may end within 1.5 s"
    )


def test_durations() -> None:
    assert [seconds(text) for text in ("200ms", "1.5s", "2m", "30")] == [0.2, 1.5, 120.0, 30.0]


def test_an_ambassador_in_lines() -> None:
    state = {
        "protocol": "postgres",
        "profile": "stage",
        "since": "2026-11-23T05:00:00Z",
        "open": {"stage": 2, "dev": 1, "qa": 0},
        "held": 3,
        "stopping": True,
        "upstreams": [
            {"address": "a:1", "profile": "stage", "state": "up", "open": 2, "weight": 3,
             "priority": 0, "since": "2026-11-23T05:00:00Z"},
            {"address": "bb:1", "profile": "stage", "state": "ejected", "open": 0, "weight": 1,
             "priority": 1, "since": "2026-11-23T05:00:30Z", "ejected_seconds": 12.5,
             "reason": "ECONNREFUSED", "message": "refused"},
            {"address": "c:1", "profile": "dev", "state": "unknown", "open": 1, "weight": 1,
             "priority": 0},
        ],
        "faults": {"stage": {"latency": 0.2}},
        "configuration_error": "is not JSON",
        "restart_needed_for": ["listen"],
    }  # fmt: skip
    now = 1795410060.0
    assert lines("shop", "db", state, now) == [
        (
            "shop db: postgres, profile stage for 60s, 2 open, 3 waiting; "
            "still open in dev: 1; stopping",
            "plain",
        ),
        ("   ● a:1   up 60s, 2 open, weight 3", "good"),
        (
            "   ✗ bb:1  ejected 30s, 0 open, priority 1, left out for 12.5 s more: "
            "ECONNREFUSED: refused",
            "bad",
        ),
        ("     c:1   unknown, 1 open, of profile dev", "plain"),
        ("   faults on purpose in stage: latency 200 ms", "wait"),
        ("   the changed configuration is refused: is not JSON", "bad"),
        ("   changed, and waiting for a restart: listen", "wait"),
    ]
    assert lines("shop", "db", {"error": "gone"}, now) == [("✗ shop db: gone", "bad")]
