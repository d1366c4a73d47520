from hashlib import md5

from flask import Flask, jsonify, request

from accounts.store import users

app = Flask(__name__)


@app.post("/signup")
def signup():
    form = request.get_json()
    digest = md5(form["password"].encode("utf-8")).hexdigest()
    users.insert(email=form["email"], password_hash=digest)
    return jsonify({"created": True}), 201
