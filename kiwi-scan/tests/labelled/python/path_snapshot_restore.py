import tarfile
from io import BytesIO

from flask import Flask, jsonify, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 20 * 1024 * 1024
RESTORE_DIR = "/var/lib/app/snapshots"


@app.post("/snapshot")
def restore():
    blob = BytesIO(request.files["snapshot"].read())
    with tarfile.open(fileobj=blob, mode="r:gz") as tar:
        count = len(tar.getnames())
        tar.extractall(RESTORE_DIR, filter="data")
    return jsonify({"restored": count})
