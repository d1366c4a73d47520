from fastapi import FastAPI, Query

from reports import daily, monthly, yearly

app = FastAPI()
PERIODS = (daily, monthly, yearly)


def call_report(period, day):
    return eval("{}.build(day)".format(period), {"day": day, **globals()})


@app.get("/report")
def report(period: str = Query("daily"), day: str = Query(...)):
    data = call_report(period, day)
    return {"period": period, "rows": data}
