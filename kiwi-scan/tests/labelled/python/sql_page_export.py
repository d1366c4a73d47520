import psycopg2
from flask import Flask, abort, jsonify, request
from psycopg2 import sql

app = Flask(__name__)
app.config.from_envvar("EXPORT_SETTINGS")
PER_PAGE = 50


@app.route("/export/<table>")
def export(table):
    try:
        page = int(request.args.get("page", "1"))
    except ValueError:
        abort(400)
    if table not in ("accounts", "contacts"):
        abort(404)
    stmt = sql.SQL("SELECT row_to_json(t) FROM {} t LIMIT {} OFFSET {}").format(
        sql.Identifier(table), sql.Literal(PER_PAGE), sql.Literal((page - 1) * PER_PAGE)
    )
    with psycopg2.connect(app.config["PG_DSN"]) as conn, conn.cursor() as cur:
        cur.execute(stmt)
        return jsonify([r[0] for r in cur.fetchall()])
