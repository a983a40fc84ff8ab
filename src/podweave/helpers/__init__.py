"""The programs inside the Pod. Standard library only, small in memory.

Packed into podweave-helpers.pyz and started as `python -I -S podweave-helpers.pyz PROGRAM CONFIG`.
Imports nothing of the rest of podweave, and nobody imports it. No asyncio, dataclasses, typing,
logging or http.client at run time: memory is imports.
"""
