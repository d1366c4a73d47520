from flask import Flask, jsonify, request
from pymongo import MongoClient

from accounts.passwords import hash_password

app = Flask(__name__)
db = MongoClient("mongodb://mongo/accounts").accounts


@app.post("/password/reset")
def reset_password():
    body = request.get_json()
    entry = db.resets.find_one({"token": body["token"]})
    if entry is None:
        return jsonify({"error": "token unknown"}), 400
    hashed = hash_password(body["new_password"])
    db.users.update_one({"_id": entry["user_id"]}, {"$set": {"password": hashed}})
    return jsonify({"ok": True})
