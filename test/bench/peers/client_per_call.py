"""Starlette with a new httpx client, and so a new TLS context and connection, for every call."""
import httpx

from common import HEADERS, TIMEOUT_S, URL, serve, tls


async def post(message):
    async with httpx.AsyncClient(verify=tls(), timeout=TIMEOUT_S) as client:
        return await client.post(URL, json=message, headers=HEADERS)


if __name__ == "__main__":
    serve(post)
