"""A log sidecar as it really runs: `python -I -S podweave-helpers.pyz sidecar CONFIG`."""

from __future__ import annotations

import json
import os
import subprocess

from tests.helpers.processes import command
from tests.sidecar.shipping import Sidecar


class PackedSidecar(Sidecar):
    """`prefix`: a command before it, as setpriv's."""

    prefix: tuple[str, ...] = ()

    def start(self, stdout: int | None = None) -> None:
        file = self.folder / "sidecar.json"
        file.write_text(json.dumps(self.config))
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [*self.prefix, *command("sidecar", str(file))],
                env={"PATH": os.environ["PATH"], **self.identity},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=said,
            )
