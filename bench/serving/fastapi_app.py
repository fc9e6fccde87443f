"""The model behind FastAPI."""

import scorer
from fastapi import FastAPI, Response
from pydantic import BaseModel

app = FastAPI()


class Document(BaseModel):
    text: str


@app.get("/ping")
async def ping():
    return Response()


@app.post("/invocations")
async def invocations(document: Document):
    return scorer.answer(document.text)
