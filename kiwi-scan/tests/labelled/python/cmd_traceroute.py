import ipaddress
import subprocess

from flask import Flask, abort, jsonify, request

app = Flask(__name__)


@app.route("/tools/traceroute")
def traceroute():
    raw = request.args.get("host", "127.0.0.1")
    try:
        addr = ipaddress.ip_address(raw)
    except ValueError:
        abort(400)
    proc = subprocess.run(
        ["/usr/bin/traceroute", "-m", "8", str(addr)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return jsonify({"hops": proc.stdout.splitlines()})
