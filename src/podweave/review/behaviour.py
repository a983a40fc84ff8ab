"""What a container says about itself: its software, its name, its command line."""

from __future__ import annotations

import re
from typing import Final

from podweave.review.facts import ContainerFacts
from podweave.review.products import HELPERS, SHELLS, Recognition, image_path, program
from podweave.review.standing import Helper, Standing

_WORKER: Final = re.compile(
    r"(?<!--)\b(celery|sidekiq|resque|rq worker|queue:(work|listen)|horizon|worker|consumer|"
    r"consume|scheduler|schedule:run|cron|crond|beat|delayed_job|jobs:work|dramatiq|bullmq|process-queue)\b"
)

_IDLE: Final = re.compile(
    r"^((/bin/)?(sh|bash|ash|cat)|sleep\s+(infinity|inf|\d+[smhd]?)|tail\s+-f\s+/dev/null|"
    r"(/bin/)?(sh|bash|ash)\s+-c\s+(sleep\s+(infinity|inf|\d+[smhd]?)|tail -f /dev/null|"
    r"while (true|:|\[ true \]);?\s*do\s+sleep\s+\d+;?\s*done|"
    r"trap : term int; sleep infinity & wait)[;\s]*)$"
)
_FOLLOWS_LOG: Final = re.compile(
    r"\btail\s+(-\w+\s+|--\S+\s+)*-?-?\w*[fF]|journalctl|logrotate|\bless\b"
)

_TRANSFORMS: Final = re.compile(r"\|\s*(sed|awk|jq|tr|perl|python3?)\s")
_AGENT: Final = re.compile(r"\b(vault|consul|nomad|spire-agent|teleport|step)\s+agent\b")

_FETCHES: Final = re.compile(
    r"git\s+(pull|clone|fetch)|\brsync\b|aws s3|gsutil|\bwget\b|curl .*>|>\s*/\S*\.html|"
    r"inotifywait|kill\s+-?s?\s?-?hup|nginx -s reload|tee\s+/|date\s*>|echo .*>>?\s*/"
)

_BACKS_UP: Final = re.compile(
    r"mysqldump|pg_dump|mongodump|xtrabackup|rs\.initiate|replset|restic|backup|bgsave|"
    r"\bbr restore|mongorestore|sentinel|cluster meet|change master|pgbackrest"
)

_HELPER_NAMES: Final[tuple[tuple[str, Helper, float], ...]] = (
    (r"side-?car", "sidecar", 2.8),
    (r"ambassador", "ambassador", 2.8),
    (r"adapter|adaptor", "adapter", 2.8),
    (r"transform|convert(er|or)|formatter|normali[sz]er", "adapter", 1.6),
    (r"exporter|\bmetrics\b|prometheus-to|(^|-)stats$|jmx", "adapter", 1.8),
    (
        r"(^|[-_])logs?([-_]|$)|logger|logging|log-?tail|fluent|filebeat|tailer",
        "sidecar",
        1.6,
    ),
    (
        r"reload|watch(er)?$|(^|-)sync|syncer|refresh|updater|puller|poller?$|fetcher|downloader|"
        r"uploader|generator|content|cloner|loader",
        "sidecar",
        1.4,
    ),
    (
        r"(sql|db|cloudsql|egress|outbound|api|kube(api)?|redis|pg)-?proxy|bouncer",
        "ambassador",
        1.6,
    ),
    (
        r"(auth|oauth2?|rbac|tls|ssl|reverse|istio|linkerd|sso|https)-?proxy|terminator|envoy",
        "sidecar",
        1.8,
    ),
    (
        r"(^|[-_])agent([-_]|$)|registrar|elector|probe|health|monitor|guard|helper|backup|"
        r"cleanup|cleaner|janitor|rotate|renew|cert|vault|snapshotter|resizer|attacher|"
        r"provisioner|initiator|init-|scraper|debug|sentinel|dind|docker|tracer|nanny|reaper|"
        r"checker|discovery|resolver|config(?!-server)",
        "sidecar",
        1.3,
    ),
    (r"(^|[-_])proxy([-_]|$)|gateway-agent", "sidecar", 0.7),
)
_HELPER_PATTERNS: Final = tuple((re.compile(p), role, w) for p, role, w in _HELPER_NAMES)

_APP_NAMES: Final = re.compile(
    r"(^|[-_/])(app|web|api|backend|back-?end|frontend|front-?end|server|service|svc|ui|site|website|was|main|core|worker|portal|client|admin|gateway|webapp|application|controller|manager|engine)\d*([-_]|$)"
)  # fmt: skip


_MAIN_NAMES: Final = re.compile(
    r"(the-|my-?)?(app|main|application)\d?(-?(app|container|cont|ctr))?"
)


_PASTIME: Final = re.compile(
    r"(while (true|:|1|\[ true \])|do|done|true|wait|sleep\s+(infinity|inf|\d+[smhd]?)|"
    r"(echo|date|ls|pwd|hostname|env|whoami)(\s[^>|&`]*)?|)"
)
"""Commands that leave nothing behind and serve nobody."""


