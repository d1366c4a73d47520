import psycopg2
import psycopg2.extras
from flask import Blueprint, current_app, jsonify, request

bp = Blueprint("inventory", __name__)


def connect():
    return psycopg2.connect(current_app.config["PG_DSN"])


@bp.get("/inventory")
def inventory():
    column = request.args.get("sort", "sku")
    warehouse = request.args.get("warehouse", type=int)
    sql = "SELECT sku, qty FROM stock WHERE warehouse_id = %s"
    sql += " ORDER BY " + column
    with connect() as conn, conn.cursor(cursor_factory=psycopg2.extras.DictCursor) as cur:
        cur.execute(sql, (warehouse,))
        return jsonify([dict(r) for r in cur.fetchall()])
