from fastapi import FastAPI
from pymongo import MongoClient

app = FastAPI()
products = MongoClient("mongodb://mongo/shop").shop.products


@app.get("/products")
def list_products(brand: str, limit: int = 20):
    clause = "this.active && this.brand == '" + brand + "'"
    cursor = products.find({"$where": clause}).limit(limit)
    return [{"sku": p["sku"], "name": p["name"]} for p in cursor]
