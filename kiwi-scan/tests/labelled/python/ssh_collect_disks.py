import asyncio

import asyncssh

HOSTS = ["db1.example.com", "db2.example.com"]
KNOWN = "/etc/stats/known_hosts"


async def disk(host: str) -> str:
    async with asyncssh.connect(host, username="stats", known_hosts=KNOWN) as conn:
        result = await conn.run("df -h /", check=True)
        return result.stdout.strip()


async def main() -> None:
    for line in await asyncio.gather(*(disk(h) for h in HOSTS)):
        print(line)


if __name__ == "__main__":
    asyncio.run(main())
