import base64
import json

from flask import Flask, jsonify, request

app = Flask(__name__)


def load_wishlist():
    blob = request.cookies.get("wishlist")
    if not blob:
        return []
    try:
        return json.loads(base64.urlsafe_b64decode(blob))
    except ValueError:
        return []


@app.route("/wishlist")
def wishlist():
    return jsonify({"count": len(load_wishlist())})
