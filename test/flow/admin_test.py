"""The operators' listener: health, readiness, metrics, and the ledger that says where the memory is."""

import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import unittest

from support import Messaging, Plateau

PLATEAU = pathlib.Path(os.environ["PLATEAU_BIN"])
LOADER = PLATEAU.parent / "bench_loader"
UNACCOUNTED_BYTES_MAX = 4 << 20  # lib/limits.h: LEDGER_UNACCOUNTED_BYTES_MAX
SUBSYSTEMS = {"arenas", "admin", "libcurl", "mbedtls", "configuration", "clients", "program"}


def sanitized():
    binary = PLATEAU.read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


class Administered(Plateau):
    def __init__(self, messaging, http="auto", limits=""):
        super().__init__(messaging, http, server='admin: "127.0.0.1:0"', limits=limits)

    def __enter__(self):
        super().__enter__()
        self.admin_port = int(re.search(r"admin=127\.0\.0\.1:(\d+)", self.log()).group(1))
        return self

    def ask(self, path, method="GET", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def ledger(self):
        status, headers, text = self.ask("/debug/memory?format=json")
        assert status == 200 and headers["Content-Type"] == "application/json", (status, text)
        return json.loads(text)

    def metric(self, name):
        """The value of one sample, by its name with its labels."""
        match = re.search("^" + re.escape(name) + r" (\S+)$", self.ask("/metrics")[2], re.M)
        assert match, f"no {name} in /metrics"
        return float(match.group(1))


class Pages(unittest.TestCase):
    def test_off_unless_configured(self):
        with Messaging() as messaging, Plateau(messaging) as plateau:
            self.assertIn("admin=off", plateau.log())
            self.assertEqual(plateau.post(b"", {"Accept": None})[0], 400)
            connection = plateau.connect()
            connection.request("GET", "/metrics")
            self.assertEqual(connection.getresponse().status, 404)
            connection.close()

    def test_pages(self):
        with Messaging() as messaging, Administered(messaging) as plateau:
            self.assertEqual(plateau.ask("/healthz")[::2], (200, "ok\n"))
            self.assertEqual(plateau.ask("/readyz")[::2], (200, "ready\n"))
            self.assertEqual(plateau.ask("/healthz", "HEAD")[::2], (200, ""))
            self.assertEqual(plateau.ask("/")[0], 404)
            status, headers, _ = plateau.ask("/metrics", "POST")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            self.assertEqual(plateau.ask("/metrics", headers={"Host": "rebind.example"})[0], 403)
            self.assertEqual(plateau.ask("/metrics", headers={"Host": f"localhost:{plateau.admin_port}"})[0], 200)
            text = plateau.ask("/debug/memory")[2]
            self.assertRegex(text, r"(?m)^unaccounted +-?\d+\.\d\d$")
            self.assertEqual(plateau.stop(), 0)

    def test_metrics_are_well_formed(self):
        """Prometheus text format 0.0.4: a HELP and a TYPE before the samples of each name, no sample twice."""
        with Messaging() as messaging, Administered(messaging) as plateau:
            before = plateau.metric("plateau_requests_total")
            self.assertFalse(plateau.call("send_message", {"to": "ada", "text": "hello"})[0])
            self.assertEqual(plateau.metric("plateau_requests_total"), before + 1)
            status, headers, text = plateau.ask("/metrics")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
            described, seen = set(), set()
            for line in text.splitlines():
                comment = re.fullmatch(r"# (HELP|TYPE) (\w+) .+", line)
                if comment:
                    described.add(comment.groups())
                    continue
                sample = re.fullmatch(r'(\w+)(\{\w+="\w+"\})? -?\d+', line)
                self.assertIsNotNone(sample, line)
                self.assertLessEqual({("HELP", sample.group(1)), ("TYPE", sample.group(1))}, described)
                self.assertNotIn(sample.group(1, 2), seen)
                seen.add(sample.group(1, 2))
            found = set(re.findall(r'memory_used_bytes\{subsystem="(\w+)"', text))
            self.assertEqual(found, SUBSYSTEMS - {"clients"} if sanitized() else SUBSYSTEMS)

    def test_answers_when_every_slot_is_taken(self):
        with Messaging("--delay-ms", "1500") as messaging, Administered(messaging, limits="calls: 1") as plateau:
            holder = threading.Thread(target=plateau.call, args=("send_message", {"to": "ada", "text": "slow"}))
            holder.start()
            end = time.monotonic() + 20
            while plateau.metric("plateau_calls_in_flight") != 1 and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual(plateau.post(plateau.message("ping")[0])[0], 503)
            self.assertEqual(plateau.metric("plateau_requests_refused_total"), 1)
            self.assertEqual(plateau.ask("/healthz")[0], 200)
            holder.join()

    def test_a_flood_of_connections(self):
        """More connections than were planned wait in the kernel's backlog; memory is that of the planned ones."""
        planned = 2 + 64  # limits.calls, and CONNECTIONS_SPARE of lib/limits.h
        with Messaging() as messaging, Administered(messaging, limits="calls: 2") as plateau:
            flood = [socket.create_connection(("127.0.0.1", plateau.port)) for _ in range(3 * planned)]
            for client in flood[:planned]:
                client.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
            end = time.monotonic() + 20
            self.assertEqual(plateau.metric("plateau_clients_max"), planned)
            while plateau.metric("plateau_clients") < planned:
                self.assertLess(time.monotonic(), end, "the flood did not arrive")
            self.assertEqual(plateau.metric("plateau_clients_high"), planned)
            self.assertEqual(plateau.ask("/healthz")[0], 200)
            for client in flood:
                client.close()
            self.assertFalse(plateau.call("send_message", {"to": "ada", "text": "after the flood"})[0])
            self.assertEqual(messaging.texts("ada"), ["after the flood"])
            end = time.monotonic() + 20
            while plateau.metric("plateau_clients") > 0:
                self.assertLess(time.monotonic(), end, "clients that left are still counted")

    def test_not_ready_while_draining(self):
        with Messaging("--delay-ms", "1500") as messaging, Administered(messaging) as plateau:
            holder = threading.Thread(target=plateau.call, args=("send_message", {"to": "ada", "text": "slow"}))
            holder.start()
            while plateau.metric("plateau_calls_in_flight") != 1:
                time.sleep(0.01)
            plateau.process.terminate()
            plateau.read_until("event=draining")
            status, _, text = plateau.ask("/readyz")
            self.assertEqual((status, text), (503, "draining: 1 calls in flight\n"))
            self.assertEqual(plateau.ask("/healthz")[0], 200)
            holder.join()
            self.assertEqual(plateau.stop(), 0)


@unittest.skipIf(sanitized(), "a sanitizer's memory is not plateau's")
class TheLedger(unittest.TestCase):
    def check(self, http, *options):
        with Messaging("--quiet", "--delay-ms", "100", *options) as messaging:
            with Administered(messaging, http) as plateau:
                idle = plateau.ledger()
                self.assertEqual({line["name"] for line in idle["subsystems"]}, SUBSYSTEMS)
                self.assertLess(idle["rss_bytes"], 8 << 20, "idle after start with a plan of 64Mi")
                subprocess.run(
                    [LOADER, "--url", f"http://127.0.0.1:{plateau.port}/mcp", "--connections", "1500",
                     "--requests", "6000", "--timeout-ms", "60000", "--json"],
                    check=True, stdout=subprocess.DEVNULL)
                after = plateau.ledger()
                lines = {line["name"]: line for line in after["subsystems"]}
                for line in lines.values():
                    self.assertLessEqual(line["used_bytes"], line["high_bytes"], line)
                    if line["budget_bytes"]:
                        self.assertLessEqual(line["high_bytes"], line["budget_bytes"], line)
                self.assertGreaterEqual(lines["arenas"]["high_bytes"], 1000 * 3072)
                for ledger in (idle, after):
                    self.assertLess(abs(ledger["unaccounted_bytes"]), UNACCOUNTED_BYTES_MAX, ledger)
                self.assertLess(after["rss_high_bytes"], after["budget_bytes"])

    def test_over_http_1(self):
        self.check('"1.1"', "--http1")

    def test_over_http_2(self):
        self.check('"2"')


if __name__ == "__main__":
    unittest.main()
