"""A changed configuration file: seen however it changes, taken over whole, or refused."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import named, upstream
from tests.ports import free_port
from tests.waiting import wait_until

Change = Callable[[dict[str, Any]], object]
RELOADS = "podweave_ambassador_configuration_reloads_total"


def rename(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


def symlinks(file: Path, text: str) -> None:
    """As the kubelet changes a ConfigMap's volume: a new folder, and `..data` led there."""
    folder = file.parent
    version = folder / f"..{len(list(folder.iterdir()))}"
    version.mkdir()
    (version / file.name).write_text(text)
    link = folder / "..data_tmp"
    link.symlink_to(version.name)
    link.replace(folder / "..data")
    if not file.is_symlink():
        file.unlink()
        file.symlink_to(f"..data/{file.name}")


def changed(ambassador: Ambassador, change: Change, write: Callable[[Path, str], None]) -> None:
    config = json.loads(ambassador.config_file.read_text())
    change(config)
    write(ambassador.config_file, json.dumps(config))


def hurry(ambassador: Ambassador) -> None:
    """SIGHUP makes it look at once."""
    ambassador.process.send_signal(signal.SIGHUP)


def hurried(ambassador: Ambassador, condition: Callable[[], Any], what: str) -> None:
    """Wait for it without waiting for the next look."""

    def look() -> Any:
        hurry(ambassador)
        return condition()

    wait_until(look, 20, what)


def event(ambassador: Ambassador, name: str) -> dict[str, Any]:
    """An event that comes of a look."""
    hurried(ambassador, lambda: any(e["event.action"] == name for e in ambassador.events), name)
    return ambassador.event(name)


def greeting(ambassador: Ambassador) -> str:
    with ambassador.dial() as client:
        return client.recv(100).decode().strip()


def set_dev(upstreams: list[list[object]]) -> Change:
    def change(config: dict[str, Any]) -> None:
        config["profiles"]["dev"]["upstreams"] = upstreams

    return change


@pytest.mark.parametrize("write", [rename, in_place, symlinks])
def test_a_change_is_seen_by_itself(start: Start, write: Callable[[Path, str], None]) -> None:
    with upstream(named(b"old")) as old, upstream(named(b"new")) as new:
        ambassador = start(dev=[old.config])
        if write is symlinks:
            changed(ambassador, lambda config: None, symlinks)
        assert greeting(ambassador) == "old"
        with ambassador.dial() as before:
            assert before.recv(100) == b"old\n"
            changed(ambassador, set_dev([new.config]), write)
            wait_until(lambda: greeting(ambassador) == "new", 20, "the change is in use")
            before.sendall(b"x\n")
            assert before.recv(100) == b"old x\n", "open connections stay, by default"
        assert ambassador.metric(RELOADS, result="applied") == 1
        assert ambassador.event("configuration-applied")["changed"] == ["profiles"]
        metrics = ambassador.admin("GET", "/metrics")[1]
        up = 'podweave_ambassador_upstream_up{profile="dev",upstream="127.0.0.1:'
        shown = [line for line in metrics.splitlines() if line.startswith(up)]
        assert shown == [f'{up}{new.port}"}} 1'], "what is gone is shown no more"


BAD: list[tuple[str, str]] = [
    ("", "is not JSON"),
    ('{"version": 1, ', "is not JSON"),
    ("[]", "must be a JSON object"),
    ('{"version": 2}', "version: is 2"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_one_is_refused_and_the_old_one_stays(start: Start, text: str, message: str) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config])
        good = ambassador.config_file.read_text()
        rename(ambassador.config_file, text)
        said = event(ambassador, "configuration-refused")["message"]
        assert message in said
        assert said.endswith("; the ambassador goes on with the one before")
        assert ambassador.metric(RELOADS, result="refused") == 1
        assert ambassador.metric("podweave_ambassador_configuration_current") == 0
        state = json.loads(ambassador.admin("GET", "/state")[1])
        assert message in state["configuration_error"]
        assert greeting(ambassador) == "up"
        rename(ambassador.config_file, good)
        hurried(
            ambassador,
            lambda: ambassador.metric("podweave_ambassador_configuration_current") == 1,
            "going back puts it right",
        )
        assert ambassador.metric(RELOADS, result="refused") == 1, "refused once, not at each look"
        assert "configuration_error" not in json.loads(ambassador.admin("GET", "/state")[1])


def test_a_file_that_is_gone_is_refused_too(start: Start) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config])
        ambassador.config_file.unlink()
        assert "cannot be read" in event(ambassador, "configuration-refused")["message"]
        assert greeting(ambassador) == "up"


