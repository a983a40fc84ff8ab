"""What the rules find in sidecars and adapters, each with its path."""

from __future__ import annotations

from typing import Any

import pytest

from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.text_encodings import NAMES
from podweave.model.log_formats import LOG_FORMAT_ALIASES, LOG_FORMATS
from podweave.model.log_reading import ENCODINGS
from podweave.model.own_formats import own_format_problem
from podweave.model.pattern_rules import log_glob_problem
from tests.model.rules import found


def reading(key: str, value: Any, path: str, message: str) -> tuple[str, Any, str, str]:
    logs = {"from": ["/a/x"], key: value, "store": {"files": {"directory": "/x"}}}
    return "Sidecar", {"logs": [logs]}, f"spec.logs[0].{path}", message


LOGS: list[tuple[str, dict[str, Any], str, str]] = [
    ("Adapter", {}, "spec", "logs is missing"),
    ("Adapter", {"logs": []}, "spec", "logs is missing"),
    ("Adapter", {"logs": [{"from": []}]}, "spec.logs[0].from", "at least one"),
    ("Adapter", {"logs": [{"from": ["log/x"]}]}, "spec.logs[0].from[0]", "is relative"),
    ("Adapter", {"logs": [{"from": ["/a/../b/x"]}]}, "spec.logs[0].from[0]", "`..`"),
    ("Adapter", {"logs": [{"from": ["/a/x"], "to": "out"}]}, "spec.logs[0].to", "or `stdout`"),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "format": "ngnix"}]},
        "spec.logs[0].format",
        "did you mean 'nginx'?",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "format": {"regex": "("}}]},
        "spec.logs[0].format.regex",
        "not a regular expression",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "format": {"regex": "x"}}]},
        "spec.logs[0].format.regex",
        "no named group",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "format": {"glob": "x"}}]},
        "spec.logs[0].format",
        "a format is a name, or one of",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "format": {"regex": "(?P<message>(a+)+)b"}}]},
        "spec.logs[0].format.regex",
        "take for ever",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "timeZone": "Asia/Seol"}]},
        "spec.logs[0].timeZone",
        "no time zone",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"drop": {}, "keep": {}}]}]},
        "spec.logs[0].steps[0]",
        "a step is one of",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"keep": {"level": ["warning"]}}]}]},
        "spec.logs[0].steps[0].keep.level",
        "no level",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"drop": {"status": {"atLeast": "x"}}}]}]},
        "spec.logs[0].steps[0].drop.status.atLeast",
        "a number",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"mask": {}}]}]},
        "spec.logs[0].steps[0].mask",
        "nothing to mask",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"mask": {"regex": "(x*)*"}}]}]},
        "spec.logs[0].steps[0].mask.regex",
        "take for ever",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"drop": {}}]}]},
        "spec.logs[0].steps[0].drop",
        "a condition names a field",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"sample": {"share": 0.5, "when": {}}}]}]},
        "spec.logs[0].steps[0].sample.when",
        "a condition names a field",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"mask": {"regex": ""}}]}]},
        "spec.logs[0].steps[0].mask.regex",
        "isn't empty",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"mask": {"kinds": ["cards"], "fields": []}}]}]},
        "spec.logs[0].steps[0].mask.fields",
        "names of fields",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"rateLimit": {"events": 1, "by": ""}}]}]},
        "spec.logs[0].steps[0].rateLimit.by",
        "the name of a field",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"add": {"": 1}}]}]},
        "spec.logs[0].steps[0].add",
        "can't be empty",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"add": {"share": float("nan")}}]}]},
        "spec.logs[0].steps[0].add.share",
        "JSON can write",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"drop": {"status": {"atLeast": float("inf")}}}]}]},
        "spec.logs[0].steps[0].drop.status.atLeast",
        "a number",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"sample": {"share": 2}}]}]},
        "spec.logs[0].steps[0].sample.share",
        "from 0 to 1",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "steps": [{"rateLimit": {"events": 0}}]}]},
        "spec.logs[0].steps[0].rateLimit.events",
        "at least 1",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "target": "A B"}]},
        "spec.logs[0].target",
        "isn't a valid name",
    ),
    ("Sidecar", {"logs": [{"from": ["/a/x"]}]}, "spec.logs[0]", "store is missing"),
    reading("encoding", "korean", "encoding", "no encoding is called 'korean'"),
    reading("encoding", "cp994", "encoding", "did you mean"),
    reading("exclude", ["a/b"], "exclude[0]", "neither a name"),
    reading("maxLine", "1", "maxLine", "isn't from 1Ki to 16Mi"),
    reading("maxLine", "long", "maxLine", "isn't a quantity"),
    reading("multiline", {}, "multiline", "either `start` or `continue`"),
    reading("multiline", {"start": "("}, "multiline.start", "not a regular expression"),
    reading("multiline", {"start": "(a+)+$"}, "multiline.start", "in several ways"),
    reading("multiline", {"start": "^#", "flushSeconds": 90}, "multiline.flushSeconds", "0 to 60"),
    reading("listen", [{}], "listen[0]", "either `pipe` or `socket`"),
    reading("listen", [{"pipe": "/run/a*"}], "listen[0].pipe", "names one file"),
    reading("listen", [{"socket": "log"}], "listen[0].socket", "is relative"),
    (
        "Sidecar",
        {"container": {"image": "x"}, "logs": [{"from": ["/a/x"], "maxLine": "2Ki"}]},
        "spec.logs[0].maxLine",
        "beside `container`",
    ),
    (
        "Adapter",
        {"logs": [{"from": ["/a/x"], "encoding": "korean"}]},
        "spec.logs[0].encoding",
        "no encoding",
    ),
    (
        "Sidecar",
        {"logs": [{"from": ["/a/x"], "store": {"files": {"directory": "x"}}}]},
        "spec.logs[0].store.files.directory",
        "is relative",
    ),
    (
        "Sidecar",
        {
            "logs": [
                {
                    "from": ["/a/x"],
                    "store": {
                        "files": {"directory": "/x", "volume": {"name": "v", "emptyDir": {}}}
                    },
                }
            ]
        },
        "spec.logs[0].store.files.volume",
        "one volume source",
    ),
    (
        "Sidecar",
        {"logs": [{"from": [{"adapter": "A"}], "store": {"files": {"directory": "/x"}}}]},
        "spec.logs[0].from[0].adapter",
        "isn't a valid name",
    ),
    (
        "Sidecar",
        {"logs": [{"from": {"adapter": "A"}, "store": {"files": {"directory": "/x"}}}]},
        "spec.logs[0].from.adapter",
        "isn't a valid name",
    ),
    (
        "Sidecar",
        {
            "container": {"image": "x"},
            "logs": [{"from": ["/a/x"], "store": {"files": {"directory": "/x"}}}],
        },
        "spec.logs[0].store",
        "beside `container`",
    ),
]


