"""A tool call, end to end: it arrives, each caller gets its own answer, and every failure says what became of it."""

import http.client
import json
import socket
import threading
import time
import unittest

from support import LEGACY, MODERN, Messaging, Plateau


class ACallArrives(unittest.TestCase):
    def check(self, http, *options):
        with Messaging(*options) as messaging, Plateau(messaging, http) as plateau:
            for era in (LEGACY, MODERN):
                is_error, text = plateau.call("send_message", {"to": "ada", "text": f"hello {era} ☃"}, era)
                self.assertFalse(is_error, text)
                receipt = json.loads(text)
                self.assertEqual(receipt["recipient"], "ada")
                self.assertIn(f"hello {era} ☃", messaging.texts("ada"))
            is_error, text = plateau.call("list_messages", {"recipient": "ada"})
            self.assertEqual(json.loads(text)["count"], 2)
            is_error, text = plateau.call("send_once", {"to": "bob", "text": "once"})
            self.assertEqual(set(json.loads(text)), {"id", "status"})
            self.assertEqual(messaging.stats()["applied"], 3)
            self.assertEqual(plateau.stop(), 0)
            self.assertEqual(messaging.stop(), 0)

    def test_over_http_1(self):
        self.check('"1.1"', "--http1")

    def test_over_http_2(self):
        self.check('"2"')

    def test_over_whatever_the_service_speaks(self):
        self.check("auto")
        self.check("auto", "--http1")

    def test_without_tls(self):
        with Messaging(plain=True) as messaging, Plateau(messaging) as plateau:
            self.assertFalse(plateau.call("send_message", {"to": "ada", "text": "plain"})[0])
            self.assertEqual(messaging.texts("ada"), ["plain"])


