"""Starlette with one httpx client, and so one pool of connections, for all calls."""
import contextlib

import httpx

from common import HEADERS, TIMEOUT_S, URL, serve, tls

shared = None


@contextlib.asynccontextmanager
async def lifespan(_app):
    global shared
    limits = httpx.Limits(max_connections=2000, max_keepalive_connections=2000)
    async with httpx.AsyncClient(verify=tls(), timeout=TIMEOUT_S, limits=limits) as shared:
        yield


async def post(message):
    return await shared.post(URL, json=message, headers=HEADERS)


if __name__ == "__main__":
    serve(post, lifespan)
