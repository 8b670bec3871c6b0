"""What docs/mcp.md promises: every row of its tables that a client can provoke, in both eras.

With PLATEAU_CORPORA naming a folder that holds mcp-schema/REVISION.json, and Python's jsonschema, every answer is
checked against MCP's own schema of its revision, too.
"""

import functools
import json
import os
import unittest

from recorder import Recorder
from served import Served
from support import LEGACY, MODERN, Plateau

try:
    import jsonschema
except ImportError:
    jsonschema = None

LEGACY_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
VERSIONS = (MODERN, *LEGACY_VERSIONS)
META = "io.modelcontextprotocol/"
GOOD = {"name": "send_message", "arguments": {"to": "ada", "text": "never to be sent"}}

RESULTS = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
}
ERRORS = {-32020: "HeaderMismatchError", -32022: "UnsupportedProtocolVersionError"}  # whole messages, in 2026-07-28


@functools.cache
def schema_of(revision):
    """MCP's schema of a revision, or None: 2025-03-26 has none here, nor has a tree without the corpora."""
    path = os.path.join(os.environ.get("PLATEAU_CORPORA", ""), "mcp-schema", f"{revision}.json")
    if not jsonschema or not os.environ.get("PLATEAU_CORPORA") or not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def validator(revision, definition):
    schema = schema_of(revision)
    group = "$defs" if "$defs" in schema else "definitions"
    if definition not in schema[group]:
        raise KeyError(f"MCP {revision} defines no {definition}")
    return jsonschema.validators.validator_for(schema)({**schema, "$ref": f"#/{group}/{definition}"})


def definitions_of(answer, revision, method):
    """Which definitions of a revision an answer has to fit, and the part of it that has to."""
    schema = schema_of(revision)
    names = schema.get("$defs") or schema["definitions"]
    if "error" in answer:
        yield "JSONRPCErrorResponse" if "JSONRPCErrorResponse" in names else "JSONRPCError", answer
        if revision == MODERN and answer["error"]["code"] in ERRORS:
            yield ERRORS[answer["error"]["code"]], answer
    else:
        yield "JSONRPCResultResponse" if "JSONRPCResultResponse" in names else "JSONRPCResponse", answer
        if method:  # None: an error was expected, and the test will say so
            yield RESULTS[method], answer["result"]


def check_schema(answer, revision, method):
    """Raises where the answer is none of its revision."""
    if not schema_of(revision):
        return
    if answer["id"] is None or isinstance(answer["id"], float):
        # JSON-RPC 2.0 has both ids, MCP's schema neither: the rest of the answer is looked at.
        answer = {**answer, "id": 0}
    for definition, part in definitions_of(answer, revision, method):
        validator(revision, definition).validate(part)


class Digits(str):
    """A number as it was written."""


def loads(text):
    return json.loads(text, parse_int=Digits, parse_float=Digits)


class Mcp(Served):
    server = 'name: "flow", instructions: "Send each message once."'

    def post(self, body, headers, method=None, revision=LEGACY):
        """(status, answer): the answer of one message, which is JSON and nothing else, and fits its revision."""
        status, fields, answer = self.plateau.post(body, headers)
        self.assertEqual(fields["Content-Type"], "application/json")
        self.assertIsNone(fields["Mcp-Session-Id"])
        self.assertEqual(answer["jsonrpc"], "2.0")
        check_schema(answer, revision, method)
        return status, answer

    def result(self, method, params=None, era=LEGACY):
        body, headers = self.plateau.message(method, params, era)
        status, answer = self.post(body, headers, method, era)
        self.assertEqual(status, 200, answer)
        self.assertEqual(set(answer), {"jsonrpc", "id", "result"}, answer)
        self.assertEqual(answer["id"], body["id"])
        return answer["result"]

    def refused(self, expected, body, headers, revision=LEGACY, request_id=...):
        """The (status, code) of an error, which names its request; nothing is sent, and the next call is served."""
        with self.nothing_sent():
            status, answer = self.post(body, headers, None, revision)
        self.assertEqual(set(answer), {"jsonrpc", "id", "error"}, answer)
        self.assertEqual((status, answer["error"]["code"]), expected, answer)
        self.assertEqual(answer["id"], body.get("id") if request_id is ... else request_id)
        self.assertGreater(len(answer["error"]["message"]), 10)
        return answer["error"]


