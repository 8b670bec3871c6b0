"""What every flow test needs: the real programs on free ports, and a plain HTTP client to talk to them.

    with Messaging() as messaging, Plateau(messaging) as plateau:
        answer = plateau.call("send_message", {"to": "ada", "text": "hello"})

The programs' paths come from PLATEAU_BIN and MESSAGING_BIN; everything they write goes to a folder of their own.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

TOKEN = "token-of-the-flow-tests-c4n4ry"
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
START_S = 20  # under valgrind or a sanitizer on a busy machine

TOOLS = """
tools:
  - name: send_message
    description: Send a text message to one recipient.
    input:
      type: object
      required: [to, text]
      properties:
        to: {type: string, minLength: 1, maxLength: 200}
        text: {type: string, maxLength: 1600}
      additionalProperties: false
    request:
      upstream: messaging
      method: POST
      path: /messages
      body: {recipient: "{to}", content: {type: text, text: "{text}"}}
  - name: send_once
    description: Send a text message, with an idempotency key.
    input:
      type: object
      required: [to, text]
      properties: {to: {type: string}, text: {type: string}}
    request:
      upstream: messaging
      method: POST
      path: /messages
      body: {recipient: "{to}", content: {type: text, text: "{text}"}}
    idempotency: {header: Idempotency-Key}
    response: {keep: [id, status]}
  - name: list_messages
    description: List the messages of one recipient.
    annotations: {readOnlyHint: true}
    input:
      type: object
      properties: {recipient: {type: string}}
    request:
      upstream: messaging
      method: GET
      path: /messages
      query: {recipient: "{recipient}"}
"""


class Program:
    """A child process that says on one line of its output that it is ready."""

    def __init__(self, arguments, ready, stream, environment=None):
        self.folder = tempfile.mkdtemp(prefix="plateau-flow-")
        self.arguments, self.ready, self.stream = arguments, ready, stream
        self.prepare = None  # runs in the child before the program does
        self.environment = dict(os.environ, **(environment or {}))
        self.output = {"stdout": b"", "stderr": b""}

    def __enter__(self):
        # Files, not pipes: nobody reads while the test runs, and a full pipe would stop the program.
        self.files = {name: open(f"{self.folder}/{name}", "wb") for name in self.output}
        self.process = subprocess.Popen(
            [a.replace("@", self.folder + "/") for a in self.arguments],
            stdout=self.files["stdout"],
            stderr=self.files["stderr"],
            env=self.environment,
            preexec_fn=self.prepare,
        )
        self.match = self.read_until(self.ready)
        return self

    def read(self):
        for name in self.output:
            with open(f"{self.folder}/{name}", "rb") as file:
                self.output[name] = file.read()

    def read_until(self, pattern):
        """Waits until `stream` matches; fails with what was said instead."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            self.read()
            match = re.search(pattern, self.output[self.stream].decode(errors="replace"))
            if match:
                return match
            if ended:
                break
            time.sleep(0.01)
        self.stop()
        raise AssertionError(f"{self.arguments[0]} is not ready: {self.output}")

    def stop(self, how=signal.SIGTERM):
        """Ends the process and returns its exit status; its whole output is in self.output."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.read()
        return self.process.returncode

    def log(self):
        """What it wrote to stderr so far; after stop(), all of it."""
        self.read()
        return self.output["stderr"].decode(errors="replace")

    def __exit__(self, *exception):
        if self.process.returncode is None:
            self.stop()
        for file in self.files.values():
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Messaging(Program):
    """The embedded messaging service."""

    def __init__(self, *options, plain=False):
        scheme = ["--plain"] if plain else []
        super().__init__(
            [os.environ["MESSAGING_BIN"], "--listen", "127.0.0.1:0", "--ca", "@ca.pem"] + scheme + list(options),
            r"messaging: ready (https?)://127\.0\.0\.1:(\d+) ca=(\S*)",
            "stdout",
            {"MESSAGING_TOKEN": TOKEN},
        )
        self.plain = plain

    def __enter__(self):
        super().__enter__()
        self.port = int(self.match.group(2))
        self.ca = self.match.group(3)
        return self

    def request(self, method, path, body=None):
        if self.plain:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        else:
            import ssl

            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse().read()
        connection.close()
        return json.loads(answer) if answer else None

    def stats(self):
        return self.request("GET", "/v1/stats")

    def arm(self, kind, count=1):
        """The next `count` posts meet this fault."""
        self.request("POST", "/v1/faults", {"kind": kind, "count": count})

    def texts(self, recipient):
        return [m["text"] for m in self.request("GET", f"/v1/messages?recipient={recipient}")["messages"]]


class Plateau(Program):
    """plateau in front of a messaging service."""

    def __init__(self, messaging, http="auto", server="", limits="", upstream="", tools=TOOLS, url=None, ca=None):
        url = url or f"{'http' if messaging.plain else 'https'}://127.0.0.1:{messaging.port}/v1"
        tls = "off" if url.startswith("http:") else "{ca: " + (ca or messaging.ca) + "}"
        self.configuration = f"""
server: {{listen: "127.0.0.1:0", {server}}}
limits: {{memory: 64Mi, {limits}}}
upstreams:
  messaging:
    url: {url}
    auth: {{bearer: {{env: MESSAGING_TOKEN}}}}
    tls: {tls}
    http: {http}
    {upstream}
{tools}"""
        super().__init__(
            [os.environ["PLATEAU_BIN"], "run", "@plateau.yaml"],
            r"event=ready .*listening=127\.0\.0\.1:(\d+)",
            "stderr",
            {"MESSAGING_TOKEN": TOKEN},
        )

    def __enter__(self):
        with open(self.folder + "/plateau.yaml", "w", encoding="utf-8") as file:
            file.write(self.configuration)
        super().__enter__()
        self.port = int(self.match.group(1))
        self.next_id = 0
        return self

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def post(self, body, headers=None, connection=None):
        """(status, headers, decoded JSON or None) of one POST to /mcp. `body` is sent as it is when it is bytes."""
        own = connection or self.connect()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        fields.update(headers or {})
        try:
            own.request("POST", "/mcp", data, {k: v for k, v in fields.items() if v is not None})
            response = own.getresponse()
            text = response.read()
        finally:
            if not connection:
                own.close()
        return response.status, response.headers, json.loads(text) if text else None

    def message(self, method, params=None, era=LEGACY):
        """A JSON-RPC request of an era, and the headers that go with it."""
        self.next_id += 1
        params = dict(params or {})
        headers = {"MCP-Protocol-Version": era}
        if era == MODERN:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            headers["Mcp-Method"] = method
            if "name" in params:
                headers["Mcp-Name"] = params["name"]
        return {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}, headers

    def rpc(self, method, params=None, era=LEGACY, connection=None):
        body, headers = self.message(method, params, era)
        status, _, answer = self.post(body, headers, connection)
        assert answer["id"] == body["id"], answer
        return status, answer

    def call(self, tool, arguments, era=LEGACY, connection=None):
        """(is error, text) of a tools/call."""
        status, answer = self.rpc("tools/call", {"name": tool, "arguments": arguments}, era, connection)
        assert status == 200 and "result" in answer, (status, answer)
        return answer["result"]["isError"], answer["result"]["content"][0]["text"]
