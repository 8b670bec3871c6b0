"""Starts and ends the processes a measurement or a test needs: the messaging service, plateau and
what plateau is compared with. Everything listens on loopback, on a free port."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

TOKEN = "bench-token"
ROOT = pathlib.Path(__file__).resolve().parents[2]


class NotStarted(Exception):
    pass


def binary(name, variable, folder=ROOT / "build" / "release"):
    """The path of one of our programs: from the environment, else from the release build."""
    path = pathlib.Path(os.environ.get(variable) or folder / name)
    if not path.exists():
        raise NotStarted(f"{path} is not there: ./dev build, or set {variable}")
    return str(path)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def first_word(path, pattern, process, seconds=20):
    """Waits for a line in a growing file; the match. Says what was there instead if none came."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        match = re.search(pattern, path.read_text(errors="replace"))
        if match:
            return match
        if process.poll() is not None:
            break
        time.sleep(0.02)
    tail = path.read_text(errors="replace")[-2000:]
    raise NotStarted(f"{process.args[0]} did not get ready (exit {process.poll()}):\n{tail}")


class Server:
    """A process that ends with the `with`. `folder` takes its files; `cores` where it may run."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.process, self.pid, self.cores, self.cgroup = None, None, None, None
        self.log = self.folder / f"{name}-{time.monotonic_ns()}.log"

    def spawn(self, argv, environment=None):
        def prepare():
            if self.cgroup:
                self.cgroup.join()
            if self.cores:
                os.sched_setaffinity(0, self.cores)

        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdout=out, stderr=subprocess.STDOUT, cwd=self.folder,
                stdin=subprocess.DEVNULL, preexec_fn=prepare,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})})
        self.pid = self.process.pid

    def wait_for_port(self, port, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise NotStarted(f"{self.name} does not listen (exit {self.process.poll()}):\n{tail}")

    def alive(self):
        return self.process.poll() is None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Messaging(Server):
    """The embedded messaging service. `http`: the newest version it offers, "1.1" or "2"."""

    def __init__(self, folder, http="2", delay_ms=0, cores=None, more=()):
        super().__init__(folder, "messaging")
        self.http, self.delay_ms, self.cores, self.more = http, delay_ms, cores, more
        self.ca = self.folder / f"ca-{http}.pem"

    def start(self):
        argv = [binary("messaging", "MESSAGING_BIN"), "--listen", "127.0.0.1:0", "--ca", self.ca,
                "--delay-ms", self.delay_ms, "--token", TOKEN, "--quiet", *self.more]
        self.spawn(argv + (["--http1"] if self.http == "1.1" else []))
        found = first_word(self.log, r"ready https://127\.0\.0\.1:(\d+)", self.process)
        self.port = int(found.group(1))
        self.url = f"https://127.0.0.1:{self.port}/v1"


class Statistics:
    """The upstream's own counters, over one connection that is kept."""

    def __init__(self, messaging):
        context = ssl.create_default_context(cafile=str(messaging.ca))
        self.connection = http.client.HTTPSConnection("127.0.0.1", messaging.port,
                                                      context=context, timeout=10)

    def read(self):
        headers = {"Authorization": "Bearer " + TOKEN}
        try:
            self.connection.request("GET", "/v1/stats", headers=headers)
            return json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return {}


SEND_MESSAGE = {
    "name": "send_message",
    "description": "Send a text message to one recipient.",
    "input": {"type": "object", "required": ["to", "text"], "additionalProperties": False,
              "properties": {"to": {"type": "string"},
                             "text": {"type": "string", "maxLength": 1600}}},
    "request": {"upstream": "messaging", "method": "POST", "path": "/messages",
                "body": {"recipient": "{to}", "content": {"type": "text", "text": "{text}"}}},
}


class Plateau(Server):
    loader_options = ("--mode", "mcp")

    def __init__(self, folder, messaging, http="1.1", memory="64Mi", calls=1500, changes=None):
        super().__init__(folder, f"plateau-{http}")
        self.messaging, self.http, self.memory, self.calls = messaging, http, memory, calls
        self.changes = changes or {}

    def configuration(self):
        upstream = {"url": self.messaging.url, "http": self.http, "timeout": "10s",
                    "tls": {"ca": str(self.messaging.ca)},
                    "auth": {"bearer": {"env": "MESSAGING_TOKEN"}}}
        return {"server": {"listen": "127.0.0.1:0", "path": "/mcp", "admin": "127.0.0.1:0"},
                "limits": {"memory": self.memory, "calls": self.calls},
                "upstreams": {"messaging": upstream}, "tools": [SEND_MESSAGE], **self.changes}

    def start(self):
        file = self.folder / f"{self.name}.yaml"
        file.write_text(json.dumps(self.configuration(), indent=2))  # JSON is YAML too
        self.spawn([binary("plateau", "PLATEAU_BIN"), "run", file], {"MESSAGING_TOKEN": TOKEN})
        found = first_word(self.log, r"ready.*listening=127\.0\.0\.1:(\d+).*admin=\S+:(\d+)",
                           self.process)
        self.port, self.admin_port = int(found.group(1)), int(found.group(2))
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def ledger(self):
        """Where its memory is: /debug/memory of the admin listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request("GET", "/debug/memory?format=json")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream messaging {{
        server 127.0.0.1:{upstream_port};
        keepalive 2000;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
        keepalive_time 1h;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
        keepalive_time 1h;
        location / {{
            proxy_pass https://messaging;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer {token}";
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {ca};
            proxy_ssl_name localhost;
            proxy_ssl_session_reuse on;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
        }}
    }}
}}
"""


class Nginx(Server):
    """nginx as a plain reverse proxy in front of the same upstream: what can be reached at least.

    It knows nothing of MCP, and speaks HTTP/1.1 to the upstream in any case. Measured is its one
    worker, not the master, which sleeps."""

    loader_options = ("--mode", "post")

    def __init__(self, folder, messaging):
        super().__init__(folder, "nginx")
        self.messaging = messaging

    def start(self):
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if not program:
            raise NotStarted("nginx is not there: apt-get install nginx-light")
        self.port = free_port()
        file = self.folder / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""  # else its worker cannot read `folder`
        file.write_text(user + NGINX.format(
            folder=self.folder, port=self.port, upstream_port=self.messaging.port, token=TOKEN,
            ca=self.messaging.ca))
        self.spawn([program, "-p", self.folder, "-c", file])
        self.wait_for_port(self.port)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = int(children.read_text().split()[0])
        self.url = f"http://127.0.0.1:{self.port}/v1/messages"


class Peer(Server):
    """A Python server of test/bench/peers, as one process."""

    loader_options = ("--mode", "mcp")

    def __init__(self, folder, messaging, script, python):
        super().__init__(folder, script)
        self.messaging, self.script, self.python = messaging, script, python

    def start(self):
        self.port = free_port()
        self.spawn([self.python, ROOT / "test" / "bench" / "peers" / f"{self.script}.py"],
                   {"PORT": str(self.port), "MESSAGING_URL": self.messaging.url,
                    "MESSAGING_CA": str(self.messaging.ca), "MESSAGING_TOKEN": TOKEN})
        self.wait_for_port(self.port)
        self.url = f"http://127.0.0.1:{self.port}/mcp"
