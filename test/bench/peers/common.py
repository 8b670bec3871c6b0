"""What the Starlette peers share: one tools/call in, one POST to the messaging service, one
answer out. Written as such a bridge usually is; none of it is tuned for or against anybody."""
import os
import ssl

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
import uvicorn

URL = os.environ["MESSAGING_URL"] + "/messages"
HEADERS = {"Authorization": "Bearer " + os.environ["MESSAGING_TOKEN"]}
TIMEOUT_S = 30


def tls():
    return ssl.create_default_context(cafile=os.environ["MESSAGING_CA"])


def message_of(arguments):
    return {"recipient": arguments["to"],
            "content": {"type": "text", "text": arguments["text"]}}


def serve(post, lifespan=None):
    """`post(message)` sends one message and returns the httpx response."""

    async def endpoint(request):
        call = await request.json()
        if call.get("method") != "tools/call" or call["params"]["name"] != "send_message":
            error = {"code": -32601, "message": "only tools/call of send_message"}
            return JSONResponse({"jsonrpc": "2.0", "id": call.get("id"), "error": error})
        answer = await post(message_of(call["params"]["arguments"]))
        result = {"content": [{"type": "text", "text": answer.text}],
                  "isError": answer.status_code >= 400}
        return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": result})

    app = Starlette(routes=[Route("/mcp", endpoint, methods=["POST"])], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
