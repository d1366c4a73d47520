import tarfile
from io import BytesIO

from flask import Flask, jsonify, request

app = Flask(__name__)
RESTORE_DIR = "/var/lib/app/restore"


@app.post("/restore")
def restore():
    blob = BytesIO(request.files["backup"].read())
    with tarfile.open(fileobj=blob, mode="r:gz") as tar:
        count = len(tar.getnames())
        tar.extractall(RESTORE_DIR)
    return jsonify({"restored": count})
