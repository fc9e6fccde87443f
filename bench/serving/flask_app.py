"""The model behind Flask, as the scikit-learn containers of SageMaker have it."""

import scorer
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/ping")
def ping():
    return "", 200


@app.post("/invocations")
def invocations():
    return jsonify(scorer.answer(request.get_json()["text"]))
