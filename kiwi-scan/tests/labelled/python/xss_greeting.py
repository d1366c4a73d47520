from flask import Flask, request

app = Flask(__name__)

PAGE = "<!doctype html><title>Hi</title>"


@app.route("/hello")
def hello():
    visitor = request.args.get("name", "guest")
    body = PAGE + f"<h1>Welcome back, {visitor}!</h1>"
    return body
