import random

from flask import Blueprint, jsonify

from shop.store import save_voucher

bp = Blueprint("vouchers", __name__)
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
rng = random.SystemRandom()


@bp.post("/vouchers")
def create_voucher():
    code = "".join(rng.choice(ALPHABET) for _ in range(20))
    save_voucher(code, amount=25)
    return jsonify({"code": code}), 201
