"""A server made with the Python SDK, with the tool that plateau is given: what ./run --reference
drives, to tell a client script that is wrong from a server that is."""
import os
import ssl
from typing import Annotated

import httpx
from mcp.server.mcpserver import MCPServer
from pydantic import Field, StrictStr

server = MCPServer("reference", log_level="WARNING")
client = httpx.AsyncClient(
    verify=ssl.create_default_context(cafile=os.environ["MESSAGING_CA"]),
    headers={"Authorization": "Bearer " + os.environ["MESSAGING_TOKEN"]})


@server.tool(structured_output=False)
async def send_message(to: StrictStr, text: Annotated[StrictStr, Field(max_length=1600)]) -> str:
    """Send a text message to one recipient."""
    message = {"recipient": to, "content": {"type": "text", "text": text}}
    answer = await client.post(os.environ["MESSAGING_URL"] + "/messages", json=message)
    answer.raise_for_status()
    return answer.text


if __name__ == "__main__":
    server.run("streamable-http", port=int(os.environ["PORT"]), json_response=True,
               stateless_http=True)
