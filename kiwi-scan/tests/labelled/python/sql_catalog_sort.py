import psycopg2
from flask import Blueprint, current_app, jsonify, request

bp = Blueprint("catalog", __name__)

SORT_COLUMNS = {
    "name": "p.name",
    "price": "p.unit_price",
    "newest": "p.created_at DESC",
}


@bp.get("/catalog")
def catalog():
    order = SORT_COLUMNS.get(request.args.get("sort"), "p.name")
    category = request.args.get("category", "")
    sql = "SELECT p.id, p.name FROM products p WHERE p.category = %s"
    sql += " ORDER BY " + order
    with psycopg2.connect(current_app.config["PG_DSN"]) as conn:
        with conn.cursor() as cur:
            cur.execute(sql, (category,))
            return jsonify([{"id": i, "name": n} for i, n in cur.fetchall()])
