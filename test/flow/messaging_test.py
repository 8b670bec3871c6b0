"""The embedded messaging service: what it answers, and that each fault does what it says."""

import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import unittest

from messaging_support import TIMEOUT_S, Service, message
from support import TOKEN

BIN = os.environ["MESSAGING_BIN"]
SKIPPED = 77  # the exit code by which a test says that it could not try everything


def curl_speaks_http2():
    try:
        return "HTTP2" in subprocess.run(["curl", "--version"], capture_output=True, text=True,
                                         check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return False


HTTP2 = curl_speaks_http2()


# Python's ssl reports an RST as an end without TLS's own goodbye. The same tests run over plain TCP
# too, where nothing hides it.
RESET = (ConnectionResetError, ssl.SSLEOFError)


class Raw:
    """A connection that sends what it is told to, byte for byte."""

    def __init__(self, service, context=None, session=None):
        plain = socket.create_connection(("127.0.0.1", service.port), TIMEOUT_S)
        if not service.plain:
            context = context or service.context()
            plain = context.wrap_socket(plain, server_hostname="localhost", session=session,
                                        suppress_ragged_eofs=False)
        self.socket = plain

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode("latin-1"))

    def post(self, body, *headers):
        self.send("\r\n".join([
            "POST /v1/messages HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}",
            f"Content-Length: {len(body)}", *headers, "", body]))

    def until_end(self):
        """All that comes until the peer's FIN. Raises one of RESET on a RST."""
        received = b""
        while True:
            piece = self.socket.recv(65536)
            if not piece:
                return received
            received += piece

    def until(self, end):
        received = b""
        while not received.endswith(end):
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the connection ended after {received!r}")
            received += piece
        return received


class OneService(unittest.TestCase):
    """Tests that share nothing but the options: each has a process of its own."""

    options = ()

    def setUp(self):
        self.service = Service(*self.options)
        self.service.__enter__()
        self.addCleanup(self.service.__exit__)

    def assert_stats(self, **expected):
        stats = self.service.stats()
        self.assertEqual({name: stats[name] for name in expected}, expected)

    def assert_error(self, answer, status, code):
        self.assertEqual((answer.status, json.loads(answer.body)["error"]["code"]), (status, code))


