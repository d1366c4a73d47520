import jsonpickle
from fastapi import FastAPI, Request

from worker.queue import enqueue

app = FastAPI()


@app.post("/tasks")
async def submit(request: Request):
    raw = await request.body()
    task = jsonpickle.decode(raw.decode("utf-8"))
    ticket = enqueue(task)
    return {"ticket": ticket}
