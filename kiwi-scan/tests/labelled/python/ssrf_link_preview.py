import re

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)
TITLE = re.compile(r"<title>([^<]{0,200})</title>")


@app.route("/link-preview")
def link_preview():
    target = request.args.get("url")
    if not target:
        return jsonify({"error": "url missing"}), 400
    page = requests.get(target, timeout=5)
    match = TITLE.search(page.text)
    return jsonify({"title": match.group(1) if match else None})