class Answers(OneService):
    def test_a_posted_message_is_in_the_inbox(self):
        answer = self.service.post("ann", 'hello "you"\n\u00e9\U0001f600')
        self.assertEqual(answer.status, 201)
        self.assertEqual(json.loads(answer.body), {
            "id": "m-000001", "status": "queued", "recipient": "ann",
            "text": 'hello "you"\n\u00e9\U0001f600'})
        listed = self.service.messages()
        self.assertEqual(listed["count"], 1)
        self.assertEqual(listed["messages"][0]["text"], 'hello "you"\n\u00e9\U0001f600')
        self.assert_stats(received=1, applied=1, rejected=0, replayed=0, in_flight=0)

    def test_a_text_with_u0000_comes_back_whole(self):
        self.assertEqual(json.loads(self.service.post("ann", "a\0b").body)["text"], "a\0b")
        self.assertEqual(self.service.messages(text="a\0b")["count"], 1)

    def test_lists_are_filtered_and_limited(self):
        for recipient, text in (("ann", "1"), ("bob", "a&b=c d"), ("ann", "3"), ("ann", "3")):
            self.service.post(recipient, text)
        self.assertEqual(self.service.messages(recipient="ann")["count"], 3)
        self.assertEqual(self.service.messages(text="a&b=c d")["count"], 1)
        self.assertEqual(self.service.messages(recipient="ann", text="3")["count"], 2)
        self.assertEqual(self.service.messages(recipient="an")["count"], 0)
        newest = self.service.messages(limit=2)
        self.assertEqual(newest["count"], 4)
        self.assertEqual([m["id"] for m in newest["messages"]], ["m-000003", "m-000004"])

    def test_a_post_needs_the_token(self):
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN},
                       {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}):
            for target in ("/v1/messages", "/v1/faults"):
                with self.subTest(header=header, target=target):
                    answer = self.service.request("POST", target, message("ann", "x"), header)
                    self.assert_error(answer, 401, "unauthorized")
                    self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        self.assert_stats(applied=0, received=5, rejected=5)
        self.service.end()
        self.assertNotIn(TOKEN, self.service.log())

    def test_bad_bodies_are_refused(self):
        cases = (
            ('{"recipient":"ann"', 400, "bad_json"), ("", 400, "bad_json"),
            ('{"a":1}garbage', 400, "bad_json"), ('{"a":01}', 400, "bad_json"),
            (b'{"a":"\xff"}', 400, "bad_json"), ("[" * 100000, 400, "bad_json"),
            ("[]", 422, "invalid"), ('"x"', 422, "invalid"), ("{}", 422, "invalid"),
            (message("", "x"), 422, "invalid"), (message(7, "x"), 422, "invalid"),
            (message("a" * 257, "x"), 422, "invalid"), (message("ann", ""), 422, "invalid"),
            (message("ann", None), 422, "invalid"),
            ('{"recipient":"ann","content":{"type":"image","text":"x"}}', 422, "invalid"),
            (message("fault:no_such", "x"), 422, "no_such_fault"),
        )
        for body, status, code in cases:
            with self.subTest(body=body[:60]):
                answer = self.service.request("POST", "/v1/messages", body,
                                              {"Authorization": f"Bearer {TOKEN}"})
                self.assert_error(answer, status, code)
        self.assert_stats(applied=0, rejected=len(cases))
        self.assertEqual(self.service.post("a" * 256, "x").status, 201)

    def test_unknown_paths_and_methods(self):
        self.assert_error(self.service.request("GET", "/v2"), 404, "not_found")
        self.assert_error(self.service.request("GET", "/v1/messages/"), 404, "not_found")
        for method, target, allow in (("PUT", "/v1/messages", "GET, POST"), ("POST", "/", "GET"),
                                      ("GET", "/v1/faults", "POST")):
            answer = self.service.request(method, target)
            self.assert_error(answer, 405, "method_not_allowed")
            self.assertEqual(answer.headers["Allow"], allow)

    def test_the_page_needs_nobody_else(self):
        answer = self.service.request("GET", "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        for forbidden in ("http:", "https:", "src=", "innerHTML", "@import"):
            self.assertNotIn(forbidden, answer.body)
        for needed in ("prefers-color-scheme: dark", "fetch('/v1/messages", "textContent"):
            self.assertIn(needed, answer.body)


class Idempotency(OneService):
    def test_the_same_key_and_body_gets_the_first_answer(self):
        first = self.service.post("ann", "x", key="k")
        again = self.service.post("ann", "x", key="k")
        self.assertIsNone(first.headers["Idempotent-Replayed"])
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual((again.status, again.body), (201, first.body))
        self.assert_stats(applied=1, replayed=1)

    def test_the_same_key_with_another_body_is_refused(self):
        self.service.post("ann", "x", key="k")
        self.assert_error(self.service.post("ann", "y", key="k"), 422, "key_reused")
        self.assert_stats(applied=1, rejected=1)

    def test_a_key_in_flight_is_refused(self):
        self.service.arm("slow", delay_ms=1500)
        with Raw(self.service) as slow:
            slow.post(message("ann", "x"), "Idempotency-Key: k")
            self.service.wait_for("in_flight", 1)
            self.assert_error(self.service.post("ann", "x", key="k"), 409, "in_flight")
            self.assertIn(b" 201 ", slow.until(b"}"))
        self.assert_stats(applied=1, rejected=1, in_flight=0)

    def test_a_refused_request_leaves_its_key_free(self):
        self.service.arm("status_503")
        self.assertEqual(self.service.post("ann", "x", key="k").status, 503)
        answer = self.service.post("ann", "x", key="k")
        self.assertEqual((answer.status, answer.headers["Idempotent-Replayed"]), (201, None))
        self.assert_stats(applied=1)

    def test_a_second_try_after_an_unknown_outcome_is_applied_once(self):
        with Raw(self.service) as lost:
            lost.post(message("fault:reset_after_apply", "x"), "Idempotency-Key: k")
            self.assertRaises(RESET, lost.until_end)
        answer = self.service.post("fault:reset_after_apply", "x", key="k")
        self.assertEqual(answer.headers["Idempotent-Replayed"], "true")
        self.assert_stats(applied=1, replayed=1, faults=1)

    def test_a_key_that_is_none(self):
        for key in ("a b", "k" * 256, "\x80"):
            self.assert_error(self.service.post("ann", "x", key=key), 400, "bad_key")
        self.assertEqual(self.service.post("ann", "x", key="k" * 255).status, 201)


class Faults(OneService):
    """Over HTTP/1.1."""

    reset = RESET

    def end_of(self, kind):
        with Raw(self.service) as connection:
            connection.post(message("fault:" + kind, kind))
            return connection.until_end()

    def assert_applied(self, kind, count):
        self.assertEqual(self.service.messages(text=kind)["count"], count)

    def test_resets(self):
        for kind, applied in (("reset_before_read", 0), ("reset_after_read", 0),
                              ("reset_after_apply", 1), ("stream_refused", 0),
                              ("stream_reset_after_apply", 1)):
            with self.subTest(kind=kind):
                self.assertRaises(self.reset, self.end_of, kind)
                self.assert_applied(kind, applied)

    def test_armed_reset_before_the_body_is_read(self):
        self.service.arm("reset_before_read")
        with Raw(self.service) as connection:
            connection.send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n"
                            f"Authorization: Bearer {TOKEN}\r\nContent-Length: 1000000\r\n\r\n")
            self.assertRaises(self.reset, connection.until_end)
        self.assertEqual(self.service.post("ann", "next").status, 201)
        self.assert_stats(received=2, applied=1, faults=1, in_flight=0)

    def test_close_after_apply_is_a_clean_end(self):
        self.assertEqual(self.end_of("close_after_apply"), b"")
        self.assert_applied("close_after_apply", 1)

    def test_half_an_answer(self):
        received = self.end_of("half_answer")
        head, _, body = received.partition(b"\r\n\r\n")
        self.assertIn(b"HTTP/1.1 201 Created", head)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.assertEqual(len(body), length // 2)
        self.assert_applied("half_answer", 1)

    def test_garbage(self):
        received = self.end_of("garbage")
        self.assertTrue(received)
        self.assertNotIn(b"HTTP/", received)
        self.assert_applied("garbage", 1)

    def test_bad_json(self):
        answer = self.service.post("fault:bad_json", "bad_json")
        self.assertEqual(answer.status, 201)
        self.assertRaises(ValueError, json.loads, answer.body)
        self.assert_applied("bad_json", 1)

    def test_huge_answer(self):
        self.assertGreater(len(self.service.post("fault:huge_answer", "x").body), 8 << 20)
        self.service.arm("huge_answer", mib=1)
        body = self.service.post("ann", "x").body
        self.assertEqual(len(json.loads(body)["padding"]), 1 << 20)
        self.assert_stats(applied=2)

    def test_error_answers_apply_nothing(self):
        for status, header in ((429, "Retry-After"), (503, "Retry-After"), (500, None),
                               (404, None)):
            answer = self.service.post(f"fault:status_{status}", "x")
            self.assertEqual(answer.status, status)
            self.assertIn("error", json.loads(answer.body))
            self.assertEqual(answer.headers["Retry-After"], "1" if header else None)
        redirect = self.service.post("fault:redirect", "x")
        self.assertEqual((redirect.status, redirect.headers["Location"]),
                         (302, "http://127.0.0.1/"))
        self.assert_stats(applied=0, rejected=4, faults=5)

    def test_armed_faults_meet_so_many_posts(self):
        self.service.arm("status_503", 2)
        refused = self.service.request("POST", "/v1/messages", message("ann", "x"))
        self.assertEqual(refused.status, 401)  # uses up none
        statuses = [self.service.post("ann", "x").status for _ in range(3)]
        self.assertEqual(statuses, [503, 503, 201])
        self.service.arm("status_503", 5)
        self.service.arm("none", 0)
        self.assertEqual(self.service.post("ann", "x").status, 201)

    def test_arming_needs_a_fault(self):
        for body, status in (("{", 400), ("{}", 422), ('{"kind":"no_such"}', 422),
                             ('{"kind":"slow","count":-1}', 422),
                             ('{"kind":"slow","count":1.5}', 422),
                             ('{"kind":"huge_answer","mib":257}', 422)):
            answer = self.service.request("POST", "/v1/faults", body,
                                          {"Authorization": f"Bearer {TOKEN}"})
            self.assertEqual(answer.status, status, body)

    def test_slow_is_applied_although_the_peer_left(self):
        self.service.arm("slow", delay_ms=300)
        with Raw(self.service) as connection:
            connection.post(message("ann", "late"))
            self.service.wait_for("in_flight", 1)
            self.assert_applied("late", 0)
        self.service.wait_for("applied", 1)
        self.assert_stats(in_flight=0)

    def test_stall_never_answers_and_applies_nothing(self):
        with Raw(self.service) as connection:
            connection.post(message("fault:stall", "x"), "Idempotency-Key: k")
            self.service.wait_for("faults", 1)
            self.assertEqual(self.service.post("ann", "meanwhile").status, 201)
            self.assert_stats(in_flight=1)
        self.service.wait_for("in_flight", 0)
        self.assert_stats(applied=1)

    def test_a_stop_in_the_middle_is_clean(self):
        self.service.arm("slow", 2)
        with Raw(self.service) as first, Raw(self.service) as second:
            first.post(message("ann", "x"), "Idempotency-Key: k")
            second.post(message("fault:stall", "x"))
            self.service.wait_for("in_flight", 2)
            self.service.end()


class FaultsPlain(Faults):
    options = ("--plain",)
    reset = ConnectionResetError


class Http1(OneService):
    def status_of(self, *lines, body=""):
        with Raw(self.service) as connection:
            connection.send("\r\n".join([*lines, "", body]))
            received = connection.until_end()
        return int(received.split(b" ")[1])

    def test_a_connection_is_kept(self):
        connection = self.service.connection()
        for _ in range(20):
            self.assertEqual(self.service.post("ann", "x", connection=connection).status, 201)
        connection.close()
        self.assert_stats(applied=20, connections=2)

    def test_pipelined_requests_are_answered_in_order(self):
        with Raw(self.service) as connection:
            one = "GET /v1/messages?text={} HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.send(one.format("a") + "\r\n" + "GET /none HTTP/1.1\r\nHost: x\r\n\r\n" +
                            one.format("b").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
            received = connection.until_end()
        self.assertEqual([part[:3] for part in received.split(b"HTTP/1.1 ")[1:]],
                         [b"200", b"404", b"200"])

    def test_a_chunked_body_in_single_bytes(self):
        body = message("ann", "chunked")
        text = (f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                f"A;extension=1\r\n{body[:10]}\r\n{len(body) - 10:x}\r\n{body[10:]}\r\n"
                "0\r\nTrailer: x\r\n\r\n")
        with Raw(self.service) as connection:
            for byte in text:
                connection.send(byte)
            self.assertIn(b"HTTP/1.1 201", connection.until_end())
        self.assertEqual(self.service.messages(text="chunked")["count"], 1)

    def test_expect_continue(self):
        body = message("ann", "x")
        with Raw(self.service) as connection:
            connection.send(f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                            f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n")
            self.assertEqual(connection.until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.send(body)
            self.assertIn(b"HTTP/1.1 201", connection.until(b"}"))

    def test_ambiguous_requests_are_refused(self):
        post, host = "POST /v1/messages HTTP/1.1", "Host: x"
        cases = (
            (400, "GET / HTTP/1.1"), (400, "GET /"), (505, "GET / HTTP/2.0", host),
            (400, "GET  / HTTP/1.1", host), (400, "G\x01T / HTTP/1.1", host),
            (400, "GET / HTTP/1.1", host, host), (400, "GET / HTTP/1.1", host, "no colon"),
            (400, "GET / HTTP/1.1", host, "a : b"), (400, "GET / HTTP/1.1", host, "a: b\x01"),
            (400, "GET / HTTP/1.1", host, " folded: x"), (400, "GET / HTTP/1.1", "Host: x\n"),
            (400, post, host, "Content-Length: 1", "Content-Length: 1"),
            (400, post, host, "Content-Length: -1"), (400, post, host, "Content-Length: 0x5"),
            (400, post, host, "Content-Length: 18446744073709551621"),
            (400, post, host, "Content-Length: 1", "Transfer-Encoding: chunked"),
            (501, post, host, "Transfer-Encoding: gzip"),
            (501, post, host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            (417, post, host, "Expect: a miracle"),
            (400, post, host, "Authorization: a", "Authorization: b"),
            (413, post, host, "Content-Length: 1048577"),
            (431, "GET / HTTP/1.1", host, *(f"h{i}: x" for i in range(100))),
            (431, "GET / HTTP/1.1", host, "h: " + "x" * 17000),
        )
        for status, *lines in cases:
            with self.subTest(lines=[line[:60] for line in lines[:4]]):
                self.assertEqual(self.status_of(*lines, ""), status)
        self.assert_stats(applied=0)

    def test_bad_chunks_are_refused(self):
        for status, body in ((400, "x\r\n"), (400, "-1\r\n"), (400, "FFFFFFFFFFFFFFFF\r\n"),
                             (400, "1\r\nab\r\n"), (400, "1\n"), (400, "1;" + "e" * 300),
                             (413, "100001\r\n" + "x" * 0x100001)):
            with self.subTest(body=body[:40]):
                self.assertEqual(self.status_of(
                    "POST /v1/messages HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}",
                    "Transfer-Encoding: chunked", body=body), status)

    def test_the_largest_body_is_taken(self):
        text = "x" * (1048576 - len(message("ann", "")))
        self.assertEqual(self.service.post("ann", text).status, 201)
        self.assert_error(self.service.post("ann", text + "x"), 413, "too_large")
        self.assert_stats(applied=1)

    def test_http10_is_closed(self):
        self.assertEqual(self.status_of("GET / HTTP/1.0"), 200)


class Tls(OneService):
    def test_the_certificate_is_for_this_machine_only(self):
        for name in ("localhost", "127.0.0.1", "::1"):
            with socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S) as plain:
                self.service.context().wrap_socket(plain, server_hostname=name).close()
        with socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S) as plain:
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.service.context().wrap_socket(plain, server_hostname="example.com")
        with socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S) as plain:
            with self.assertRaises(ssl.SSLCertVerificationError):
                ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")

    def test_sessions_are_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                context = self.service.context()
                context.minimum_version = context.maximum_version = version
                before = self.service.stats()["resumed"]
                with Raw(self.service, context) as first:
                    first.send("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    first.until_end()  # TLS 1.3: the ticket comes before the answer
                    session = first.socket.session
                with Raw(self.service, context, session) as second:
                    self.assertTrue(second.socket.session_reused)
                self.assertEqual(self.service.stats()["resumed"], before + 1)

    def test_http11_is_chosen_without_alpn(self):
        with Raw(self.service) as connection:
            self.assertIsNone(connection.socket.selected_alpn_protocol())
            connection.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(b"200 OK", connection.until_end())

    def test_bytes_that_are_no_tls(self):
        with socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP", plain.recv(100))
        self.assert_stats(requests=1)


class Options(unittest.TestCase):
    def test_max_requests_closes_the_connection(self):
        with Service("--max-requests-per-connection", "2") as service, Raw(service) as connection:
            one = "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.send(one * 3)
            received = connection.until_end()
            self.assertEqual(received.count(b"HTTP/1.1 200"), 2)
            self.assertEqual(received.count(b"Connection: close"), 1)

    def test_idle_connections_are_closed(self):
        with Service("--idle-timeout-ms", "100") as service, Raw(service) as connection:
            self.assertEqual(connection.until_end(), b"")

    def test_an_answer_that_takes_longer_than_the_idle_timeout_comes(self):
        with Service("--idle-timeout-ms", "100", "--delay-ms", "400") as service:
            self.assertEqual(service.post("ann", "x").status, 201)

    def test_fail_handshake(self):
        with Service("--fail-handshake") as service:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                Raw(service)

    def test_http1_offers_no_http2(self):
        for arguments, chosen in (((), "h2"), (("--http1",), "http/1.1")):
            with Service(*arguments) as service:
                context = service.context()
                context.set_alpn_protocols(["h2", "http/1.1"])
                with Raw(service, context) as connection:
                    self.assertEqual(connection.socket.selected_alpn_protocol(), chosen)

    def test_plain(self):
        with Service("--plain") as service:
            self.assertEqual(service.output["stdout"].decode(),
                             f"messaging: ready {service.url} ca=-\n")
            self.assertTrue(service.url.startswith("http://"))
            self.assertEqual(service.post("ann", "x").status, 201)
            self.assertFalse(pathlib.Path(service.ca_path).exists())

    def test_the_log_names_messages_and_tells_no_text(self):
        with Service() as service, Service("--quiet") as quiet:
            service.post('ann\n"', "private")
            quiet.post("ann", "private")
            service.end()
            quiet.end()
            self.assertEqual(service.log(),
                             'messaging: m-000001 queued, recipient "ann\\u000a\\""\n')
            self.assertEqual(quiet.log(), "")

    def test_the_token_may_come_from_the_environment(self):
        for options, good, bad in (((), TOKEN, "dev-token"),
                                   (("--token", "other"), "other", TOKEN)):
            with Service(*options) as service:
                for token, status in ((good, 201), (bad, 401)):
                    answer = service.request("POST", "/v1/messages", message("ann", "x"),
                                             {"Authorization": f"bearer {token}"})
                    self.assertEqual(answer.status, status)

    def test_wrong_options_are_refused(self):
        with Service() as service:
            taken = f"127.0.0.1:{service.port}"
            for arguments, environment, status, words in (
                    (("--no-such",), {}, 2, "no-such"), (("stray",), {}, 2, "stray"),
                    (("--delay-ms", "x"), {}, 2, "--delay-ms"),
                    (("--huge-mib", "257"), {}, 2, "1 to 256"),
                    (("--plain", "--fail-handshake"), {}, 2, "--plain"),
                    ((), {"MESSAGING_TOKEN": ""}, 2, "token is empty"),
                    (("--listen", "nowhere"), {}, 1, "ADDRESS:PORT"),
                    (("--listen", "127.0.0.1:"), {}, 1, "ADDRESS:PORT"),
                    (("--listen", taken), {}, 1, "in use"),
                    (("--ca", "/no/such/folder/ca.pem"), {}, 1, "/no/such/folder/ca.pem"),
                    (("--help",), {}, 0, "")):
                with self.subTest(arguments=arguments):
                    ca = () if "--ca" in arguments else ("--ca", service.ca_path + "2")
                    ended = subprocess.run([BIN, *ca, *arguments], capture_output=True, text=True,
                                           env={**os.environ, **environment}, timeout=TIMEOUT_S)
                    self.assertEqual(ended.returncode, status)
                    self.assertIn(words, ended.stderr)


@unittest.skipUnless(HTTP2, "skipped: this machine's curl does not speak HTTP/2")
class Http2(OneService):
    def curl(self, *arguments):
        return subprocess.run(
            ["curl", "-sS", "--http2", "--cacert", self.service.ca_path,
             "--max-time", str(TIMEOUT_S), "-H", f"Authorization: Bearer {TOKEN}", "-w", "\n%{http_version} %{http_code}",
             *arguments], capture_output=True, text=True, errors="replace")

    def post(self, recipient, text, *arguments):
        return self.curl(*arguments, "-d", message(recipient, text),
                         self.service.url + "/v1/messages")

    def test_posting_listing_and_refusing(self):
        answer = self.post("ann", "hello")
        body, _, end = answer.stdout.rpartition("\n")
        self.assertEqual(end, "2 201")
        self.assertEqual(json.loads(body)["id"], "m-000001")
        for target, status in (("/v1/messages", 200), ("/", 200), ("/v2", 404),
                               ("/v1/faults", 405)):
            self.assertTrue(self.curl(self.service.url + target).stdout.endswith(f"2 {status}"))
        bad = self.curl("-d", "{", self.service.url + "/v1/messages")
        self.assertTrue(bad.stdout.endswith("2 400"), bad)
        self.assert_stats(applied=1, http2=6)

    def test_a_replay_has_its_header(self):
        for expected in (False, True):
            answer = self.post("ann", "x", "-H", "Idempotency-Key: k", "-D", "-")
            self.assertEqual("idempotent-replayed: true" in answer.stdout, expected)
        self.assert_stats(applied=1, replayed=1)

    def test_a_body_over_the_limit_and_at_it(self):
        room = 1048576 - len(message("ann", ""))
        path = pathlib.Path(self.service.folder) / "body"
        for size, end in ((room, "2 201"), (room + 1, "2 413")):
            path.write_text(message("ann", "x" * size))
            answer = self.curl("--data-binary", f"@{path}", "-o", os.devnull,
                               self.service.url + "/v1/messages")
            self.assertIn(end, answer.stdout)

    def test_many_streams_on_one_connection(self):
        self.service.arm("slow", 50, delay_ms=300)
        urls = [self.service.url + f"/v1/messages?{i}" for i in range(50)]
        answer = self.curl("-Z", "--parallel-max", "50", "-d", message("ann", "x"), *urls)
        self.assertEqual(answer.stdout.count("2 201"), 50)
        self.assert_stats(applied=50, http2=1, in_flight_max=50)

    def test_faults_that_end_the_connection(self):
        for kind, applied in (("reset_before_read", 0), ("reset_after_read", 0),
                              ("reset_after_apply", 1), ("close_after_apply", 1),
                              ("half_answer", 1), ("garbage", 1),
                              ("stream_reset_after_apply", 1)):
            with self.subTest(kind=kind):
                answer = self.post("fault:" + kind, kind)
                self.assertNotEqual(answer.returncode, 0)
                self.assertEqual(self.service.messages(text=kind)["count"], applied)

    def test_a_reset_is_a_reset_and_a_close_is_none(self):
        self.assertIn("reset by peer", self.post("fault:reset_after_apply", "x").stderr)
        self.assertNotIn("reset by peer", self.post("fault:close_after_apply", "x").stderr)

    def test_a_refused_stream_is_applied_by_nobody(self):
        self.assertNotEqual(self.post("fault:stream_refused", "x").returncode, 0)
        self.assert_stats(applied=0)

    def test_armed_reset_before_the_body_is_read(self):
        self.service.arm("reset_before_read")
        self.assertIn("reset by peer", self.post("ann", "x").stderr)
        self.assert_stats(received=1, applied=0, faults=1, in_flight=0)

    def test_answers_with_faults(self):
        for kind, end in (("bad_json", "2 201"), ("huge_answer", "2 201"), ("status_429", "2 429"),
                          ("status_503", "2 503"), ("status_500", "2 500"),
                          ("status_404", "2 404"), ("redirect", "2 302")):
            with self.subTest(kind=kind):
                answer = self.post("fault:" + kind, kind)
                self.assertEqual((answer.returncode, answer.stdout[-5:]), (0, end))
        self.assert_stats(applied=2)

    def test_a_stalled_stream_can_be_given_up(self):
        answer = self.post("fault:stall", "x", "--max-time", "0.5")
        self.assertEqual(answer.returncode, 28)
        self.service.wait_for("in_flight", 0)
        self.assert_stats(applied=0)


@unittest.skipUnless(HTTP2, "skipped: this machine's curl does not speak HTTP/2")
class Http2WithFewRequests(Http2):
    options = ("--max-requests-per-connection", "2", "--idle-timeout-ms", "5000")
    test_many_streams_on_one_connection = None

    def test_goaway_moves_the_client_to_a_new_connection(self):
        answer = self.curl("-d", message("ann", "x"), *[self.service.url + "/v1/messages"] * 5)
        self.assertEqual(answer.stdout.count("2 201"), 5)
        self.assert_stats(applied=5, http2=3)


if __name__ == "__main__":
    program = unittest.main(exit=False)
    if program.result.wasSuccessful() and not HTTP2:
        print("skipped: HTTP/2, for want of a curl that speaks it", file=sys.stderr)
        sys.exit(SKIPPED)
    sys.exit(not program.result.wasSuccessful())
