import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


def current_user(creds=Depends(bearer)):
    try:
        claims = jwt.decode(creds.credentials, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise HTTPException(status_code=401)
    return claims["sub"]


@app.get("/account")
def account(user: str = Depends(current_user)):
    return {"user": user}
