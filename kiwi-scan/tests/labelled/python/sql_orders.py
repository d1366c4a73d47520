import sqlite3

from flask import Flask, g, jsonify, request

app = Flask(__name__)
DATABASE = "shop.db"


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(DATABASE)
        g.db.row_factory = sqlite3.Row
    return g.db


@app.route("/orders")
def list_orders():
    status = request.args.get("status", "open")
    query = f"SELECT id, total FROM orders WHERE status = '{status}' ORDER BY id"
    rows = get_db().execute(query).fetchall()
    return jsonify([dict(r) for r in rows])
