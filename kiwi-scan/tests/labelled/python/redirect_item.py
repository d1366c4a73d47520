from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

router = APIRouter()


@router.get("/i/{item_id}")
def short_link(item_id: int, tab: int = Query(0, ge=0, le=5)):
    target = f"/catalogue/items/{item_id}"
    if tab:
        target = target + "?tab=%d" % tab
    return RedirectResponse(url=target, status_code=302)
