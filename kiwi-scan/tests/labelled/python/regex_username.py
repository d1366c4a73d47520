import re

from flask import Flask, jsonify, request

app = Flask(__name__)
USERNAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]{2,31}$")


@app.post("/username")
def username():
    value = request.get_json()["username"]
    if not USERNAME.match(value):
        return jsonify({"error": "letters and digits only"}), 400
    return jsonify({"ok": True})
