from random import getrandbits

from fastapi import APIRouter, Depends

from app.auth import current_user
from app.store import save_key

router = APIRouter()


def new_api_key() -> str:
    return "pk_" + format(getrandbits(160), "040x")


@router.post("/api-keys")
def create_key(user=Depends(current_user)):
    key = new_api_key()
    save_key(user.id, key)
    return {"key": key}
