"""A shop that counts what it is told: the example app of Changeover, and what its load tests deploy.

Every answer names the release that gave it, so that a test can tell who answered.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import database
from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect

RELEASE = os.environ.get("CHANGEOVER_VERSION", "dev")
COLOUR = os.environ.get("CHANGEOVER_COLOUR", "none")
GREETING = "Welcome to the shop"

COUNT = f"INSERT INTO orders (id, release) VALUES ({database.VALUE}, {database.VALUE}) ON CONFLICT DO NOTHING"


@asynccontextmanager
async def open_for_business(app: FastAPI) -> AsyncIterator[None]:
    app.state.database = database.connect()
    yield
    app.state.database.close()


app = FastAPI(lifespan=open_for_business)


@app.get("/")
async def welcome() -> dict[str, str]:
    return {"greeting": GREETING, "release": RELEASE, "colour": COLOUR}


@app.get("/readyz")
async def ready(request: Request) -> dict[str, str]:
    """Ready when the schema is there."""
    try:
        request.app.state.database.execute("SELECT count(*) FROM orders WHERE id = ''")
    except database.Error as error:
        raise HTTPException(503, f"the database is not ready: {error}") from error
    return {"ready": RELEASE}


@app.post("/orders/{order}", status_code=201)
async def count(order: str, request: Request) -> dict[str, str]:
    """Once this answers, the order is in the database; the same order twice counts once."""
    request.app.state.database.execute(COUNT, (order, RELEASE))
    return {"order": order, "release": RELEASE}


@app.get("/orders")
async def counted(request: Request) -> dict[str, int]:
    (number,) = request.app.state.database.execute("SELECT count(*) FROM orders").fetchone()
    return {"orders": number}


@app.get("/slow")
async def slow() -> dict[str, str]:
    await asyncio.sleep(1)
    return {"release": RELEASE}


@app.post("/upload")
async def upload(request: Request) -> dict[str, int | str]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"bytes": size, "release": RELEASE}


@app.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Says which release it is, then echoes."""
    await socket.accept()
    try:
        await socket.send_text(RELEASE)
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return
