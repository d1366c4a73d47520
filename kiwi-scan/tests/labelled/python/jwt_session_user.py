from pathlib import Path

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()
PUBLIC_KEY = Path("/etc/shop/jwt_public.pem").read_text()


def current_user(creds=Depends(bearer)):
    try:
        claims = jwt.decode(
            creds.credentials,
            PUBLIC_KEY,
            algorithms=["RS256"],
            audience="shop",
            options={"verify_signature": True, "require": ["exp", "sub"]},
        )
    except jwt.PyJWTError:
        raise HTTPException(status_code=401)
    return claims["sub"]


@app.get("/session")
def session(user: str = Depends(current_user)):
    return {"user": user}
