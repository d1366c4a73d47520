import sqlite3

from flask import Flask, g, jsonify, request

app = Flask(__name__)
DATABASE = "billing.db"


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(DATABASE)
        g.db.row_factory = sqlite3.Row
    return g.db


@app.route("/invoices")
def list_invoices():
    states = request.args.getlist("state") or ["open"]
    marks = ",".join("?" * len(states))
    query = f"SELECT id, total FROM invoices WHERE state IN ({marks}) ORDER BY id"
    rows = get_db().execute(query, states).fetchall()
    return jsonify([dict(r) for r in rows])
