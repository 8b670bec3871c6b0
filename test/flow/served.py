"""One plateau before one messaging service for all tests of a class, and what may not have happened there.

    class Refusals(Served):
        def test_one(self):
            with self.nothing_sent():
                self.plateau.post(b"no JSON")
            self.still_serves()
"""

import contextlib
import itertools
import unittest

from support import Messaging, Plateau


class Served(unittest.TestCase):
    server = limits = ""  # settings of plateau, as support.Plateau takes them
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        cls.messaging = cls.enterClassContext(Messaging(plain=True))
        cls.plateau = cls.enterClassContext(Plateau(cls.messaging, server=cls.server, limits=cls.limits))

    @classmethod
    def tearDownClass(cls):
        if cls.plateau.stop() != 0:
            raise AssertionError(f"plateau did not end well: {cls.plateau.log()}")

    @contextlib.contextmanager
    def nothing_sent(self):
        """Fails when a request reached the messaging service within it, of whatever kind."""
        before = self.messaging.stats()
        yield
        after = self.messaging.stats()
        for name, own in (("applied", 0), ("received", 0), ("requests", 1)):  # asking is a request, too
            self.assertEqual(after[name], before[name] + own, f"{name} rose")

    def still_serves(self):
        """A good call is made, and made once."""
        to = f"good-{next(self.numbers)}"
        before = self.messaging.stats()["applied"]
        is_error, text = self.plateau.call("send_message", {"to": to, "text": "still well"})
        self.assertFalse(is_error, text)
        self.assertEqual(self.messaging.texts(to), ["still well"])
        self.assertEqual(self.messaging.stats()["applied"], before + 1)
