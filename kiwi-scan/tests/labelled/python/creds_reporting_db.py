import psycopg2


def open_reporting_db():
    return psycopg2.connect(
        host="reporting-db.internal.example.com",
        dbname="reporting",
        user="report_rw",
        password="Tr4vel-Lamp-81!kq",
        sslmode="verify-full",
    )


def monthly_totals(year: int):
    with open_reporting_db() as conn, conn.cursor() as cur:
        cur.execute("SELECT month, total FROM totals WHERE year = %s", (year,))
        return cur.fetchall()