@pytest.mark.parametrize(("kind", "spec", "path", "message"), LOGS)
def test_logs(kind: str, spec: dict[str, Any], path: str, message: str) -> None:
    errors = found(kind, spec)
    assert list(errors) == [path]
    assert message in errors[path]


@pytest.mark.parametrize(
    ("glob", "problem"),
    [
        ("/var/log/app/*.log", None),
        ("/var/log/app/app.log", None),
        ("/var/log/app/a[0-9]?.log", None),
        ("/var/log/*/app.log", None),
        ("/var/log/**/app.log", None),
        ("/*/app.log", "the first folder"),
        ("/var/log/app/", "name the files"),
        ("/app.log", "need a folder"),
        ("/", "root itself"),
        ("*.log", "is relative"),
        ("/a/b\nc", "control character"),
    ],
)
def test_log_globs_have_a_folder_that_can_be_shared(glob: str, problem: str | None) -> None:
    said = log_glob_problem(glob)
    assert said is None if problem is None else problem in (said or "")


def test_a_regular_expression_names_its_fields() -> None:
    assert own_format_problem("regex", r"(?P<level>\w+) (?P<message>.*)") is None
    assert own_format_problem("regex", "(" * 5000) is not None


def test_the_formats_are_those_of_the_adapter() -> None:
    assert LOG_FORMATS == catalogue.NAMES
    assert set(LOG_FORMAT_ALIASES) == set(catalogue.ALIASES)


def test_the_helpers_know_every_encoding() -> None:
    assert set(ENCODINGS) <= set(NAMES)
