import asyncio

from aiohttp import web

LOG_FILE = "/var/log/app/current.log"
routes = web.RouteTableDef()


@routes.get("/logs/search")
async def search(request):
    pattern = request.query.get("pattern", "ERROR")
    command = "grep -n '" + pattern + "' " + LOG_FILE + " | tail -n 100"
    proc = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await proc.communicate()
    return web.json_response({"lines": out.decode().splitlines()})
