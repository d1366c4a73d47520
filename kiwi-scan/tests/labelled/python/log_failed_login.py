import logging

from flask import Flask, jsonify, request

from accounts.service import authenticate

app = Flask(__name__)
logger = logging.getLogger("audit")


@app.post("/login")
def login():
    username = request.form["username"]
    if not authenticate(username, request.form["password"]):
        logger.warning("login failed for user " + username)
        return jsonify({"ok": False}), 401
    return jsonify({"ok": True})
