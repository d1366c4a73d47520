from flask import Flask, abort, jsonify, request
from jose import JWTError, jwt

from shop.keys import PUBLIC_KEYS

app = Flask(__name__)


def editor_claims():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, PUBLIC_KEYS[kid], algorithms=["ES256"], audience="cms")
    except (JWTError, KeyError):
        abort(401)
    if claims.get("role") != "editor":
        abort(403)
    return claims


@app.get("/drafts")
def drafts():
    return jsonify({"author": editor_claims()["sub"]})
