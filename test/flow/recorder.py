"""An upstream that keeps every byte it is asked for: what plateau really sent, and how often.

    with Recorder() as recorder, Plateau(None, url=recorder.url, tools=TOOLS) as plateau:
        plateau.call("get_message", {"id": "a/b"})
        self.assertEqual(recorder.requests[0].target, "/v1/messages/a%2Fb")
"""

import socket
import threading


class Request:
    """One request as it came over the wire."""

    def __init__(self, head, body):
        self.lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = self.lines[0].split(" ", 2)
        self.body = body

    def header(self, name):
        """All values of a header."""
        pairs = [line.split(":", 1) for line in self.lines[1:]]
        return [value.strip() for key, value in pairs if key.lower() == name.lower()]


class Recorder:
    """Plain HTTP/1.1 on a free port; each request is answered with `answer`, and its connection closed."""

    def __init__(self, answer=b'{"ok":true}'):
        self.answer, self.requests = answer, []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            with client:
                client.settimeout(30)
                if not self.take(client):
                    return

    def take(self, client):
        """Reads and answers one request; False when it was the word to stop."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = client.recv(65536)
            if not data:
                return received != b"stop"
            received += data
        head, body = received.split(b"\r\n\r\n", 1)
        request = Request(head, body)
        while len(request.body) < int((request.header("Content-Length") or ["0"])[0]):
            request.body += client.recv(65536)
        self.requests.append(request)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(self.answer)}\r\n"
        client.sendall(head.encode() + b"Connection: close\r\n\r\n" + self.answer)
        return True

    def __exit__(self, *exception):
        with socket.create_connection(self.listener.getsockname()) as client:
            client.sendall(b"stop")
        self.thread.join()
        self.listener.close()
