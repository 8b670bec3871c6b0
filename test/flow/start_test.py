"""What somebody sees who starts plateau with something wrong: an exit code, and words that say what to do."""

import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import unittest

from support import TOKEN, Messaging, Plateau

GOOD = """
server: {listen: "127.0.0.1:0"}
limits: {memory: 64Mi}
upstreams:
  messaging:
    url: https://127.0.0.1:9/v1
    auth: {bearer: {env: MESSAGING_TOKEN}}
    tls: {ca: ca.pem}
tools:
  - name: send_message
    request:
      upstream: messaging
      method: POST
      path: /messages
"""


class Start(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="plateau-start-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.file = f"{cls.folder}/plateau.yaml"
        with Messaging() as messaging:
            shutil.copyfile(messaging.ca, f"{cls.folder}/ca.pem")

    def write(self, text, name="plateau.yaml"):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def plateau(self, *arguments, environment=None, prepare=None):
        """(exit status, standard output, standard error) of plateau, which has to end by itself."""
        variables = {**os.environ, "MESSAGING_TOKEN": TOKEN, **(environment or {})}
        done = subprocess.run(
            [os.environ["PLATEAU_BIN"], *arguments],
            env={k: v for k, v in variables.items() if v is not None},
            capture_output=True,
            timeout=60,
            preexec_fn=prepare,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def changed(self, old, new):
        self.assertEqual(GOOD.count(old), 1, old)
        self.write(GOOD.replace(old, new))

    def refused(self, place, words, commands=("check", "run"), **how):
        """The only line on standard error is the complaint, which starts with the place."""
        for command in commands:
            with self.subTest(command=command, words=words):
                status, out, err = self.plateau(command, self.file, **how)
                self.assertEqual((status, out), (1, ""), err)
                self.assertEqual(err, f"{self.file}{place}: {words}\n")

    def not_started(self, words, **how):
        """check finds nothing wrong in the file; run does, and its last line says it."""
        status, out, err = self.plateau("check", self.file)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out, f"{self.file}: ok: 1 tool, 1 upstream\n")
        status, out, err = self.plateau("run", self.file, **how)
        self.assertEqual((status, out), (1, ""), err)
        last = err.splitlines()[-1]
        self.assertRegex(last, f'^time=[^ ]+ level=error event=not_started file={re.escape(self.file)} problem="')
        self.assertRegex(last, words)
        self.assertNotIn("event=ready", err)


class TheFile(Start):
    def test_a_good_one(self):
        """What the others change; so it is the change that is refused."""
        self.write(GOOD)
        status, out, err = self.plateau("check", self.file)
        self.assertEqual((status, out, err), (0, f"{self.file}: ok: 1 tool, 1 upstream\n", ""))

    def test_a_typo(self):
        self.changed("method:", "methd:")
        self.refused(":13", '/tools/0/request/methd: is no setting; did you mean "method"?')
        self.changed("listen:", "lisen:")
        self.refused(":2", '/server/lisen: is no setting; did you mean "listen"?')
        self.changed("upstream: messaging", "upstream: mesaging")
        status, _, err = self.plateau("check", self.file)
        self.assertEqual(status, 1)
        self.assertTrue(err.startswith(f"{self.file}:12: /tools/0/request/upstream: "), err)
        self.assertIn('did you mean "messaging"?', err)

    def test_every_problem_is_told_at_once(self):
        self.write(GOOD.replace("127.0.0.1:0", "nowhere").replace("path: /messages", "path: messages"))
        status, _, err = self.plateau("check", self.file)
        self.assertEqual(status, 1)
        self.assertRegex(err, rf"(?m)^{re.escape(self.file)}:2: /server/listen: ")
        self.assertRegex(err, rf"(?m)^{re.escape(self.file)}:14: /tools/0/request/path: ")

    def test_no_yaml(self):
        self.write("server: {listen\ntools: [")
        status, _, err = self.plateau("run", self.file)
        self.assertEqual(status, 1)
        self.assertRegex(err, rf"^{re.escape(self.file)}:2: ")
        self.write("")
        self.refused(":1", "the file is empty")

    def test_no_file(self):
        missing = f"{self.folder}/nowhere.yaml"
        for command in ("check", "run"):
            answer = self.plateau(command, missing)
            self.assertEqual(answer, (1, "", f"{missing}: cannot be read: No such file or directory\n"))
            answer = self.plateau(command, self.folder)
            self.assertEqual(answer, (1, "", f"{self.folder}: is a folder, not a file\n"))


class WhatTheFileNames(Start):
    def test_an_environment_variable(self):
        self.write(GOOD)
        place = "/upstreams/messaging/auth/bearer/env: the environment variable MESSAGING_TOKEN is"
        self.refused(":7", f"{place} not set", environment={"MESSAGING_TOKEN": None})
        self.refused(":7", f"{place} empty", environment={"MESSAGING_TOKEN": ""})
        status, _, err = self.plateau("run", self.file, environment={"MESSAGING_TOKEN": "s3cret\nX-Admin: 1"})
        self.assertEqual(status, 1)
        self.assertIn("control character", err)
        self.assertNotIn("s3cret", err)

    def test_a_secret_in_the_file_is_not_shown(self):
        self.changed("{env: MESSAGING_TOKEN}", "s3cret-token")
        for command in ("check", "run"):
            status, out, err = self.plateau(command, self.file)
            self.assertEqual((status, out), (1, ""))
            self.assertRegex(err, rf"^{re.escape(self.file)}:7: /upstreams/messaging/auth/bearer: .*env: NAME")
            self.assertNotIn("s3cret", err)

    def test_a_secret_in_a_file(self):
        self.changed("{env: MESSAGING_TOKEN}", "{file: token}")
        place = f"/upstreams/messaging/auth/bearer/file: {self.folder}/token"
        self.refused(":7", f"{place} cannot be read: No such file or directory")
        self.write(TOKEN + "\n", "token")
        self.assertEqual(self.plateau("check", self.file)[0], 0)

    def test_certificates(self):
        place = "/upstreams/messaging/tls/ca: "
        self.changed("ca.pem", "nowhere.pem")
        self.refused(":8", f"{place}{self.folder}/nowhere.pem cannot be read: No such file or directory")
        self.changed("ca.pem", ".")
        self.refused(":8", f"{place}{self.folder}/. is not a file")
        self.write("no certificate\n", "no.pem")
        self.changed("ca.pem", "no.pem")
        self.not_started(f"upstream messaging: no CA certificate could be read from {re.escape(self.folder)}/no.pem")

    @unittest.skipIf(os.geteuid() == 0, "root may read every file")
    def test_certificates_that_may_not_be_read(self):
        self.write("", "closed.pem")
        os.chmod(f"{self.folder}/closed.pem", 0)
        self.changed("ca.pem", "closed.pem")
        place = f"/upstreams/messaging/tls/ca: {self.folder}/closed.pem"
        self.refused(":8", f"{place} cannot be read: Permission denied")


class TheMachine(Start):
    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            self.changed("127.0.0.1:0", f"127.0.0.1:{port}")
            self.not_started(f"server.listen: 127.0.0.1:{port} cannot be listened on: another process has this port")

    def test_a_port_that_another_plateau_has(self):
        with Messaging(plain=True) as messaging, Plateau(messaging) as plateau:
            self.changed("127.0.0.1:0", f"127.0.0.1:{plateau.port}")
            self.not_started("another process has this port")
            self.assertFalse(plateau.call("send_message", {"to": "ada", "text": "still mine"})[0])

    def test_memory_that_does_not_fit(self):
        self.changed("memory: 64Mi", "memory: 64Mi, calls: 9000")
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if raised == resource.RLIM_INFINITY or raised > 20_000:
            self.not_started(r"limits\.calls: 9000 calls need \d+ MiB, and limits\.memory is 64 MiB")
        self.changed("memory: 64Mi", "memory: 1Mi")
        self.not_started(r"limits\.memory: 1 MiB do not hold one call")

    def test_too_few_descriptors(self):
        self.changed("memory: 64Mi", "memory: 64Mi, calls: 500")
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        words = r"limits\.calls: 500 calls need \d+ file descriptors, and this process may have 256"
        self.not_started(words, prepare=few)


class TheCommandLine(Start):
    def test_what_is_wrong_with_it(self):
        self.write(GOOD)
        cases = (
            ([], "usage: plateau COMMAND FILE"),
            (["chekc", self.file], 'plateau: there is no command "chekc"; did you mean "check"?'),
            (["run"], "plateau: run takes one FILE, not 0"),
            (["check", self.file, self.file], "plateau: check takes one FILE, not 2"),
            (["run", "--fast"], 'plateau: run has no option "--fast"'),
        )
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                status, out, err = self.plateau(*arguments)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(words, err)

    def test_what_is_asked_of_it(self):
        for arguments, words in ((["--help"], "usage: plateau COMMAND"), (["--version"], r"^plateau \d+\.\d+\.\d+\n")):
            status, out, err = self.plateau(*arguments)
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, words)


if __name__ == "__main__":
    unittest.main()
