import subprocess
import uuid
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
WORKDIR = Path("/var/lib/builder")


class CloneJob(BaseModel):
    branch: str = "main"


@app.post("/jobs")
def start_job(job: CloneJob):
    target = WORKDIR / uuid.uuid4().hex
    script = "git clone --depth 1 -b {0} https://git.example.com/app.git {1}".format(
        job.branch, target
    )
    subprocess.check_call(["/bin/sh", "-c", script])
    return {"dir": target.name}
