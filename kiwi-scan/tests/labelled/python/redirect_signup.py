from flask import Flask, redirect, render_template, request, url_for

from accounts.service import create_account

app = Flask(__name__)
AFTER_SIGNUP = {"plans": "billing.plans", "tour": "product.tour"}


@app.route("/signup", methods=["GET", "POST"])
def signup():
    if request.method == "POST":
        create_account(request.form["email"], request.form["password"])
        endpoint = AFTER_SIGNUP.get(request.args.get("next"), "dashboard")
        return redirect(url_for(endpoint))
    return render_template("signup.html")
