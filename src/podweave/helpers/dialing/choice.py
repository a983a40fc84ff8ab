"""How this helper dials: through the engine's broker where there is one, else by itself."""

from __future__ import annotations

import os

from podweave.helpers.dialing.direct import DirectConnector
from podweave.helpers.dialing.resolver import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.loop import Loop

BROKER_VARIABLE = "PODWEAVE_BROKER"


def connector(loop: Loop) -> Connector:
    direct = DirectConnector(loop, Resolver(loop))
    broker = os.environ.get(BROKER_VARIABLE)
    if not broker:
        return direct
    from podweave.helpers.dialing.broker import BrokerConnector

    return BrokerConnector(loop, broker, direct)
