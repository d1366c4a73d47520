import os

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()

ACTIONS = {
    "reload": "/usr/sbin/nginx -s reload",
    "test": "/usr/sbin/nginx -t",
    "rotate": "/usr/sbin/logrotate -f /etc/logrotate.d/nginx",
}


class Request(BaseModel):
    action: str


@app.post("/nginx")
def control(req: Request):
    command = ACTIONS.get(req.action)
    if command is None:
        raise HTTPException(status_code=404)
    status = os.system(command)
    return {"action": req.action, "status": status}
