from flask import Flask, redirect, render_template, request, url_for
from flask_login import login_user

from accounts.service import authenticate

app = Flask(__name__)


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        user = authenticate(request.form["email"], request.form["password"])
        if user:
            login_user(user)
            dest = request.args.get("next") or url_for("dashboard")
            return redirect(dest)
    return render_template("login.html")
