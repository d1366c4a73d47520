from flask import Flask, render_template_string, request

app = Flask(__name__)

LAYOUT = """
<html><body>
<p>Nothing found at {{ path }}</p>
<a href="/">Home</a>
</body></html>
"""


@app.errorhandler(404)
def missing(error):
    return render_template_string(LAYOUT, path=request.path), 404
