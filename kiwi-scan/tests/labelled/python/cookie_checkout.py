import secrets

from flask import Flask, jsonify, make_response

from shop.service import open_checkout

app = Flask(__name__)
COOKIE_OPTIONS = {"secure": True, "httponly": True, "samesite": "Lax"}


@app.post("/checkout")
def checkout():
    sid = secrets.token_urlsafe(32)
    open_checkout(sid)
    response = make_response(jsonify({"ok": True}))
    response.set_cookie("checkout", sid, max_age=3600, **COOKIE_OPTIONS)
    return response
