import ast

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.route("/settings/import", methods=["POST"])
def import_settings():
    raw = request.form["value"][:2000]
    try:
        value = ast.literal_eval(raw)
    except (ValueError, SyntaxError):
        return jsonify({"error": "not a literal"}), 400
    if not isinstance(value, dict):
        return jsonify({"error": "expected a mapping"}), 400
    return jsonify({"keys": sorted(str(k) for k in value)})
