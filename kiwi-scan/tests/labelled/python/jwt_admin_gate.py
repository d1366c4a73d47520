from functools import wraps

from flask import Flask, abort, jsonify, request
from jose import jwt

from shop.store import delete_product

app = Flask(__name__)


def admin_only(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = jwt.get_unverified_claims(token)
        if claims.get("role") != "admin":
            abort(403)
        return view(*args, **kwargs)

    return wrapper


@app.delete("/products/<int:product_id>")
@admin_only
def remove(product_id):
    delete_product(product_id)
    return jsonify({"deleted": product_id})
