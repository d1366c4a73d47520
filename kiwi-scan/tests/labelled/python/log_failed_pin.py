import logging

from flask import Flask, jsonify, request

from accounts.service import check_pin

app = Flask(__name__)
logger = logging.getLogger("audit")


def one_line(value):
    return value.replace("\r", "").replace("\n", "")[:64]


@app.post("/pin")
def pin():
    username = request.form["username"]
    if not check_pin(username, request.form["pin"]):
        logger.warning("pin rejected for user " + one_line(username))
        return jsonify({"ok": False}), 401
    return jsonify({"ok": True})
