"""A shop that counts what it is told: the example app of Changeover, and what its load tests deploy.

Every answer names the release that gave it, so that a test can tell who answered.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect

RELEASE = os.environ.get("CHANGEOVER_VERSION", "dev")
COLOUR = os.environ.get("CHANGEOVER_COLOUR", "none")
DATABASE = os.environ.get("SHOP_DATABASE", "/data/shop.db")
GREETING = "Welcome to the shop"


@asynccontextmanager
async def open_for_business(app: FastAPI) -> AsyncIterator[None]:
    # Two releases write at the same time while one takes over from the other: WAL and a busy timeout allow it.
    app.state.database = sqlite3.connect(DATABASE, isolation_level=None, timeout=10)
    app.state.database.execute("PRAGMA journal_mode=WAL")
    app.state.database.execute("PRAGMA synchronous=NORMAL")
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
    except sqlite3.OperationalError as error:
        raise HTTPException(503, f"the database is not ready: {error}") from error
    return {"ready": RELEASE}


@app.post("/orders/{order}", status_code=201)
async def count(order: str, request: Request) -> dict[str, str]:
    """Once this answers, the order is in the database; the same order twice counts once."""
    request.app.state.database.execute("INSERT OR IGNORE INTO orders (id, release) VALUES (?, ?)", (order, RELEASE))
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
