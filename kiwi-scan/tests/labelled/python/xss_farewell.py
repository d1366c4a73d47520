from flask import Flask, request
from markupsafe import escape

app = Flask(__name__)

PAGE = "<!doctype html><title>Bye</title>"


@app.route("/bye")
def bye():
    visitor = request.args.get("name", "guest")
    body = PAGE + f"<h1>See you soon, {escape(visitor)}!</h1>"
    return body
