"""What arguments become in a request: one segment of a path, one value of a query, one header, and never more.

The numbers are those of guard_test.py.
"""

import unittest

from recorder import Recorder
from support import Plateau

TEMPLATES = """
tools:
  - name: get_message
    input:
      type: object
      required: [id]
      properties: {id: {type: string}, tag: {type: string}, word: {type: string}, more: {type: array}}
    request:
      upstream: messaging
      method: GET
      path: /messages/{id}
      query: {word: "{word}", more: "{more}"}
      headers: {X-Tag: "{tag}"}
  - name: put_part
    input: {type: object, required: [id, part], properties: {id: {type: string}, part: {type: string}}}
    request: {upstream: messaging, method: PUT, path: "/messages/m-{id}/{part}.json", body: {}}
"""


class Templates(unittest.TestCase):
    """Arguments that would like to be more than arguments, in each place of a request."""

    @classmethod
    def setUpClass(cls):
        cls.recorder = cls.enterClassContext(Recorder())
        cls.plateau = cls.enterClassContext(Plateau(None, url=cls.recorder.url, tools=TEMPLATES))

    def call(self, tool, arguments):
        """(the one request that was made or None, the result's text)."""
        before = len(self.recorder.requests)
        is_error, text = self.plateau.call(tool, arguments)
        made = self.recorder.requests[before:]
        self.assertEqual(len(made), 0 if is_error else 1, text)
        return (made[0] if made else None), text

    def refused(self, tool, arguments, words):
        with self.subTest(tool=tool, arguments=arguments):
            request, text = self.call(tool, arguments)
            self.assertIsNone(request)
            self.assertTrue(text.startswith("Not sent: "), text)
            self.assertIn(words, text)
            self.assertEqual(self.call("get_message", {"id": "well"})[0].target, "/v1/messages/well")

    def test_a_path_argument_is_one_segment(self):
        """Number 32."""
        segments = {
            "../../admin": "..%2F..%2Fadmin",
            "%2e%2e": "%252e%252e",
            "..%2f": "..%252f",
            "a/b": "a%2Fb",
            "a%2fb": "a%252fb",
            "a\\b": "a%5Cb",
            "?x=1#y": "%3Fx%3D1%23y",
            "a?x#y": "a%3Fx%23y",
            ";x": "%3Bx",
            "//evil": "%2F%2Fevil",
            "@evil": "%40evil",
            ":1234": "%3A1234",
            "a b": "a%20b",
            "a+b&c": "a%2Bb%26c",
            "ü☃": "%C3%BC%E2%98%83",
            "...": "...",
            "{id}": "%7Bid%7D",
        }
        for argument, segment in segments.items():
            with self.subTest(number=32, argument=argument):
                request, _ = self.call("get_message", {"id": argument})
                self.assertEqual((request.method, request.target), ("GET", "/v1/messages/" + segment))
        for argument in ("", ".", ".."):
            self.refused("get_message", {"id": argument}, "/id must not be ")
        for argument in ("\0", "a\0b", "a\nb", "x\r\nX-Admin: 1", "x HTTP/1.1\r\nHost: evil\r\n\r\n", "\x7f", "\x1b"):
            self.refused("get_message", {"id": argument}, "/id must hold no control character")

    def test_an_argument_in_a_part_of_a_segment(self):
        for argument in ("..", ".", "", "a/../b"):
            request, _ = self.call("put_part", {"id": argument, "part": argument})
            encoded = argument.replace("/", "%2F")
            self.assertEqual(request.target, f"/v1/messages/m-{encoded}/{encoded}.json")
            self.assertEqual((request.method, request.body), ("PUT", b"{}"))
        self.refused("put_part", {"id": "1", "part": "\0"}, "/part must hold no control character")

    def test_a_header_argument_is_one_header(self):
        """Number 34."""
        for tag in ("x\r\nX-Admin: 1", "x\nX-Admin: 1", "x\rX-Admin: 1", "x\0y", "\n", "\x7f", "\x1b[2J"):
            self.refused("get_message", {"id": "m", "tag": tag}, "/tag must hold no control character")
        for tag in ("x: y", "Bearer stolen", "a, b; c=d", "üé"):
            request, _ = self.call("get_message", {"id": "m", "tag": tag})
            self.assertEqual([v.encode("latin-1").decode() for v in request.header("X-Tag")], [tag])
            self.assertEqual(request.header("X-Admin"), [])
            self.assertEqual(len(request.header("Authorization")), 1)
        self.assertEqual(self.call("get_message", {"id": "m", "tag": ""})[0].header("X-Tag"), [])

    def test_a_query_argument_is_one_value(self):
        words = {"&x=1#": "%26x%3D1%23", "a=b": "a%3Db", "x\r\nX-Admin: 1": "x%0D%0AX-Admin%3A%201", "%26": "%2526"}
        for word, value in words.items():
            with self.subTest(word=word):
                request, _ = self.call("get_message", {"id": "m", "word": word})
                self.assertEqual(request.target, f"/v1/messages/m?word={value}")
                self.assertEqual(request.header("X-Admin"), [])
        request, _ = self.call("get_message", {"id": "m", "more": ["a&b", 1, True]})
        self.assertEqual(request.target, "/v1/messages/m?more=a%26b&more=1&more=true")
        self.refused("get_message", {"id": "m", "word": "a\0b"}, "/word must not hold U+0000")
        self.refused("get_message", {"id": "m", "more": [{"a": 1}]}, "/more ")


if __name__ == "__main__":
    unittest.main()
