"""Metrics for a Prometheus outside of the Pod, on the Pod's own addresses.

    "metrics": [["0.0.0.0", 9102], ["::", 9102]]

It is an endpoint apart from the admin one on loopback: `GET /metrics` and `GET /healthz` are all
there is, so that nobody in the cluster commands anything here, and whoever takes up all of its
connections keeps no probe and no command of the Pod's own out.
"""

from __future__ import annotations

import errno

from podweave.helpers.admin import Admin, Answer
from podweave.helpers.configuration import ConfigurationError, address
from podweave.helpers.dialing.connector import address_family, render_address
from podweave.helpers.wire import prometheus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.loop import Loop

_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def configure(section: Section) -> list[tuple[str, int]]:
    """The addresses of the key `metrics`; none where it is left out."""
    if "metrics" not in section:
        return []
    addresses = []
    for path, value in section.array("metrics"):
        host, port = address(value, path)
        if address_family(host) is None:
            raise ConfigurationError(f"{path}[0]", f"is {host!r}; must be an IP address")
        addresses.append((host, port))
    return addresses


class MetricsEndpoint:
    """Listens as soon as it is made; with no addresses there is none.

    OSError, with the address as its filename, when one is not to be had. A machine without IPv6
    is no error.
    """

    def __init__(
        self, loop: Loop, addresses: Sequence[tuple[str, int]], render: Callable[[], bytes]
    ) -> None:
        self._endpoints: list[Admin] = []
        handlers = {
            "GET /metrics": lambda content: Answer(200, render(), prometheus.CONTENT_TYPE),
        }
        for host, port in addresses:
            try:
                self._endpoints.append(Admin(loop, (host, port), handlers))
            except OSError as error:
                if error.errno in _NO_SUCH_FAMILY and ":" in host and len(addresses) > 1:
                    continue
                self.close()
                raise OSError(error.errno, error.strerror, render_address(host, port)) from error

    @property
    def addresses(self) -> list[str]:
        """As a journal shows them."""
        return [render_address(*endpoint.address) for endpoint in self._endpoints]

    @property
    def ports(self) -> list[int]:
        return [endpoint.address[1] for endpoint in self._endpoints]

    def close(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()
