from flask import Flask, jsonify

from blog.store import latest_posts

app = Flask(__name__)


@app.get("/posts")
def posts():
    return jsonify(latest_posts(20))


if __name__ == "__main__":
    app.run(port=8000, debug=True)
