from flask import Flask, make_response, request
from jinja2 import Environment, FileSystemLoader

app = Flask(__name__)
env = Environment(loader=FileSystemLoader("templates"), trim_blocks=True)


@app.route("/digest")
def digest():
    topics = request.args.getlist("topic")
    heading = request.args.get("heading", "Your digest")
    html = env.get_template("digest.html").render(heading=heading, topics=topics)
    response = make_response(html)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response
