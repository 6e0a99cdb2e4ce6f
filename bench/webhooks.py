"""Measures webhooks: `python bench/webhooks.py`: how fast messages go out, and what one that hangs costs others."""

import asyncio
import http.client
import json
import sys
import tempfile
from multiprocessing import Pipe, Process
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

from servers import PATIENCE, running, share_out_cpus, simulator
from wrk import AUTHORISATION, MeasurementFailedError

MESSAGES = 1_000
CALLS = 1_000
HANGING = 100
PAYMENT = (Path(__file__).parent / "payment.json").read_bytes()


def main() -> None:
    """Measure one thing after the other, with a receiver in a process of its own."""
    here, there = Pipe()
    receiver = Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            running(simulator("warning"), share_out_cpus(), Path(scratch)) as server,
        ):
            measure(Caller(server.url), f"http://127.0.0.1:{here.recv()}")
    except MeasurementFailedError as failure:
        sys.exit(str(failure))
    finally:
        receiver.terminate()


def receive(pipe: object) -> None:
    """Answer all messages at once, but for those to /hang, which are never answered."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
        if b"/hang" in head:
            await asyncio.sleep(3600)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


class Caller:
    """One connection, and what is done over it."""

    world = "/__admin/merchants/pk_test_simulator"

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10 * PATIENCE)

    def call(self, method: str, path: str, body: object = None) -> object:
        """Send JSON, and return the answer to it."""
        headers = {"Authorization": AUTHORISATION, "Content-Type": "application/json"}
        data = body if isinstance(body, bytes) else json.dumps(body or {})
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise MeasurementFailedError(f"{method} {path} was answered with {answer.status}: {content.decode()}")
        return json.loads(content)

    def wants_webhook(self, url: str) -> str:
        """Have events of payments sent to a URL, and return the webhook's id."""
        webhook = {"target_url": url, "events": ["payment_sent"], "signature_key": "key"}
        return self.call("POST", "/v2/webhooks", webhook)["id"]

    def pay(self) -> None:
        """Create a payment and pay it."""
        payment = self.call("POST", "/v2/payment_sessions", PAYMENT)
        self.call("POST", f"/__admin/payment_sessions/{payment['id']}/pay")

    def times(self) -> tuple[float, float]:
        """Create payments; return the median and the 99th percentile of the milliseconds that takes."""
        taken = []
        for _ in range(CALLS):
            started = perf_counter()
            self.call("POST", "/v2/payment_sessions", PAYMENT)
            taken.append((perf_counter() - started) * 1000)
        return median(taken), quantiles(taken, n=100)[-1]


def measure(caller: Caller, receiver: str) -> None:
    """Print the figures."""
    caller.call("PUT", caller.world, {"delivery": {"mode": "manual"}})
    caller.wants_webhook(receiver)
    for _ in range(MESSAGES):
        caller.pay()
    started = perf_counter()
    sent = caller.call("POST", f"{caller.world}/deliveries/flush")["deliveries"]
    seconds = perf_counter() - started
    if any(delivery["outcome"] != "delivered" for delivery in sent):
        raise MeasurementFailedError("Not every message was delivered.")
    print(f"{len(sent)} messages that waited went out in {seconds:.2f} s: {len(sent) / seconds:,.0f} a second")
    caller.call("PUT", caller.world, {"delivery": {"mode": "deliver"}})
    quiet = caller.times()
    caller.wants_webhook(f"{receiver}/hang")
    for _ in range(HANGING):
        caller.pay()
    hanging = caller.times()
    print("| a create over one connection | median, ms | p99, ms |\n| --- | --- | --- |")
    print(f"| while nothing is sent | {quiet[0]:.2f} | {quiet[1]:.2f} |")
    print(f"| while a receiver hangs, {HANGING} messages waiting for it | {hanging[0]:.2f} | {hanging[1]:.2f} |")


if __name__ == "__main__":
    main()
