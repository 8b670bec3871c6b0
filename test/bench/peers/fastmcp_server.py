"""FastMCP, stateless, with one httpx client for all calls."""
import os

from fastmcp import FastMCP
import httpx

from common import HEADERS, TIMEOUT_S, URL, message_of, tls

server = FastMCP("messaging")
limits = httpx.Limits(max_connections=2000, max_keepalive_connections=2000)
client = httpx.AsyncClient(verify=tls(), timeout=TIMEOUT_S, limits=limits)


@server.tool
async def send_message(to: str, text: str) -> str:
    """Send a text message to one recipient."""
    answer = await client.post(URL, json=message_of({"to": to, "text": text}), headers=HEADERS)
    answer.raise_for_status()
    return answer.text


if __name__ == "__main__":
    server.run(transport="http", host="127.0.0.1", port=int(os.environ["PORT"]), path="/mcp",
               stateless_http=True, json_response=True, show_banner=False, log_level="warning")
