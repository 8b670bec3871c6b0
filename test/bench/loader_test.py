#!/usr/bin/env python3
"""Does the load generator notice? A server that lies in known ways, and what must be reported.

usage: loader_test.py PATH_OF_BENCH_LOADER"""
import json
import re
import socket
import subprocess
import sys
import threading

EACH = 9  # calls of one run


def receipt(number, text):
    return json.dumps({"id": "m-1", "status": "queued", "recipient": "x", "text": text})


def result(number, text, failed=False):
    content = [{"type": "text", "text": receipt(number, text)}]
    return json.dumps({"jsonrpc": "2.0", "id": number,
                       "result": {"content": content, "isError": failed}})


def http(body, status=200, more=""):
    return (f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def chunked(body):
    half = len(body) // 2
    parts = "".join(f"{len(p):x}\r\n{p}\r\n" for p in (body[:half], body[half:]))
    return f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{parts}0\r\n\r\n".encode()


def stream(body):
    return http(f"event: message\r\ndata: {body}\r\n\r\n")


ERROR = '{"jsonrpc":"2.0","id":%d,"error":{"code":-32602,"message":"no"}}'

# behaviour: (what it answers to call N with text T, expected error or None)
SAYS = {
    "right": (lambda n, t: http(result(n, t)), None),
    "right_in_chunks": (lambda n, t: chunked(result(n, t)), None),
    "right_as_event_stream": (lambda n, t: stream(result(n, t)), None),
    "right_then_close": (lambda n, t: http(result(n, t), more="Connection: close\r\n"), None),
    "id_of_another": (lambda n, t: http(result(n + 1, t)), "wrong_id"),
    "id_longer_by_a_digit": (lambda n, t: http(result(n * 10, t)), "wrong_id"),
    "id_only_inside": (lambda n, t: http('{"result":{"id":%d}}' % n), "wrong_id"),
    "text_of_another": (lambda n, t: http(result(n, f"call <{n + 1}>")), "wrong_text"),
    "text_longer_by_a_digit": (lambda n, t: http(result(n, f"call <{n}0>")), "wrong_text"),
    "tool_error": (lambda n, t: http(result(n, t, True)), "tool_error"),
    "protocol_error": (lambda n, t: http(ERROR % n), "protocol_error"),
    "busy": (lambda n, t: http("{}", 503), "status_503"),
    "nothing": (lambda n, t: b"", "closed_without_answer"),
    "half": (lambda n, t: http(result(n, t))[:-9], "answer_cut_short"),
    "half_of_chunks": (lambda n, t: chunked(result(n, t))[:-3], "answer_cut_short"),
    "twice": (lambda n, t: http(result(n, t)) * 2, "extra_bytes"),
    "no_http": (lambda n, t: b"hello, world\r\n\r\n", "malformed_answer"),
    "empty": (lambda n, t: http(""), "empty_answer"),
    "silence": (None, "timeout"),
}


def serve_one(connection, say):
    buffered = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in buffered:
                more = connection.recv(65536)
                if not more:
                    return
                buffered += more
            head, _, rest = buffered.partition(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
            while len(rest) < length:
                rest += connection.recv(65536)
            call, buffered = json.loads(rest[:length]), rest[length:]
            if say is None:
                continue
            answer = say(call["id"], call["params"]["arguments"]["text"])
            connection.sendall(answer)
            if say in HANG_UP:
                return


HANG_UP = {SAYS[k][0] for k in ("nothing", "half", "half_of_chunks", "right_then_close")}


def listen(say):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve_one, args=(connection, say), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def run(loader, port, *more):
    done = subprocess.run([loader, "--url", f"http://127.0.0.1:{port}/mcp", "--connections", "3",
                           "--json", *more], capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def check_behaviour(loader, name, era):
    say, expected = SAYS[name]
    calls = 3 if say is None else EACH
    code, report = run(loader, listen(say), "--requests", str(calls), "--timeout-ms", "1500",
                       "--era", era)
    seen = {e["kind"]: e["count"] for e in report["error_kinds"]}
    wanted = {} if expected is None else {expected: calls}
    right = calls if expected is None else 0
    return (seen == wanted and report["kinds"]["good"] == {"issued": calls, "right": right}
            and code == (1 if expected else 0)), f"reported {seen}, wanted {wanted}"


def main():
    loader, passed, failed = sys.argv[1], 0, 0
    for name in SAYS:
        for era in ("legacy", "modern"):
            ok, said = check_behaviour(loader, name, era)
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"FAILED {name} ({era}): {said}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
