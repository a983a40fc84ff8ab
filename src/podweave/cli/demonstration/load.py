"""Orders under continuous load, as the shop's front end would place them."""

from __future__ import annotations

import http.client
import json
import threading

ITEMS = ("anvil", "rocket skates", "giant magnet", "dehydrated boulders")


class Load:
    """Workers that place one order after the other until stopped.

    `placed` counts orders the service confirmed with 201, `failures` holds what went wrong
    otherwise: an order is never tried twice, so nothing is hidden.
    """

    def __init__(self, port: int, workers: int = 4) -> None:
        self.port = port
        self.placed = 0
        self.failures: list[str] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, placed: int, seconds: float) -> bool:
        """Wait until `placed` orders are confirmed or one failed; False when time ran out."""
        with self._changed:
            done = self._changed.wait_for(lambda: self.placed >= placed or self.failures, seconds)
            return bool(done)

    def stop(self) -> None:
        self._stopping = True
        for thread in self._threads:
            thread.join(30)

    def give_up(self) -> None:
        """Stop without waiting for the orders on their way."""
        self._stopping = True

    def _work(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        count = 0
        while not self._stopping:
            count += 1
            order = {"item": ITEMS[(number + count) % len(ITEMS)], "quantity": count % 5 + 1}
            problem = None
            try:
                status, answer = post(connection, order)
                if status != 201:
                    problem = f"HTTP {status}: {answer}"
            except (OSError, http.client.HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
                connection.close()
            with self._changed:
                if problem is None:
                    self.placed += 1
                else:
                    self.failures.append(problem)
                self._changed.notify_all()
        connection.close()


def post(connection: http.client.HTTPConnection, order: dict[str, object]) -> tuple[int, str]:
    """Place one order; the status and the body of the answer."""
    connection.request(
        "POST",
        "/orders",
        json.dumps(order),
        {"Content-Type": "application/json", "User-Agent": "shop-frontend/1.9"},
    )
    response = connection.getresponse()
    return response.status, response.read().decode()
