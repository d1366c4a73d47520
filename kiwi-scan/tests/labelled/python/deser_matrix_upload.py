from io import BytesIO

import numpy as np
from flask import Blueprint, jsonify, request

bp = Blueprint("matrices", __name__)


@bp.post("/matrices/check")
def check_matrix():
    data = request.files["matrix"].read()
    if len(data) > 50_000_000:
        return jsonify({"error": "too large"}), 413
    array = np.load(BytesIO(data), allow_pickle=False)
    return jsonify({"shape": list(array.shape)})
