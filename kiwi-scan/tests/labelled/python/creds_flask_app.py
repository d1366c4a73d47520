from datetime import timedelta

from flask import Flask, jsonify, session


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "f7Kq!29xLmWz0-bnPtR4v"
    app.config["SESSION_COOKIE_SECURE"] = True
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.permanent_session_lifetime = timedelta(hours=8)

    @app.get("/me")
    def me():
        return jsonify({"user": session.get("user_id")})

    return app
