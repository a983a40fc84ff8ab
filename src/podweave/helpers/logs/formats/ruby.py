"""Ruby's Logger, Rails' production log, Sidekiq, and Puma.

Sources: Ruby's Logger::Formatter, ActionController's and ActiveSupport's log subscribers
(Rails 5 to 8, with and without tags), Sidekiq's pretty formatter.
"""

from __future__ import annotations

from podweave.helpers.logs.formats.units import milliseconds
from podweave.helpers.logs.layouts import Format, Layout

_HEAD = (
    rb"[DIWEFAU], \[%{ISO8601:time} #%{INT:pid}\] +%{BEGIN:level}[A-Z]{3,7}%{END} -- "
    rb"%{BEGIN:process?}[^:\n]*%{END}: "
)
_TAGS = rb"(?>(?:\[%{BEGIN:request_id?}[0-9a-f\-]{36}%{END}\] )?)"
_STARTED = (
    rb'%{BEGIN:message}Started %{METHOD:method} "%{BEGIN:url}[^"\n]*%{END}" for '
    rb"%{SPACED:source_address} at [^\n]*%{END}"
)
_COMPLETED = (
    rb"%{BEGIN:message}Completed %{INT:status}(?: [A-Z][A-Za-z'\- ]*)? in "
    rb"%{BEGIN:_taken}\d{1,9}%{END}ms(?: \([^\n]*)?%{END}"
)
_PROCESSING = (
    rb"%{BEGIN:message}Processing by %{BEGIN:class_name}[\w:]+%{END}#"
    rb"%{BEGIN:function}\w+[?!]?%{END}"
    rb" as [^\n]*%{END}"
)
_TOOK = (("duration", "_taken", milliseconds),)

