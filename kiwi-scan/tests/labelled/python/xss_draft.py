import html

from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

app = FastAPI()

HEADER = "<html><body><article>"
FOOTER = "</article></body></html>"


@app.post("/draft")
async def draft(title: str = Form(...), body: str = Form("")):
    heading = "<h2>" + html.escape(title) + "</h2>"
    paragraphs = "".join("<p>" + html.escape(p) + "</p>" for p in body.split("\n\n"))
    return HTMLResponse(content=HEADER + heading + paragraphs + FOOTER)
