from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database import get_session

router = APIRouter(prefix="/sensors")

BASE = "SELECT ts, reading FROM readings WHERE sensor = :sensor"


@router.get("/{sensor}")
def readings(sensor: str, newest: bool = False, db: Session = Depends(get_session)):
    direction = "DESC" if newest else "ASC"
    stmt = text(BASE + " ORDER BY ts " + direction + " LIMIT 200")
    result = db.execute(stmt, {"sensor": sensor})
    return [{"ts": row.ts, "reading": row.reading} for row in result]
