"""The server that most tutorials end with: FastAPI, a pandas frame for each request, the pipeline's ``predict_proba``.

Arguments: pipeline.joblib port. The same server behind it as ours: uvicorn with httptools and uvloop.
"""

import sys
from typing import Any

import joblib
import pandas as pd
import uvicorn
from fastapi import FastAPI

pipeline = joblib.load(sys.argv[1])
app = FastAPI()


@app.post("/predict")
def predict(row: dict[str, Any]) -> dict[str, float]:
    """The probability of the second class."""
    return {"score": float(pipeline.predict_proba(pd.DataFrame([row]))[0, 1])}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
