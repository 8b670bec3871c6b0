"""The Python SDK as an agent's host uses it. usage: python_client.py URL MODE TEXT

Prints what came of it as one line of JSON, the same for every client here; ./run judges it."""
import asyncio
import json
import logging
import sys

from mcp import Client, MCPError

logging.disable(logging.WARNING)  # the report is the one line on stdout


async def call(client, tool, arguments):
    try:
        result = await client.call_tool(tool, arguments)
    except MCPError as error:
        return {"error": error.code, "message": error.message}
    return {"failed": result.is_error, "text": "".join(c.text for c in result.content)}


async def main(url, mode, text):
    async with Client(url, mode=mode, read_timeout_seconds=20) as client:
        tools = (await client.list_tools()).tools
        report = {"protocol": client.protocol_version,
                  "server": client.server_info.name if client.server_info else None,
                  "tools": {t.name: t.input_schema for t in tools},
                  "sent": await call(client, "send_message", {"to": "anna", "text": text}),
                  "refused": await call(client, "send_message",
                                        {"to": "fault:status_404", "text": "nobody"}),
                  "wrong_type": await call(client, "send_message", {"to": 17, "text": text}),
                  "missing": await call(client, "send_message", {"to": "anna"}),
                  "unknown": await call(client, "no_such_tool", {}),
                  "again": await call(client, "send_message", {"to": "bert", "text": text})}
    print(json.dumps(report))


asyncio.run(main(*sys.argv[1:]))
