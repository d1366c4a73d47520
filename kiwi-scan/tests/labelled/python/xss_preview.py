from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

app = FastAPI()

HEADER = "<html><body><article>"
FOOTER = "</article></body></html>"


@app.post("/preview")
async def preview(title: str = Form(...), body: str = Form("")):
    paragraphs = "".join("<p>" + part + "</p>" for part in body.split("\n\n"))
    page = HEADER + "<h2>" + title + "</h2>" + paragraphs + FOOTER
    return HTMLResponse(content=page)
