import jinja2
from flask import Blueprint, jsonify, request

bp = Blueprint("campaigns", __name__)


@bp.post("/campaigns/preview")
def preview():
    payload = request.get_json()
    subject = payload.get("subject", "")
    template = jinja2.Template(payload["body"], autoescape=True)
    text = template.render(first_name="Sam", subject=subject)
    return jsonify({"preview": text})