def test_what_is_half_written_is_not_reported(start: Start) -> None:
    with upstream(named(b"old")) as old, upstream(named(b"new")) as new:
        ambassador = start(dev=[old.config])
        config = json.loads(ambassador.config_file.read_text())
        set_dev([new.config])(config)
        text = json.dumps(config)
        in_place(ambassador.config_file, text[: len(text) // 2])
        hurry(ambassador)
        wait_until(lambda: greeting(ambassador) == "old", 20, "it goes on")
        in_place(ambassador.config_file, text)
        hurry(ambassador)
        wait_until(lambda: greeting(ambassador) == "new", 20, "the whole file is in use")
        events = {event["event.action"] for event in ambassador.events}
        assert "configuration-refused" not in events


def test_a_profile_that_was_switched_to_stays_unless_the_file_names_another(start: Start) -> None:
    with contextlib.ExitStack() as stack:
        names = ["dev", "qa", "stage"]
        servers = {name: stack.enter_context(upstream(named(name.encode()))) for name in names}
        ambassador = start(**{name: [server.config] for name, server in servers.items()})
        ambassador.switch("qa")

        def reload(change: Change, count: int) -> None:
            changed(ambassador, change, rename)
            hurry(ambassador)
            applied = lambda: ambassador.metric(RELOADS, result="applied") == count  # noqa: E731
            wait_until(applied, 20, "the change is in use")

        reload(lambda config: config.update(drain=5.0), 1)
        assert greeting(ambassador) == "qa"
        reload(lambda config: config.update(profile="stage"), 2)
        assert greeting(ambassador) == "stage"
        ambassador.switch("qa")
        reload(lambda config: config["profiles"].pop("qa"), 3)
        assert greeting(ambassador) == "stage"
        assert ambassador.metric("podweave_ambassador_switches_total") == 4


def test_held_clients_follow_a_change(start: Start) -> None:
    with upstream(named(b"there")) as server:
        settings = {"connect_timeout": 60.0}
        ambassador = start(dev=[["127.0.0.1", free_port()]], settings=settings)
        with ambassador.dial() as client:
            held = "podweave_ambassador_clients_held"
            wait_until(lambda: ambassador.metric(held) == 1, 20, "it is held")
            changed(ambassador, set_dev([server.config]), rename)
            assert client.recv(100) == b"there\n"


def test_what_needs_a_restart_is_told_and_the_rest_taken_over(start: Start) -> None:
    with upstream(named(b"old")) as old, upstream(named(b"new")) as new:
        ambassador = start(dev=[old.config])

        def change(config: dict[str, Any]) -> None:
            set_dev([new.config])(config)
            config["listen"] = [["127.0.0.1", 1]]

        changed(ambassador, change, rename)
        assert event(ambassador, "restart-needed")["keys"] == ["listen"]
        assert greeting(ambassador) == "new"
        needed = "podweave_ambassador_configuration_restart_needed"
        assert ambassador.metric(needed) == 1
        changed(
            ambassador, lambda config: config.update(listen=[["127.0.0.1", 0], ["::1", 0]]), rename
        )
        hurried(ambassador, lambda: ambassador.metric(needed) == 0, "it is as it was")


def test_another_protocol_is_refused(start: Start) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config])
        changed(ambassador, lambda config: config.update(protocol="redis"), rename)
        message = event(ambassador, "configuration-refused")["message"]
        assert message.startswith("protocol: is redis, and tcp can't be changed at run time")


def test_touching_the_file_changes_nothing(start: Start) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert client.recv(100) == b"up\n"
            os.utime(ambassador.config_file, (1, 1))
            hurry(ambassador)
            text = ambassador.config_file.read_text()
            rename(ambassador.config_file, text)
            hurry(ambassador)
            client.sendall(b"x\n")
            assert client.recv(100) == b"up x\n"
        assert ambassador.metric(RELOADS, result="applied") == 0
        assert "configuration-applied" not in {e["event.action"] for e in ambassador.events}


@pytest.mark.parametrize("existing", ["drain", "cut"])
def test_connections_to_an_upstream_that_is_gone_from_the_file_are_leftovers(
    start: Start, existing: str
) -> None:
    with upstream(named(b"a")) as a, upstream(named(b"b")) as b:
        on_switch = {"existing": existing, "grace": 0.2}
        ambassador = start(dev=[a.config], settings={"on_switch": on_switch})
        with ambassador.dial() as client:
            assert client.recv(100) == b"a\n"
            changed(ambassador, set_dev([b.config]), rename)
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        assert ambassador.metric("podweave_ambassador_connections_cut_total") == 1


def test_what_was_learned_of_an_upstream_outlives_a_change(start: Start) -> None:
    gone = free_port()
    with upstream(named(b"good")) as good:
        bad: list[object] = ["127.0.0.1", gone, 1000]
        profile = {
            "upstreams": [bad, good.config],
            "ejection": {"failures": 1, "seconds": 600.0},
        }
        ambassador = start(settings={"profile": "dev", "profiles": {"dev": profile}})
        for _ in range(5):
            assert greeting(ambassador) == "good"
        edited = copy.deepcopy(profile)
        edited["limits"] = {"connections": 100}
        changed(ambassador, lambda config: config["profiles"].update(dev=edited), rename)
        event(ambassador, "configuration-applied")
        for _ in range(5):
            assert greeting(ambassador) == "good"
        failed = ambassador.metric(
            "podweave_ambassador_dial_failures_total",
            profile="dev",
            upstream=f"127.0.0.1:{gone}",
            reason="ECONNREFUSED",
        )
        assert failed == 1


def test_tls_may_come_with_a_change(start: Start) -> None:
    """A profile that needs a conversation, where none did before: the next client has one."""
    with upstream(named(b"plain")) as server:
        ambassador = start(dev=[server.config])
        assert greeting(ambassador) == "plain"

        def change(config: dict[str, Any]) -> None:
            config["profiles"]["dev"]["tls"] = {"mode": "require"}
            config["connect_timeout"] = 0.5

        changed(ambassador, change, rename)
        event(ambassador, "configuration-applied")
        with ambassador.dial() as client, contextlib.suppress(ConnectionResetError, socket.timeout):
            assert client.recv(100) != b"plain\n"
