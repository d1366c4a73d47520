import redis
from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
client = redis.Redis(host="cache", port=6379)

SCRIPT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n
"""


@app.get("/quota/{tenant}")
def quota(tenant: str, request: Request):
    used = client.eval(SCRIPT, 1, "quota:" + tenant, 60)
    if used > 100:
        raise HTTPException(status_code=429)
    return {"used": used}
