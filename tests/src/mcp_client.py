"""Lists suspects, looks at one and proposes to remove it, through the official SDK of the Model Context Protocol."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        listed = await session.call_tool("list_samples", {"limit": 3})
        sample = json.loads(listed.content[0].text)["samples"][0]
        seen = await session.call_tool("look", {"id": sample["id"], "side": 64})
        picture = seen.content[0].mime_type if hasattr(seen.content[0], "mime_type") else seen.content[0].mimeType
        proposal = {"id": sample["id"], "choice": "remove", "reason": "it shows nothing"}
        proposed = await session.call_tool("propose", proposal)
        assert "proposed:remove" in proposed.content[0].text, proposed
        print(json.dumps({"tools": tools, "path": sample["path"], "picture": picture}))


asyncio.run(main())
