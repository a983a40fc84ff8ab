"""The leg of an inspected connection whose upstream speaks TLS: apart, for it loads OpenSSL."""

from __future__ import annotations

from podweave.helpers.ambassador.inspection import InspectedLeg
from podweave.helpers.ambassador.tls_leg import TlsLeg


class InspectedTlsLeg(TlsLeg, InspectedLeg):
    """TlsLeg's way of taking all that is buffered, around InspectedLeg's of passing it on."""

    __slots__ = ()
