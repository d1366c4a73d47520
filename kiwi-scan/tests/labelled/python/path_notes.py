from fastapi import FastAPI, HTTPException

app = FastAPI()
NOTES = "/data/notes"


@app.get("/notes/{name:path}")
async def read_note(name: str):
    location = f"{NOTES}/{name}"
    try:
        with open(location, encoding="utf-8") as handle:
            return {"name": name, "text": handle.read()}
    except FileNotFoundError:
        raise HTTPException(status_code=404, detail="no such note")
