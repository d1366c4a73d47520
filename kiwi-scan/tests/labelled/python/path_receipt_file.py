from flask import Flask, abort, request, send_from_directory

app = Flask(__name__)
RECEIPT_DIR = "/srv/receipts"


@app.route("/receipt")
def receipt():
    name = request.args.get("file", "")
    if not name.endswith(".pdf"):
        abort(404)
    return send_from_directory(RECEIPT_DIR, name, as_attachment=True)
