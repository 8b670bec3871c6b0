"""What the tests of the messaging service itself need beyond support.py: whole answers, and an end
that fails when the service did not end well.

    with Service("--delay-ms", "100") as service:
        service.post("ann", "hello").status
        service.stats()["applied"]
"""

import collections
import http.client
import json
import ssl
import time
import urllib.parse

from support import TOKEN, Messaging

TIMEOUT_S = 20

Answer = collections.namedtuple("Answer", "status headers body")


def message(recipient, text):
    return json.dumps({"recipient": recipient, "content": {"type": "text", "text": text}})


class Service(Messaging):
    def __init__(self, *options):
        super().__init__(*options, plain=False)
        self.plain = "--plain" in options

    def __enter__(self):
        super().__enter__()
        self.url = f"{self.match.group(1)}://127.0.0.1:{self.port}"
        self.ca_path = self.folder + "/ca.pem"
        return self

    def __exit__(self, *exception):
        try:
            self.end()
        finally:
            super().__exit__(*exception)

    def end(self):
        """Ends it as an operator does. A leak that AddressSanitizer finds fails this too."""
        if self.process.returncode is None:
            self.stop()
        if self.process.returncode != 0:
            raise AssertionError(f"messaging ended with {self.process.returncode}: {self.log()}")

    def log(self):
        """Of a service that was ended."""
        return self.output["stderr"].decode()

    def context(self):
        return ssl.create_default_context(cafile=self.ca_path)

    def connection(self):
        if self.plain:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT_S,
                                           context=self.context())

    def request(self, method, target, body=None, headers=None, connection=None):
        used = connection or self.connection()
        try:
            used.request(method, target, body, headers or {})
            answer = used.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            if not connection:
                used.close()

    def post(self, recipient, text, key=None, connection=None):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.request("POST", "/v1/messages", message(recipient, text), headers, connection)

    def arm(self, kind, count=1, **more):
        body = json.dumps({"kind": kind, "count": count, **more})
        answer = self.request("POST", "/v1/faults", body, {"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 200, answer

    def get(self, target):
        return json.loads(self.request("GET", target).body)

    def stats(self):
        return self.get("/v1/stats")

    def messages(self, **query):
        return self.get("/v1/messages?" + urllib.parse.urlencode(query))

    def wait_for(self, name, value):
        """Until that figure of the statistics is that value."""
        end = time.monotonic() + TIMEOUT_S
        while self.stats()[name] != value:
            if time.monotonic() > end:
                raise AssertionError(f"{name} never became {value}: {self.stats()}")
            time.sleep(0.01)
