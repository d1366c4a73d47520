import os

from flask import Flask, abort, request, send_file

app = Flask(__name__)
INVOICE_DIR = "/srv/invoices"


@app.route("/invoice")
def invoice():
    name = request.args.get("file", "")
    full = os.path.join(INVOICE_DIR, name)
    if not os.path.isfile(full):
        abort(404)
    return send_file(full, as_attachment=True)
