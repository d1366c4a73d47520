from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
ALLOWED = {"hooks.example.com", "hooks.example.org"}


class Hook(BaseModel):
    callback: str


@app.post("/hooks/register")
async def register(hook: Hook):
    parts = urlsplit(hook.callback)
    if parts.scheme != "https" or parts.hostname not in ALLOWED:
        raise HTTPException(status_code=400, detail="host not permitted")
    url = f"https://{parts.hostname}/ping"
    async with httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
        reply = await client.post(url, json={"event": "ping"})
    return {"status": reply.status_code}
