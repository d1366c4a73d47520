from flask import Flask, jsonify

from forum.store import latest_threads

app = Flask(__name__)


@app.get("/threads")
def threads():
    return jsonify(latest_threads(20))


if __name__ == "__main__":
    app.run(port=8000, debug=False)
