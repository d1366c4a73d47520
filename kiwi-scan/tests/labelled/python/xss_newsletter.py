from flask import Flask, make_response, request
from jinja2 import Environment, FileSystemLoader, select_autoescape

app = Flask(__name__)
env = Environment(
    loader=FileSystemLoader("templates"),
    autoescape=select_autoescape(["html", "xml"]),
)


@app.route("/newsletter")
def newsletter():
    topics = request.args.getlist("topic")
    heading = request.args.get("heading", "Newsletter")
    html = env.get_template("newsletter.html").render(heading=heading, topics=topics)
    response = make_response(html)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response
