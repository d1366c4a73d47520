import asyncio

from aiohttp import web

LOG_FILE = "/var/log/app/current.log"
routes = web.RouteTableDef()


@routes.get("/journal/search")
async def search(request):
    pattern = request.query.get("pattern", "ERROR")
    proc = await asyncio.create_subprocess_exec(
        "/bin/grep", "-n", "-F", "-e", pattern, "--", LOG_FILE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await proc.communicate()
    return web.json_response({"lines": out.decode().splitlines()[-100:]})