def waits(facts: ContainerFacts) -> bool:
    """Whether a container does nothing by itself: it sleeps, at most greeting from time to time."""
    if _IDLE.match(" ".join(facts.script.split())):
        return True
    argv = facts.argv
    if len(argv) < 3 or argv[0].rpartition("/")[2] not in SHELLS or "sleep" not in facts.script:
        return False
    statements = re.split(r"[;\n]|&&", argv[-1].lower())
    return all(
        _PASTIME.fullmatch(statement.strip().removeprefix("do ").strip())
        for statement in statements
    )


def known(each: Standing, seen: list[Recognition]) -> None:
    """What the software is usually there for."""
    each.idle = waits(each.facts)
    for recognition in seen[:2]:
        kind, sign = recognition.product.kind, recognition.sign
        name, weight = recognition.product.name, min(recognition.weight, 1.2)
        if recognition is not seen[0] and (recognition.weight < 0.6 or seen[0].by_image):
            continue
        if kind == "store" and each.kind == "guard":
            continue
        if each.idle and recognition.by_image and kind not in HELPERS:
            each.kind = "tool"
            each.say("sidecar", 0.4, f"has the image of {name} and starts nothing of it")
            continue
        if kind == "store" and _client_only(each.facts, recognition):
            each.kind = "tool"
            each.say("sidecar", 1.2, f"runs a script with the tools of {name} ({sign})")
            continue
        if kind in HELPERS:
            each.say(HELPERS[kind], 3.4 * weight, f"known as {name} ({sign})")
        elif kind == "store":
            each.say("tier", 2.6 * weight, f"keeps data: {name} ({sign})")
        elif kind == "app":
            each.say("app", 2.2 * weight, f"an application of its own ({sign})")
        elif kind == "fastcgi":
            each.say("app", 1.5 * weight, f"runs the application's code: {name} ({sign})")
        elif kind == "web":
            each.say("app", 0.9 * weight, f"a web server ({sign})")
        elif kind == "proxy":
            each.say("sidecar", 1.2 * weight, f"a proxy ({sign})")


def _client_only(facts: ContainerFacts, recognition: Recognition) -> bool:
    """Whether a server's image is used for its client: another program is started in it."""
    started = program(facts)
    if not started or (facts.ports and recognition.by_image and not _BACKS_UP.search(facts.script)):
        return False
    server = recognition.product.binary
    entry = re.search(
        rf"(^|[;&|\n]\s*|\b(exec|then|do|--)\s+)(\S*/)?(({server})(\s|$|;)|\S*entrypoint|\S*run\.sh)",
        facts.script,
    )
    return entry is None


def named(each: Standing) -> None:
    """What people called it. A name is a claim, not a proof, so it counts little."""
    if each.facts.image and each.kind in HELPERS:
        return
    words = [each.facts.name.lower(), image_path(each.facts.image).rpartition("/")[2]]
    for pattern, role, weight in _HELPER_PATTERNS:
        if hit := next((word for word in words if word and pattern.search(word)), None):
            each.say(role, weight, f"is called {hit}")
            return
    if each.kind in {None, "tool"}:
        hit = next((word for word in words if word and _APP_NAMES.search(word)), None)
        if hit:
            plain = _MAIN_NAMES.fullmatch(each.facts.name.lower()) is not None
            each.say("app", 2.0 if plain else 1.3, f"is called {hit}")


def behaviour(each: Standing) -> None:
    """What its command line does."""
    facts = each.facts
    script = facts.script
    started = program(facts)
    if each.kind == "tool":
        each.say("sidecar", 0.4, "a general-purpose image, run with a script")
    if each.idle:
        each.say("sidecar", 0.6, "only waits for somebody to run something in it")
    elif _AGENT.search(script):
        each.say("sidecar", 2.5, "runs as an agent for its Pod")
    elif each.kind not in {"store"}:
        shell = started in {"tail", "less", "while"} or each.kind == "tool" or "sh -c" in script
        if _FOLLOWS_LOG.search(script) and shell:
            if _TRANSFORMS.search(script):
                each.say("adapter", 2.2, "follows a log file and rewrites it")
            else:
                each.say("sidecar", 2.0, "follows a log file")
        elif _BACKS_UP.search(script):
            each.say("sidecar", 1.6, "copies or arranges another container's data")
        elif _FETCHES.search(script) and shell and not facts.ports:
            each.say("sidecar", 1.4, "brings content or reloads configuration")
        elif _WORKER.search(script) and not facts.ports:
            each.worker = True
            each.say("app", 1.8, "a worker: takes its work from a queue or the clock")
        elif started and each.kind is None and len(started) > 2 and facts.command:
            each.say("app", 0.2, f"runs its own program {started}")
    if re.search(r"--?(upstream|proxy-upstream|upstream-address|upstreams?-?url)[= ]", script):
        each.say("sidecar", 1.5, "takes an upstream on its command line")