FORMATS = {
    "rails": Format(
        "rails",
        (
            *(
                Layout(head + _TAGS + said, derive=_TOOK if said is _COMPLETED else ())
                for head in (_HEAD, b"")
                for said in (_STARTED, _PROCESSING, _COMPLETED)
            ),
        ),
        samples=(
            (
                (
                    b"I, [2026-11-23T02:16:56.789012 #31]  INFO -- : [3f2b1c4d-5e6"
                    b'f-4a7b-8c9d-0e1f2a3b4c5d] Started GET "/orders?page=2" for 1'
                    b"92.0.2.7 at 2026-11-23 02:16:56 +0000"
                ),
                {
                    "pid": 31,
                    "level": "info",
                    "request_id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
                    "message": (
                        'Started GET "/orders?page=2" for 192.0.2.7 at 2026-11-23 02:16:56 +0000'
                    ),
                    "method": "GET",
                    "url": "/orders?page=2",
                    "source_address": "192.0.2.7",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                (
                    b"I, [2026-11-23T02:16:56.790012 #31]  INFO -- : [3f2b1c4d-5e6"
                    b"f-4a7b-8c9d-0e1f2a3b4c5d] Processing by OrdersController#ind"
                    b"ex as HTML"
                ),
                {
                    "pid": 31,
                    "level": "info",
                    "request_id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
                    "message": "Processing by OrdersController#index as HTML",
                    "class_name": "OrdersController",
                    "function": "index",
                    "time": (1795400216, "790012"),
                },
            ),
            (
                (
                    b"I, [2026-11-23T02:16:56.810012 #31]  INFO -- : [3f2b1c4d-5e6"
                    b"f-4a7b-8c9d-0e1f2a3b4c5d] Completed 200 OK in 17ms (Views: 1"
                    b"1.2ms | ActiveRecord: 1.3ms | Allocations: 4711)"
                ),
                {
                    "pid": 31,
                    "level": "info",
                    "request_id": "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
                    "message": (
                        "Completed 200 OK in 17ms (Views: 11.2ms | ActiveRecord: 1"
                        ".3ms | Allocations: 4711)"
                    ),
                    "status": 200,
                    "time": (1795400216, "810012"),
                    "duration": 0.017,
                },
            ),
            (
                b'Started POST "/orders" for 127.0.0.1 at 2026-11-23 02:16:56 +0900',
                {
                    "message": 'Started POST "/orders" for 127.0.0.1 at 2026-11-23 02:16:56 +0900',
                    "method": "POST",
                    "url": "/orders",
                    "source_address": "127.0.0.1",
                },
            ),
            (
                b"Processing by OrdersController#create as JSON",
                {
                    "message": "Processing by OrdersController#create as JSON",
                    "class_name": "OrdersController",
                    "function": "create",
                },
            ),
            (
                b"Completed 500 Internal Server Error in 3ms (ActiveRecord: 0.0ms)",
                {
                    "message": "Completed 500 Internal Server Error in 3ms (ActiveRecord: 0.0ms)",
                    "status": 500,
                    "duration": 0.003,
                },
            ),
        ),
    ),
    "ruby": Format(
        "ruby",
        (Layout(_HEAD + _TAGS + rb"%{REST:message}"),),
        samples=(
            (
                b"W, [2026-11-23T02:16:56.789012 #31]  WARN -- shop: slow order",
                {
                    "pid": 31,
                    "level": "warn",
                    "process": "shop",
                    "message": "slow order",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                b"E, [2026-11-23T02:16:56.789012 #31] ERROR -- : no stock (RuntimeError)",
                {
                    "pid": 31,
                    "level": "error",
                    "message": "no stock (RuntimeError)",
                    "time": (1795400216, "789012"),
                },
            ),
            (
                b"A, [2026-11-23T02:16:56.789012 #31]   ANY -- : anything",
                {
                    "pid": 31,
                    "level": "info",
                    "message": "anything",
                    "time": (1795400216, "789012"),
                },
            ),
        ),
        levels={"ANY": "info", "UNKNOWN": "info"},
    ),
    "sidekiq": Format(
        "sidekiq",
        (
            Layout(
                rb"%{ISO8601:time} pid=%{INT:pid} tid=%{BEGIN:thread}\w+%{END} "
                rb"(?>(?:class=%{BEGIN:class_name?}[\w:]+%{END} )?)"
                rb"(?>(?:jid=%{BEGIN:job?}\w+%{END} )?)"
                rb"(?>(?:elapsed=%{BEGIN:duration?}\d{1,9}(?:\.\d{1,9})?%{END} )?)"
                rb"%{BEGIN:level}[A-Z]+%{END}: %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23T02:16:56.789Z pid=31 tid=gmu class=OrderJob jid=e"
                    b"0c1a2b3c4d5e6f708192a3b INFO: start"
                ),
                {
                    "pid": 31,
                    "thread": "gmu",
                    "class_name": "OrderJob",
                    "level": "info",
                    "message": "start",
                    "time": (1795400216, "789"),
                    "attributes": {
                        "job": "e0c1a2b3c4d5e6f708192a3b",
                    },
                },
            ),
            (
                (
                    b"2026-11-23T02:16:56.806Z pid=31 tid=gmu class=OrderJob jid=e"
                    b"0c1a2b3c4d5e6f708192a3b elapsed=0.017 INFO: done"
                ),
                {
                    "pid": 31,
                    "thread": "gmu",
                    "class_name": "OrderJob",
                    "duration": 0.017,
                    "level": "info",
                    "message": "done",
                    "time": (1795400216, "806"),
                    "attributes": {
                        "job": "e0c1a2b3c4d5e6f708192a3b",
                    },
                },
            ),
            (
                b"2026-11-23T02:16:57.000Z pid=31 tid=gn2 WARN: shutting down",
                {
                    "pid": 31,
                    "thread": "gn2",
                    "level": "warn",
                    "message": "shutting down",
                    "time": (1795400217, "000"),
                },
            ),
        ),
    ),
}
