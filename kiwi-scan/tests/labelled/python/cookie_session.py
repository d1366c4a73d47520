import secrets

from flask import Flask, jsonify, make_response, request

from accounts.service import authenticate, remember

app = Flask(__name__)


@app.post("/login")
def login():
    form = request.get_json()
    user = authenticate(form["email"], form["password"])
    if user is None:
        return jsonify({"error": "login failed"}), 401
    sid = secrets.token_urlsafe(32)
    remember(sid, user.id)
    response = make_response(jsonify({"ok": True}))
    response.set_cookie("sid", sid, max_age=86400, secure=False, samesite="Lax")
    return response
