import re

from flask import Flask, jsonify, request

app = Flask(__name__)
NICKNAME = re.compile(r"^(([a-zA-Z0-9])+[ ._-]?)+$")


@app.post("/nickname")
def nickname():
    value = request.get_json()["nickname"]
    if not NICKNAME.match(value):
        return jsonify({"error": "letters and digits only"}), 400
    return jsonify({"ok": True})
