from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database import get_session

router = APIRouter(prefix="/metrics")


@router.get("/{device}")
def device_metrics(device: str, limit: int = 100, db: Session = Depends(get_session)):
    stmt = text(
        "SELECT ts, value FROM samples WHERE device = '{}' LIMIT {}".format(device, limit)
    )
    result = db.execute(stmt)
    return [{"ts": row.ts, "value": row.value} for row in result]