class Methods(Mcp):
    def test_initialize_negotiates(self):
        for asked in (*LEGACY_VERSIONS, MODERN, "2024-11-05", "2099-01-01", "", "x" * 300):
            with self.subTest(asked=asked[:20]):
                result = self.result("initialize", {"protocolVersion": asked, "capabilities": {}})
                self.assertEqual(result["protocolVersion"], asked if asked in LEGACY_VERSIONS else "2025-11-25")
                self.assertEqual(result["capabilities"], {"tools": {}})
                self.assertEqual(result["serverInfo"]["name"], "flow")
                self.assertRegex(result["serverInfo"]["version"], r"^\d+\.\d+\.\d+")
                self.assertEqual(result["instructions"], "Send each message once.")
                self.assertEqual(set(result), {"protocolVersion", "capabilities", "serverInfo", "instructions"})

    def test_initialize_without_a_version(self):
        self.refused((200, -32602), *self.plateau.message("initialize", {}))
        for version in (20251125, None, ["2025-11-25"], {}, True):
            with self.subTest(version=version):
                self.refused((200, -32602), *self.plateau.message("initialize", {"protocolVersion": version}))

    def test_initialize_negotiates_in_its_body(self):
        """Its header may name a version that is not served; only the modern one contradicts it."""
        body, headers = self.plateau.message("initialize", {"protocolVersion": "2025-06-18"}, "2099-01-01")
        status, answer = self.post(body, headers, "initialize")
        self.assertEqual((status, answer["result"]["protocolVersion"]), (200, "2025-06-18"))

    def test_ping(self):
        for version in (*LEGACY_VERSIONS, None):
            body, headers = self.plateau.message("ping", era=version)
            self.assertEqual(self.post(body, headers, "ping", version)[1]["result"], {})

    def test_tools_list(self):
        tools = self.result("tools/list")["tools"]
        self.assertEqual([t["name"] for t in tools], ["send_message", "send_once", "list_messages"])
        self.assertEqual(tools[2]["annotations"], {"readOnlyHint": True})
        self.assertEqual(set(tools[0]), {"name", "description", "inputSchema"})
        self.assertEqual(tools[0]["description"], "Send a text message to one recipient.")
        properties = {
            "to": {"type": "string", "minLength": 1, "maxLength": 200},
            "text": {"type": "string", "maxLength": 1600},
        }
        schema = {"type": "object", "required": ["to", "text"], "properties": properties, "additionalProperties": False}
        self.assertEqual(tools[0]["inputSchema"], schema)
        for version in LEGACY_VERSIONS:
            self.assertEqual(self.result("tools/list", era=version), {"tools": tools}, version)
        self.check_modern(self.result("tools/list", era=MODERN), {"tools": tools}, cached=True)

    def check_modern(self, result, own, cached):
        """The members that every result of 2026-07-28 has, and the method's own."""
        info = self.result("initialize", {"protocolVersion": LEGACY})["serverInfo"]
        expected = {**own, "resultType": "complete", "_meta": {META + "serverInfo": info}}
        if cached:
            expected.update({"ttlMs": 60000, "cacheScope": "public"})
        self.assertEqual(result, expected)

    def test_discover(self):
        own = {"supportedVersions": list(VERSIONS), "capabilities": {"tools": {}}}
        own["instructions"] = "Send each message once."
        self.check_modern(self.result("server/discover", era=MODERN), own, cached=True)

    def test_tools_call(self):
        for era in VERSIONS:
            with self.subTest(era=era):
                arguments = {"to": f"call-{era}", "text": "once"}
                result = self.result("tools/call", {"name": "send_message", "arguments": arguments}, era)
                receipt = json.loads(result["content"][0]["text"])
                own = {"content": [{"type": "text", "text": result["content"][0]["text"]}], "isError": False}
                self.assertEqual((receipt["recipient"], receipt["text"]), (f"call-{era}", "once"))
                if era == MODERN:
                    self.check_modern(result, own, cached=False)
                else:
                    self.assertEqual(result, own)
                self.assertEqual(self.messaging.texts(f"call-{era}"), ["once"])

    def test_tools_call_without_arguments(self):
        result = self.result("tools/call", {"name": "list_messages"})
        self.assertFalse(result["isError"])
        self.assertIn("messages", json.loads(result["content"][0]["text"]))

    def test_a_cursor_is_never_ours(self):
        for era in (LEGACY, MODERN):
            for cursor in ("abc", ""):
                with self.subTest(era=era, cursor=cursor):
                    self.refused((200, -32602), *self.plateau.message("tools/list", {"cursor": cursor}, era), era)

    def test_unknown_methods(self):
        unknown = ["", "resources/list", "prompts/get", "tools/Call", "tools/call ", "ping\0", "é" * 60]
        for era, removed in ((LEGACY, "server/discover"), (MODERN, "initialize"), (MODERN, "ping")):
            for method in [*unknown, removed]:
                with self.subTest(era=era, method=method):
                    body, headers = self.plateau.message(method, GOOD, era)
                    headers.pop("Mcp-Name", None)
                    if not method.isascii() or not method.isprintable() or method != method.strip():
                        headers.pop("Mcp-Method", None)  # no header can repeat such a name
                        if era == MODERN:
                            self.refused((400, -32020), body, headers, era)
                            continue
                    self.refused((200 if era == LEGACY else 404, -32601), body, headers, era)

    def test_nothing_is_remembered(self):
        """No session: a call needs no initialize before it, and a session id is looked at by nobody."""
        body, headers = self.plateau.message("ping")
        self.assertEqual(self.post(body, {**headers, "Mcp-Session-Id": "stolen"}, "ping")[1]["result"], {})


