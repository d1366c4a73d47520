from flask import Flask, jsonify, request
from pymongo import MongoClient

app = Flask(__name__)
db = MongoClient("mongodb://mongo/accounts").accounts


@app.post("/email/confirm")
def confirm_email():
    body = request.get_json()
    token = str(body["token"])
    entry = db.confirmations.find_one({"token": token})
    if entry is None:
        return jsonify({"error": "token unknown"}), 400
    db.users.update_one({"_id": entry["user_id"]}, {"$set": {"confirmed": True}})
    return jsonify({"ok": True})