class ManyCalls(unittest.TestCase):
    def check(self, http, *options):
        """200 clients at once, each with its own text, three times each on one connection."""
        answers, failures = {}, []

        def client(plateau, number):
            try:
                connection = plateau.connect()
                for turn in range(3):
                    text = f"{number}/{turn}"
                    body = {
                        "jsonrpc": "2.0",
                        "id": text,
                        "method": "tools/call",
                        "params": {"name": "send_message", "arguments": {"to": f"r{number}", "text": text}},
                    }
                    status, _, answer = plateau.post(body, None, connection)
                    receipt = json.loads(answer["result"]["content"][0]["text"])
                    answers[text] = (status, answer["id"], receipt["recipient"], receipt["text"])
                connection.close()
            except Exception as failure:  # told by the main thread
                failures.append((number, failure))

        with Messaging("--delay-ms", "50", *options) as messaging, Plateau(messaging, http) as plateau:
            threads = [threading.Thread(target=client, args=(plateau, n)) for n in range(200)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(len(answers), 600)
            for text, answer in answers.items():
                self.assertEqual(answer, (200, text, "r" + text.split("/")[0], text))
            self.assertEqual(messaging.stats()["applied"], 600)

    def test_over_http_1(self):
        self.check('"1.1"', "--http1")

    def test_over_http_2(self):
        self.check('"2"')


class EveryFailureSaysWhatBecameOfIt(unittest.TestCase):
    # fault: (words of the result, is it an error, applied)
    FAULTS = {
        "reset_before_read": ("Outcome unknown", True, 0),
        "reset_after_read": ("Outcome unknown", True, 0),
        "reset_after_apply": ("Outcome unknown", True, 1),
        "close_after_apply": ("Outcome unknown", True, 1),
        "half_answer": ("Outcome unknown", True, 1),
        "garbage": ("Outcome unknown", True, 1),
        "bad_json": ("Done: the service answered with status 201; but its answer is not valid JSON", False, 1),
        "huge_answer": ("larger than limits.response, which is 262144 bytes (the service announced ", False, 1),
        "status_429": ("Refused: the service answered with status 429", True, 0),
        "status_503": ("Refused: the service answered with status 503", True, 0),
        "status_500": ("Outcome unknown: the service failed with status 500", True, 0),
        "status_404": ("Refused: the service answered with status 404", True, 0),
        "redirect": ("redirects are not followed", True, 0),
    }

    def check(self, http, *options):
        with Messaging(*options) as messaging, Plateau(messaging, http) as plateau:
            for warm in (False, True):  # on a new connection, and on one that was used
                for fault, (words, is_error, applied) in self.FAULTS.items():
                    with self.subTest(fault=fault, warm=warm):
                        if warm:
                            plateau.call("send_message", {"to": "warm", "text": "up"})
                        before = messaging.stats()["applied"]
                        messaging.arm(fault)
                        result = plateau.call("send_message", {"to": "ada", "text": fault})
                        self.assertIn(words, result[1])
                        self.assertEqual(result[0], is_error)
                        self.assertEqual(messaging.stats()["applied"] - before, applied)
            is_error, text = plateau.call("send_message", {"to": "ada", "text": "still well"})
            self.assertFalse(is_error, text)
            self.assertIn("Try again after 1 s", plateau.call("send_message", {"to": "fault:status_429", "text": "x"})[1])

    def test_over_http_1(self):
        self.check('"1.1"', "--http1")

    def test_over_http_2(self):
        self.check('"2"')

    def test_a_service_that_stalls(self):
        with Messaging() as messaging, Plateau(messaging, upstream="timeout: 300ms") as plateau:
            is_error, text = plateau.call("send_message", {"to": "fault:stall", "text": "?"})
            self.assertTrue(is_error)
            self.assertIn("Outcome unknown: messaging did not answer in time", text)

    def test_nobody_there(self):
        with Messaging() as messaging:
            closed = socket.create_server(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            closed.close()
            with Plateau(messaging, url=f"https://127.0.0.1:{port}/v1") as plateau:
                is_error, text = plateau.call("send_message", {"to": "ada", "text": "?"})
                self.assertTrue(is_error)
                self.assertRegex(text, "^Not sent: .*calling again is safe")

    def test_a_service_that_is_not_trusted(self):
        with Messaging() as messaging, Messaging() as other:
            with Plateau(messaging, ca=other.ca) as plateau:
                is_error, text = plateau.call("send_message", {"to": "ada", "text": "?"})
                self.assertTrue(is_error)
                self.assertRegex(text, "^Not sent: .*[Cc]ert")
            self.assertEqual(messaging.stats()["received"], 0)


class AClientThatLeaves(unittest.TestCase):
    def leave(self, plateau, era, to, text):
        body, headers = plateau.message("tools/call", {"name": "send_message", "arguments": {"to": to, "text": text}}, era)
        data = json.dumps(body).encode()
        fields = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": len(data), **headers}
        head = "POST /mcp HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
        client = socket.create_connection(("127.0.0.1", plateau.port))
        client.sendall(head.encode() + data)
        return client

    def test_mid_call(self):
        """What was handed over is seen through, once; slots and memory come back."""
        with Messaging("--delay-ms", "300") as messaging, Plateau(messaging, limits="calls: 4") as plateau:
            for era in (LEGACY, MODERN):
                clients = [self.leave(plateau, era, "gone", f"{era} {n}") for n in range(4)]
                time.sleep(0.15)
                for client in clients:
                    client.close()
                self.wait_for_slot(plateau)
            self.assertEqual(len(messaging.texts("gone")), len(set(messaging.texts("gone"))))
            self.assertLessEqual(messaging.stats()["applied"] - messaging.texts("back").__len__(), 8)

    def wait_for_slot(self, plateau):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            status, _, answer = plateau.post(plateau.message("tools/call", {"name": "send_message", "arguments": {"to": "back", "text": "x"}})[0])
            if status == 200:
                self.assertFalse(answer["result"]["isError"])
                return
            self.assertEqual(status, 503)
            time.sleep(0.05)
        self.fail("no slot came back")

    def test_before_anything_was_sent(self):
        """One connection, and it is busy: the waiting call of a 2026-07-28 client is cancelled with its connection."""
        with Messaging("--delay-ms", "1500", "--http1") as messaging:
            with Plateau(messaging, '"1.1"', upstream="connections: 1") as plateau:
                first = self.leave(plateau, LEGACY, "first", "stays")
                time.sleep(0.3)
                self.leave(plateau, MODERN, "second", "leaves").close()
                first.recv(65536)
                first.close()
                self.assertFalse(plateau.call("send_message", {"to": "third", "text": "after"})[0])
                self.assertEqual(messaging.texts("second"), [])
                self.assertIn("outcome=cancelled", plateau.log())


class HeadersOfEverySize(unittest.TestCase):
    def test_a_call_is_sent_only_if_its_answer_can_be(self):
        """libmicrohttpd makes the answer's head in the pool that the request's headers are in."""
        statuses = set()
        with Messaging() as messaging, Plateau(messaging) as plateau:
            for size in range(2048, 4400, 48):
                to = f"with-{size}"
                body, headers = plateau.message("tools/call", {"name": "send_message", "arguments": {"to": to, "text": "x"}})
                try:
                    status = plateau.post(body, {**headers, "Authorization": "Bearer " + "x" * size})[0]
                except (http.client.HTTPException, OSError, ValueError):
                    status = None  # closed, or libmicrohttpd's own words, which are no JSON
                statuses.add(status)
                self.assertEqual(len(messaging.texts(to)), status == 200, size)
        self.assertLessEqual({200, 431, None}, statuses)


class Life(unittest.TestCase):
    def test_sigterm_lets_calls_in_flight_finish(self):
        with Messaging("--delay-ms", "800") as messaging, Plateau(messaging) as plateau:
            results = []

            def client():
                results.append(plateau.call("send_message", {"to": "ada", "text": "last words"}))

            threads = [threading.Thread(target=client) for _ in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            self.assertEqual(plateau.stop(), 0)
            for thread in threads:
                thread.join()
            self.assertEqual([r[0] for r in results], [False] * 8)
            self.assertEqual(messaging.stats()["applied"], 8)
            self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", plateau.port))

    def test_more_calls_than_slots(self):
        with Messaging("--delay-ms", "700") as messaging, Plateau(messaging, limits="calls: 2") as plateau:
            answers = []

            def client():
                body, headers = plateau.message("tools/call", {"name": "send_message", "arguments": {"to": "a", "text": "b"}})
                answers.append(plateau.post(body, headers))

            threads = [threading.Thread(target=client) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            statuses = sorted(a[0] for a in answers)
            self.assertEqual(statuses, [200, 200, 503, 503, 503, 503])
            for status, headers, _ in answers:
                self.assertEqual(headers["Retry-After"], "1" if status == 503 else None)
            self.assertEqual(messaging.stats()["applied"], 2)

    def test_nothing_secret_is_written(self):
        with Messaging() as messaging, Plateau(messaging) as plateau:
            plateau.call("send_message", {"to": "fault:status_404", "text": "s3cret-text"})
            plateau.call("send_message", {"to": "fault:garbage", "text": "s3cret-text"})
            plateau.stop()
            self.assertIn("outcome=unknown", plateau.log())
            self.assertNotIn("s3cret-text", plateau.log())
            self.assertNotIn("c4n4ry", plateau.log())


if __name__ == "__main__":
    unittest.main()