class Notifications(Mcp):
    def taken(self, body, headers):
        with self.nothing_sent():
            status, fields, answer = self.plateau.post(body, headers)
        self.assertEqual((status, answer), (202, None))
        self.assertEqual(fields["Content-Length"], "0")

    def test_each_is_taken_and_nothing_follows(self):
        for era in (*VERSIONS, None):
            for method in ("notifications/initialized", "notifications/cancelled", "no/such", "tools/call"):
                with self.subTest(era=era, method=method):
                    body, headers = self.plateau.message(method, GOOD if method == "tools/call" else {}, era)
                    del body["id"]
                    self.taken(body, headers)
        self.still_serves()

    def test_an_answer_from_the_client_is_dropped(self):
        for member in ({"result": {}}, {"error": {"code": -1, "message": "no"}}):
            self.taken({"jsonrpc": "2.0", "id": 7, **member}, {})
        self.still_serves()

    def test_a_notification_that_is_no_message(self):
        body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        for params in ([], "x", 1, None):
            self.refused((400, -32600), {**body, "params": params}, {"MCP-Protocol-Version": LEGACY})
        self.refused((400, -32600), body, {"MCP-Protocol-Version": "2099-01-01"})
        modern, headers = self.plateau.message("notifications/initialized", {}, MODERN)
        del modern["id"]
        self.refused((400, -32020), modern, {**headers, "Mcp-Method": "tools/call"}, MODERN)


