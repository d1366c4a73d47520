import os

import MySQLdb
from flask import Flask, jsonify, request

app = Flask(__name__)


def build_where(filters):
    parts = []
    for key in ("owner", "queue", "priority"):
        if filters.get(key):
            parts.append(key + " = '" + filters[key] + "'")
    return " AND ".join(parts) or "1=1"


@app.route("/tickets")
def tickets():
    where = build_where(request.args)
    db = MySQLdb.connect(
        host="db", user="helpdesk", passwd=os.environ["DB_PASS"], db="helpdesk"
    )
    cur = db.cursor()
    cur.execute("SELECT id, subject FROM tickets WHERE " + where)
    data = [{"id": i, "subject": s} for i, s in cur.fetchall()]
    db.close()
    return jsonify(data)
