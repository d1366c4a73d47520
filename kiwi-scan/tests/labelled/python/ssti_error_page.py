from flask import Flask, render_template_string, request

app = Flask(__name__)

LAYOUT = """
<html><body>
<p>Nothing found at {{ '%s' }}</p>
<a href="/">Home</a>
</body></html>
"""


@app.errorhandler(404)
def missing(error):
    source = LAYOUT % request.path
    return render_template_string(source), 404
