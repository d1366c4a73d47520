from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

router = APIRouter()


@router.get("/sso/complete")
def complete(state: str = Query(...), continue_to: str = Query("/", alias="continue")):
    if not continue_to.startswith("/"):
        continue_to = "/"
    if len(state) < 16:
        continue_to = "/sso/error"
    return RedirectResponse(url=continue_to, status_code=303)
