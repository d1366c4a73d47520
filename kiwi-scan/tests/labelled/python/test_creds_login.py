import pytest

from accounts.factory import create_app
from accounts.models import User, db


@pytest.fixture
def client():
    app = create_app({"SQLALCHEMY_DATABASE_URI": "sqlite:///:memory:"})
    with app.app_context():
        db.create_all()
        user = User(email="jo@example.com")
        user.set_password("password123")
        db.session.add(user)
        db.session.commit()
        yield app.test_client()


def test_login(client):
    form = {"email": "jo@example.com", "password": "password123"}
    reply = client.post("/login", data=form)
    assert reply.status_code == 302