class Messages(Mcp):
    def test_no_json_rpc(self):
        good = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": GOOD}
        without = {name: {k: v for k, v in good.items() if k != name} for name in good}
        cases = {
            "no jsonrpc": without["jsonrpc"],
            "jsonrpc 1.0": {**good, "jsonrpc": "1.0"},
            "jsonrpc a number": {**good, "jsonrpc": 2.0},
            "no method": without["method"],
            "method null": {**good, "method": None},
            "method an array": {**good, "method": ["tools/call"]},
        }
        for name, body in cases.items():
            with self.subTest(name):
                known = 1 if "method" in name else None
                self.refused((400, -32600), body, {}, request_id=known)
        for request_id in (None, True, {}, [], [1]):
            with self.subTest(id=request_id):
                self.refused((400, -32600), {**good, "id": request_id}, {}, request_id=None)
        for params in ([], ["send_message"], "x", 1, True, None):
            with self.subTest(params=params):
                self.refused((400, -32602), {**good, "params": params}, {})
        self.still_serves()

    def test_what_tools_call_needs(self):
        cases = (
            {},
            {"arguments": GOOD["arguments"]},
            {**GOOD, "name": None},
            {**GOOD, "name": 1},
            {**GOOD, "name": ["send_message"]},
            {**GOOD, "name": "send_massage"},
            {**GOOD, "name": "Send_message"},
            {**GOOD, "name": ""},
            {**GOOD, "name": "send_message\0"},
            {**GOOD, "name": "x" * 3000},
            {**GOOD, "arguments": None},
            {**GOOD, "arguments": []},
            {**GOOD, "arguments": "to=ada"},
        )
        for params in cases:
            with self.subTest(params=str(params)[:60]):
                self.refused((200, -32602), *self.plateau.message("tools/call", params))
        for params in ({**GOOD, "name": "send_massage"}, {**GOOD, "arguments": []}):
            self.refused((200, -32602), *self.plateau.message("tools/call", params, MODERN), MODERN)
        self.refused((200, -32602), {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, {})
        self.still_serves()

    def test_arguments_that_do_not_fit(self):
        """A result that the model reads: it names the argument, and says that nothing was sent."""
        cases = (
            ({}, "/to is missing"),
            ({"to": "ada"}, "/text is missing"),
            ({"to": "ada", "text": "x", "colour": 1}, "/colour is not allowed"),
            ({"to": 1, "text": "x"}, "/to must be a string, not a number"),
            ({"to": None, "text": "x"}, "/to must be a string, not null"),
            ({"to": ["ada"], "text": "x"}, "/to must be a string, not an array"),
            ({"to": "ada", "text": True}, "/text must be a string, not a boolean"),
            ({"to": "", "text": "x"}, "/to is 0 characters long"),
            ({"to": "☃" * 201, "text": "x"}, "/to is 201 characters long"),
            ({"to": "ada", "text": "x" * 1601}, "/text is 1601 characters long"),
        )
        for era in (LEGACY, MODERN):
            for arguments, words in cases:
                with self.subTest(era=era, words=words), self.nothing_sent():
                    result = self.result("tools/call", {"name": "send_message", "arguments": arguments}, era)
                    self.assertIs(result["isError"], True)
                    text = result["content"][0]["text"]
                    self.assertTrue(text.startswith("Not sent: "), text)
                    self.assertIn(words, text)
        self.still_serves()

    def test_arguments_at_their_limits(self):
        self.assertFalse(self.plateau.call("send_message", {"to": "é" * 56 + "a" * 144, "text": "x"})[0])
        self.assertFalse(self.plateau.call("send_message", {"to": "limit", "text": "x" * 1600})[0])


class Modern(Mcp):
    def test_headers_that_do_not_repeat_the_body(self):
        cases = (
            ("tools/call", {"MCP-Protocol-Version": None}),
            ("tools/call", {"MCP-Protocol-Version": LEGACY}),
            ("tools/call", {"MCP-Protocol-Version": "2099-01-01"}),
            ("tools/call", {"Mcp-Method": None}),
            ("tools/call", {"Mcp-Method": "tools/list"}),
            ("tools/call", {"Mcp-Method": "TOOLS/CALL"}),
            ("tools/call", {"Mcp-Name": None}),
            ("tools/call", {"Mcp-Name": "send_once"}),
            ("tools/call", {"Mcp-Name": "Send_Message"}),
            ("tools/call", {"Mcp-Name": ""}),
            ("tools/call", {"Mcp-Name": "=?base64?c2VuZF9tZXNzYWdl?="}),  # a known difference
            ("tools/list", {"Mcp-Method": None}),
            ("tools/list", {"Mcp-Method": "tools/call"}),
            ("server/discover", {"MCP-Protocol-Version": None}),
            ("no/such", {"Mcp-Method": "tools/list"}),
        )
        for method, changed in cases:
            with self.subTest(method=method, changed=changed):
                body, headers = self.plateau.message(method, GOOD if method == "tools/call" else {}, MODERN)
                error = self.refused((400, -32020), body, {**headers, **changed}, MODERN)
                self.assertIn(next(iter(changed)), error["message"])
        self.still_serves()

    def test_names_of_headers_have_no_case(self):
        body, headers = self.plateau.message("tools/list", {}, MODERN)
        status, _ = self.post(body, {k.upper(): v for k, v in headers.items()}, "tools/list", MODERN)
        self.assertEqual(status, 200)

    def test_a_version_that_is_not_served(self):
        for version in ("2099-01-01", LEGACY, "2025-06-18", "DRAFT-2026-v1"):
            with self.subTest(version=version):
                body, headers = self.plateau.message("tools/call", GOOD, MODERN)
                body["params"]["_meta"][META + "protocolVersion"] = version
                error = self.refused((400, -32022), body, {**headers, "MCP-Protocol-Version": version}, MODERN)
                self.assertEqual(error["data"], {"supported": list(VERSIONS), "requested": version})

    def test_parts_of_meta_that_are_missing_or_wrong(self):
        cases = (
            {META + "clientCapabilities": ...},
            {META + "clientCapabilities": None},
            {META + "clientCapabilities": []},
            {META + "clientCapabilities": "tools"},
            {META + "protocolVersion": None},
            {META + "protocolVersion": 20260728},
            {META + "protocolVersion": [MODERN]},
            {META + "protocolVersion": ...},  # with the modern header only
        )
        for changed in cases:
            with self.subTest(changed=changed):
                body, headers = self.plateau.message("tools/call", GOOD, MODERN)
                meta = {**body["params"]["_meta"], **changed}
                body["params"]["_meta"] = {k: v for k, v in meta.items() if v is not ...}
                self.refused((400, -32602), body, headers, MODERN)
        for meta in (None, [], "x"):
            body, headers = self.plateau.message("tools/call", GOOD, MODERN)
            body["params"]["_meta"] = meta
            self.refused((400, -32602), body, headers, MODERN)
        self.still_serves()


class Legacy(Mcp):
    def test_the_modern_header_contradicts(self):
        modern = {"MCP-Protocol-Version": MODERN}
        body, _ = self.plateau.message("initialize", {"protocolVersion": MODERN})
        self.refused((400, -32020), body, modern)
        for method in ("tools/call", "tools/list", "ping", "server/discover", "no/such"):
            body, _ = self.plateau.message(method, GOOD)
            self.refused((400, -32602), body, modern)
        self.still_serves()

    def test_a_header_with_a_version_that_is_not_served(self):
        for version in ("2099-01-01", "2024-11-05", "", "2025-11-25x", "2025-11-25, 2025-06-18"):
            for method in ("tools/call", "ping"):
                with self.subTest(version=version, method=method):
                    self.refused((400, -32600), *self.plateau.message(method, GOOD, version))
        self.still_serves()

    def test_no_header_is_a_legacy_client(self):
        body, _ = self.plateau.message("tools/call", {**GOOD, "arguments": {"to": "old", "text": "hello"}})
        status, answer = self.post(body, {}, "tools/call")
        self.assertEqual((status, answer["result"]["isError"]), (200, False))
        self.assertEqual(self.messaging.texts("old"), ["hello"])


LONG = "123456789012345678901234567890"
ESCAPES = r'"\u0061\"\\\/\b\n\u2603\u0000\ud83d\ude00"'
IDS = ("8999999999999999", "9007199254740993", "9223372036854775808", LONG, "1.50", "0.10", "1.5e300", "1e400", "1E+2")
IDS += ("-0", '""', '"1"', '"☃"', ESCAPES)
NUMBERS = ("9007199254740993", "-9007199254740993", LONG, LONG + ".5", "1.50", "1e2", "1E+2", "1.0", "1e400", "-0")

PAY = """
tools:
  - name: pay
    input: {type: object, required: [sum], properties: {sum: {type: number}, more: {}}}
    request:
      upstream: messaging
      method: POST
      path: "/pay/{sum}"
      query: {sum: "{sum}"}
      headers: {X-Sum: "{sum}"}
      body: {sum: "{sum}", list: ["{sum}"], more: "{more}"}
  - name: pay_and_keep
    input: {type: object}
    request: {upstream: messaging, method: POST, path: /pay}
    response: {keep: [a, c]}
"""


class DigitForDigit(Mcp):
    def exchange(self, plateau, data):
        """The text of an answer, as it was written."""
        connection = plateau.connect()
        connection.request("POST", "/mcp", data.encode(), {"Content-Type": "application/json"})
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def test_ids(self):
        parts = {  # results made at load and for the call; errors before and after the method is known
            '"method":"tools/list"': "result",
            '"method":"tools/call","params":{"name":"list_messages"}': "result",
            '"method":"initialize","params":{"protocolVersion":"2025-06-18"}': "result",
            '"method":"no/such"': "error",
            '"method":7': "error",
        }
        for request_id in IDS:
            for rest, member in parts.items():
                with self.subTest(id=request_id, rest=rest):
                    answer = loads(self.exchange(self.plateau, f'{{"jsonrpc":"2.0","id":{request_id},{rest}}}'))
                    self.assertIn(member, answer)
                    self.assertEqual(answer["id"], loads(request_id))
                    self.assertIs(type(answer["id"]), type(loads(request_id)))
        self.still_serves()

    def test_arguments(self):
        with Recorder() as recorder, Plateau(None, url=recorder.url, tools=PAY) as plateau:
            for number in NUMBERS:
                with self.subTest(number=number):
                    arguments = f'{{"sum":{number},"more":{{"deep":[{number}]}}}}'
                    answer = loads(self.exchange(plateau, self.pay("pay", arguments)))
                    self.assertIs(answer["result"]["isError"], False)
                    request = recorder.requests[-1]
                    encoded = number.replace("+", "%2B")
                    self.assertEqual(request.target, f"/v1/pay/{encoded}?sum={encoded}")
                    self.assertEqual(request.header("X-Sum"), [number])
                    body = loads(request.body)
                    digits = Digits(number)
                    self.assertEqual(body, {"sum": digits, "list": [digits], "more": {"deep": [digits]}})
                    self.assertIs(type(body["sum"]), Digits)
            self.assertEqual(len(recorder.requests), len(NUMBERS))

    def pay(self, tool, arguments):
        params = f'{{"name":"{tool}","arguments":{arguments}}}'
        return f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'

    def test_answers(self):
        with Recorder() as recorder, Plateau(None, url=recorder.url, tools=PAY) as plateau:
            for number in NUMBERS:
                with self.subTest(number=number):
                    service = f'{{"a": {number}, "b":1,"c":[{{"d":{number}}}]}}'
                    recorder.answer = service.encode()
                    whole = loads(self.exchange(plateau, self.pay("pay", '{"sum":1}')))
                    self.assertEqual(whole["result"]["content"][0]["text"], service)
                    kept = loads(self.exchange(plateau, self.pay("pay_and_keep", "{}")))
                    kept = loads(kept["result"]["content"][0]["text"])
                    self.assertEqual(kept, {"a": Digits(number), "c": [{"d": Digits(number)}]})
                    self.assertIs(type(kept["a"]), Digits)


class TheseTests(Mcp):
    def test_a_request_that_is_sent_is_seen(self):
        """The other tests hold that nothing was sent; this one, that they would see it."""
        for tool, arguments in (("send_message", {"to": "seen", "text": "x"}), ("list_messages", {})):
            with self.assertRaises(AssertionError):
                with self.nothing_sent():
                    self.plateau.call(tool, arguments)

    def test_the_schemas_refuse_what_is_wrong(self):
        used = [revision for revision in VERSIONS if schema_of(revision)]
        if not used:
            self.skipTest("answers are not checked by schema: PLATEAU_CORPORA has no mcp-schema, or no jsonschema here")
        self.assertEqual(used, [MODERN, "2025-11-25", "2025-06-18"])
        wrong = (
            {"jsonrpc": "2.0", "id": True, "result": {}},
            {"jsonrpc": "1.0", "id": 1, "result": {"tools": [], "resultType": "complete"}},
            {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "x"}]}},
            {"jsonrpc": "2.0", "id": 1, "error": {"code": "-32601", "message": "x"}},
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601}},
        )
        for revision in used:
            for answer in wrong:
                with self.assertRaises(jsonschema.ValidationError):
                    check_schema(answer, revision, "tools/list")


if __name__ == "__main__":
    unittest.main()
