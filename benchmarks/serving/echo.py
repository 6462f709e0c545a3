"""A server that does nothing: raw ASGI on uvicorn with our server's settings. What it reaches is the limit of that server."""

import sys
from typing import Any

import uvicorn

BODY = b'{"id":"01a2019d-849e-7e0f-b362-0d41219016db","score":0.0819419966,"label":"Yes","flags":[],"model":"m","version":"1"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the request and answer."""
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )
