"""The order service of the example: as a legacy application would be, and nobody may change it.

It dials the database at localhost:5432, hard-coded, in plain text, with a new connection for each
request. It writes two log files in two formats: /var/log/orders/app.log as log4j would (stack
traces included) and /var/log/orders/access.log as nginx would. It knows nothing of Pods.
"""

import datetime
import http.server
import json
import os
import sys
import threading
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import pg8000.native

LOGS = "/var/log/orders"
DATABASE = {"host": "localhost", "port": 5432, "database": "orders"}
LOGIN = {"user": "orders", "password": "s3cret", "ssl_context": False}

writing = threading.Lock()


def write(name: str, text: str) -> None:
    with writing, open(os.path.join(LOGS, name), "a", encoding="utf-8") as file:
        file.write(text + "\n")


def log(level: str, message: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    stamp = now.strftime("%Y-%m-%d %H:%M:%S,") + f"{now.microsecond // 1000:03d}"
    thread = threading.current_thread().name
    write("app.log", f"{stamp} {level:<5} [{thread}] com.example.orders.OrderService - {message}")


def place(order: dict) -> int:
    if order["quantity"] < 1:
        raise ValueError(f"quantity must be at least 1, not {order['quantity']}")
    connection = pg8000.native.Connection(**DATABASE, **LOGIN)
    try:
        rows = connection.run(
            "insert into orders (item, quantity) values (:item, :quantity) returning id",
            item=order["item"],
            quantity=order["quantity"],
        )
    finally:
        connection.close()
    return rows[0][0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, {"status": "up", "pid": os.getpid()})
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            order = json.loads(body)
            number = place(order)
        except Exception as error:
            log("ERROR", f"order failed: {error}\n{traceback.format_exc().rstrip()}")
            self.answer(
                400 if isinstance(error, (ValueError, KeyError)) else 500, {"error": str(error)}
            )
            return
        log("INFO", f"order {number} placed: {order['quantity']} x {order['item']}")
        self.answer(201, {"order": number})

    def answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path != "/healthz":
            now = datetime.datetime.now(datetime.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
            agent = self.headers.get("User-Agent", "-")
            write(
                "access.log",
                f'{self.client_address[0]} - - [{now}] "{self.requestline}" '
                f'{status} {len(body)} "-" "{agent}"',
            )

    def log_message(self, *arguments: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    os.makedirs(LOGS, exist_ok=True)
    log("INFO", "order service 2.3 started, database at localhost:5432")
    Server(("", 8080), Handler).serve_forever()
