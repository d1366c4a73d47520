import os

from flask import Blueprint, abort, jsonify, request
from werkzeug.utils import secure_filename

bp = Blueprint("documents", __name__)
UPLOADS = "/srv/documents"


@bp.post("/documents/<int:case_id>")
def attach(case_id):
    item = request.files["file"]
    name = secure_filename(item.filename)
    if not name.lower().endswith((".pdf", ".txt")):
        abort(400)
    folder = os.path.join(UPLOADS, str(case_id))
    os.makedirs(folder, exist_ok=True)
    item.save(os.path.join(folder, name))
    return jsonify({"case": case_id, "name": name}), 201
