from fastapi import FastAPI
from pymongo import MongoClient

app = FastAPI()
vendors = MongoClient("mongodb://mongo/shop").shop.vendors

OVERDRAWN = "this.spent > this.credit"


@app.get("/vendors/overdrawn")
def overdrawn(country: str, limit: int = 20):
    cursor = vendors.find({"$where": OVERDRAWN, "country": {"$eq": country}})
    return [{"id": str(v["_id"]), "name": v["name"]} for v in cursor.limit(limit)]
