# tries: leave tasks behind that refuse to be cancelled
# status: timeout
# timeout: 500ms
import asyncio
async def never():
    while True:
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            pass
async def main():
    asyncio.ensure_future(never())
    await asyncio.sleep(0.01)
await main()
done()
