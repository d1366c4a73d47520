import os

import psycopg2


def open_warehouse_db():
    password = os.environ["WAREHOUSE_DB_PASSWORD"]
    return psycopg2.connect(
        host="warehouse-db.internal.example.com",
        dbname="warehouse",
        user="warehouse_ro",
        password=password,
        sslmode="verify-full",
    )


def stock(sku: str):
    with open_warehouse_db() as conn, conn.cursor() as cur:
        cur.execute("SELECT qty FROM stock WHERE sku = %s", (sku,))
        return cur.fetchone()
