from string import Template

from flask import Blueprint, jsonify, request

bp = Blueprint("sms", __name__)


@bp.post("/sms/preview")
def preview():
    payload = request.get_json()
    template = Template(payload["body"][:500])
    text = template.safe_substitute(first_name="Sam", city="Bern")
    return jsonify({"preview": text})
