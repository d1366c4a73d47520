import random as rnd
import time

from flask import Blueprint, jsonify, request, session

from notify import sms

bp = Blueprint("otp", __name__)
rnd.seed(int(time.time()))


@bp.post("/otp")
def send_code():
    code = "%06d" % rnd.randint(0, 999999)
    session["otp_user"] = request.form["user"]
    sms.send(request.form["user"], code)
    sms.remember(request.form["user"], code, ttl=300)
    return jsonify({"sent": True})
