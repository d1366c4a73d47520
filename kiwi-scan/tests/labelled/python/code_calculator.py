import math

from flask import Flask, jsonify, request

app = Flask(__name__)
NAMES = {"pi": math.pi, "sqrt": math.sqrt}


@app.route("/calc")
def calc():
    expression = request.args["expr"]
    try:
        value = eval(expression, {"__builtins__": {}}, NAMES)
    except Exception:
        return jsonify({"error": "invalid expression"}), 400
    return jsonify({"value": value})
