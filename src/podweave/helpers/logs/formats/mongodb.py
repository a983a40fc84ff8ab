"""MongoDB: JSON since 4.4, text before. Source: "Log Messages" of its manual."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.structured.json_layout import OBJECT, TEXT, JsonLayout

_LEVELS = {"F": "fatal", "E": "error", "W": "warn", "I": "info", "D": "debug"}
_LEVELS |= {f"D{number}": "debug" if number < 3 else "trace" for number in range(1, 6)}

FORMATS = {
    "mongodb": Format(
        "mongodb",
        (
            JsonLayout(
                {
                    "t.$date": "time",
                    "s": "level",
                    "c": "logger",
                    "id": "event_code",
                    "ctx": "thread",
                    "msg": "message",
                    "attr.ns": "db_collection",
                    "attr.remote": "source_address",
                    "attr.durationMillis": "duration:ms",
                    "attr.nreturned": "db_rows",
                    "attr.error": "",
                    "attr.error.errmsg": "error_message",
                    "attr.error.codeName": "error_type",
                },
                requires={"t": OBJECT, "s": TEXT, "c": TEXT, "ctx": TEXT, "msg": TEXT},
            ),
        ),
        samples=(
            (
                (
                    b'{"t":{"$date":"2026-11-23T02:16:56.789+00:00"},"s":"I","c":"'
                    b'NETWORK","id":23016,"ctx":"listener","msg":"Waiting for conn'
                    b'ections","attr":{"port":27017,"ssl":"off"}}'
                ),
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "logger": "NETWORK",
                    "event_code": "23016",
                    "thread": "listener",
                    "message": "Waiting for connections",
                    "attributes": {
                        "attr": {
                            "port": 27017,
                            "ssl": "off",
                        },
                    },
                },
            ),
            (
                (
                    b'{"t":{"$date":"2026-11-23T02:16:57.000+00:00"},"s":"W","c":"'
                    b'COMMAND","id":51803,"ctx":"conn7","msg":"Slow query","attr":'
                    b'{"type":"command","ns":"shop.orders","command":{"find":"orde'
                    b'rs"},"planSummary":"COLLSCAN","nreturned":17,"remote":"192.0'
                    b'.2.7:51234","durationMillis":213}}'
                ),
                {
                    "time": (1795400217, "000"),
                    "level": "warn",
                    "logger": "COMMAND",
                    "event_code": "51803",
                    "thread": "conn7",
                    "message": "Slow query",
                    "db_collection": "shop.orders",
                    "db_rows": 17,
                    "source_address": "192.0.2.7:51234",
                    "duration": 0.213,
                    "attributes": {
                        "attr": {
                            "type": "command",
                            "command": {
                                "find": "orders",
                            },
                            "planSummary": "COLLSCAN",
                        },
                    },
                },
            ),
        ),
        levels=_LEVELS,
    ),
    "mongodb-text": Format(
        "mongodb-text",
        (
            Layout(
                rb"%{RFC3339:time} %{BEGIN:level}[FEWID][1-5]?%{END} +"
                rb"%{BEGIN:logger}[A-Z_\-]+%{END} +"
                rb"\[%{BRACKETED:thread}\] %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23T02:16:56.789+0000 I NETWORK  [listener] connectio"
                    b"n accepted from 192.0.2.7:51234 #7 (1 connection now open)"
                ),
                {
                    "level": "info",
                    "logger": "NETWORK",
                    "thread": "listener",
                    "message": (
                        "connection accepted from 192.0.2.7:51234 #7 (1 connection now open)"
                    ),
                    "time": (1795400216, "789"),
                },
            ),
            (
                b"2026-11-23T02:16:56.789+0000 D1 -        [initandlisten] starting",
                {
                    "level": "debug",
                    "logger": "-",
                    "thread": "initandlisten",
                    "message": "starting",
                    "time": (1795400216, "789"),
                },
            ),
        ),
        levels=_LEVELS,
    ),
}
