"""`python -I -S podweave-helpers.pyz PROGRAM [ARGUMENT…]`: starts one of the helpers.

    ambassador|adapter|sidecar CONFIG   run until SIGTERM
    wait CONFIG                         until the helper of CONFIG is healthy, at most 4 s
    switch PROFILE CONFIG [EXISTING [SECONDS]]
                                        change the profile of the ambassador of CONFIG; EXISTING
                                        connections: keep, drain (within SECONDS) or cut
    ask PATH CONFIG [CONTENT]           GET from the admin endpoint of the helper of CONFIG, or
                                        POST the content, and print what it answers
    check CONFIG                        say whether CONFIG is right
    judge                               say what is wrong in entries of an adapter's configuration,
                                        JSON from standard input to standard output (judging.py)
    normalize [--format F] [--schema S] [--time-zone Z] FILE|-
                                        the adapter as a filter: one JSON record an event
    explain [--json] [--format F] [--schema S] [--time-zone Z] FILE|-
                                        what the adapter makes of a log file
    route-localnet                      let packets from 127.0.0.1 leave this network namespace
    version

Exit codes: 0 done (also after SIGTERM), 1 failed, 2 bad configuration or usage. What is wrong
goes to standard error as `FILE: path: what is wrong`.
"""

from __future__ import annotations

import os
import sys

from podweave import __version__
from podweave.helpers.configuration import ConfigurationError, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

USAGE = """\
usage: podweave-helpers ambassador|adapter|sidecar CONFIG
       podweave-helpers wait CONFIG
       podweave-helpers switch PROFILE CONFIG [keep|drain|cut [SECONDS]]
       podweave-helpers ask PATH CONFIG [CONTENT]
       podweave-helpers check CONFIG
       podweave-helpers judge
       podweave-helpers normalize [--format F] [--schema S] [--time-zone Z] FILE|-
       podweave-helpers explain [--json] [--format F] [--schema S] [--time-zone Z] FILE|-
       podweave-helpers route-localnet
       podweave-helpers version
"""


def main(arguments: list[str]) -> int:
    match arguments:
        case ["ambassador" | "adapter" | "sidecar" as program, file]:
            return _configured(file, lambda config: _run(program, config, file))
        case ["check", file]:
            return _configured(file, _check)
        case ["wait", file]:
            from podweave.helpers import admin_client

            return _configured(file, admin_client.wait)
        case ["switch", profile, file, *existing] if len(existing) <= 2:
            from podweave.helpers import admin_client

            return _configured(file, lambda config: admin_client.switch(config, profile, *existing))
        case ["ask", path, file, *content] if len(content) <= 1:
            from podweave.helpers import admin_client

            return _configured(file, lambda config: admin_client.ask(config, path, *content))
        case ["judge"]:
            from podweave.helpers.logs.judging import main as judge

            return judge()
        case ["normalize", *rest]:
            from podweave.helpers.logs.filters.normalize import normalize

            return _filtered(rest, normalize)
        case ["explain", *rest]:
            from podweave.helpers.logs.filters.explain import explain

            return _filtered(rest, explain)
        case ["route-localnet"]:
            return _route_localnet()
        case ["version"]:
            sys.stdout.write(f"podweave-helpers {__version__}\n")
            return 0
    sys.stderr.write(USAGE)
    return 2


def _route_localnet() -> int:
    from podweave.helpers.ambassador.kernel import route_localnet

    try:
        route_localnet.allow()
    except OSError as error:
        sys.stderr.write(
            f"{route_localnet.FILE}: {error.strerror}: only a privileged container may\n"
        )
        return 1
    return 0


def _configured(file: str, program: Callable[[dict[str, Any]], int]) -> int:
    try:
        return program(read(file))
    except ConfigurationError as error:
        sys.stderr.write(f"{file}: {error}\n")
        return 2


def _filtered(arguments: list[str], program: Callable[[list[str]], int]) -> int:
    try:
        return program(arguments)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:
        # The reader went away (`normalize FILE | head`): no complaint at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.stderr.write(f"{error.filename or arguments[-1]}: {error.strerror or error}\n")
        return 2 if error.filename else 1


def _run(program: str, config: dict[str, Any], file: str) -> int:
    # Imported one by one: memory is imports, and a helper pays for its own only.
    if program == "ambassador":
        from podweave.helpers.ambassador import program as ambassador

        return ambassador.run(config, file)
    if program == "adapter":
        from podweave.helpers.logs.adapter_program import run
    else:
        from podweave.helpers.logs.sidecar_program import run
    return run(config)


def _check(config: dict[str, Any]) -> int:
    program = config.get("program")
    if program == "ambassador":
        from podweave.helpers.ambassador.program import check
    elif program == "adapter":
        from podweave.helpers.logs.judging import check
    elif program == "sidecar":
        from podweave.helpers.logs.sidecar_program import check
    else:
        raise ConfigurationError("program", "must be ambassador, adapter or sidecar")
    check(config)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
