import os

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route("/tools/ping")
def ping():
    host = request.args.get("host", "localhost")
    status = os.system(f"ping -c 1 -W 2 {host} > /dev/null")
    return jsonify({"reachable": status == 0})
