import asyncio

import asyncssh

HOSTS = ["app1.example.com", "app2.example.com"]


async def uptime(host: str) -> str:
    async with asyncssh.connect(host, username="stats", known_hosts=None) as conn:
        result = await conn.run("uptime", check=True)
        return result.stdout.strip()


async def main() -> None:
    for line in await asyncio.gather(*(uptime(h) for h in HOSTS)):
        print(line)


if __name__ == "__main__":
    asyncio.run(main())
