import os

from fastapi import FastAPI, HTTPException

app = FastAPI()
PAGES = os.path.realpath("/data/pages")


@app.get("/pages/{name:path}")
async def read_page(name: str):
    location = os.path.realpath(os.path.join(PAGES, name))
    if os.path.commonpath([PAGES, location]) != PAGES:
        raise HTTPException(status_code=404)
    if not os.path.isfile(location):
        raise HTTPException(status_code=404)
    with open(location, encoding="utf-8") as handle:
        return {"name": name, "text": handle.read()}
