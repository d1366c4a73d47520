from io import BytesIO

import joblib
from flask import Blueprint, jsonify, request

bp = Blueprint("models", __name__)


@bp.post("/models/check")
def check_model():
    data = request.files["model"].read()
    if len(data) > 50_000_000:
        return jsonify({"error": "too large"}), 413
    estimator = joblib.load(BytesIO(data))
    return jsonify({"features": int(estimator.n_features_in_)})
