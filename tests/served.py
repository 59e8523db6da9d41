"""The pages as a server on the web would send them, compressed, and what a browser saw of it over the wire."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TEXT = (".html", ".css", ".js", ".svg", ".csv", ".json")
#: A phone on a slow line: 1.6 Mbit/s, 150 ms to the server and back, a quarter of this machine's speed (Lighthouse's "slow 4G").
SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
SLOWER, PHONE = 4, {"width": 390, "height": 844}
PAINTED = """() => new Promise(done => {
  new PerformanceObserver(list => done(Math.max(...list.getEntries().map(e => e.startTime))))
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(NaN), 5000);
})"""


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        if path.suffix in TEXT:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which a folder is sent, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def first_load(browser: Any, address: str, *, slow: bool = False) -> tuple[int, float]:
    """Bytes over the wire until a phone has the page, and, on a slow line, milliseconds to its largest paint."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    if slow:
        wire.send("Network.emulateNetworkConditions", SLOW_LINE)
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    asked, weights = set[str](), dict[str, int]()
    wire.on("Network.requestWillBeSent", lambda event: asked.add(event["requestId"]))
    wire.on("Network.loadingFinished", lambda event: weights.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(address)
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.wait_for_timeout(50)
    while len(asked) > len(weights):  # pictures near the screen come later than the page
        page.wait_for_timeout(20)
    painted = float(page.evaluate(PAINTED)) if slow else float("nan")
    context.close()
    return sum(weights.values()), painted
