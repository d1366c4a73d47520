import os

from flask import Blueprint, jsonify, request

bp = Blueprint("attachments", __name__)
UPLOADS = "/srv/uploads"


def clean(name):
    return name.replace("../", "")


@bp.post("/attachments/<int:ticket>")
def attach(ticket):
    item = request.files["file"]
    folder = os.path.join(UPLOADS, str(ticket))
    os.makedirs(folder, exist_ok=True)
    destination = os.path.join(folder, clean(item.filename))
    item.save(destination)
    return jsonify({"ticket": ticket}), 201
