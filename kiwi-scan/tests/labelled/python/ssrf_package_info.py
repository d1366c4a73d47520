from urllib.parse import quote

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
REGISTRY = "https://registry.example.com/api/v1/packages/"


@app.route("/package-info")
def package_info():
    name = request.args.get("name", "")
    if not name.isalnum():
        return jsonify({"error": "name invalid"}), 400
    reply = requests.get(REGISTRY + quote(name, safe=""), timeout=5)
    return jsonify({"found": reply.status_code == 200})
