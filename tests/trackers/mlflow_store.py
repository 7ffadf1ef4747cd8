"""Writes a file store with MLflow itself: one run of each kind that the importer must know.

usage: mlflow_store.py FOLDER
"""

import sys
import tempfile
from pathlib import Path

import mlflow

FOLDER = Path(sys.argv[1]).resolve()


def main():
    mlflow.set_tracking_uri(f"file:{FOLDER}")
    mlflow.set_experiment("iris")
    with mlflow.start_run(run_name="first run", description="the best so far"):
        mlflow.log_params({"lr": 0.1, "opt/name": "adam", "note": "a b"})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("accuracy", 0.9)
        mlflow.log_metric("bad", float("nan"))
        mlflow.set_tag("team", "a")
        mlflow.set_tag("mlflow.source.git.commit", "0123456789" * 4)
        artifact = Path(tempfile.mkdtemp()) / "model.bin"
        artifact.write_text("weights")
        mlflow.log_artifact(str(artifact), "model")
    try:
        with mlflow.start_run(run_name="failed"):
            raise RuntimeError("on purpose")
    except RuntimeError:
        pass
    with mlflow.start_run(run_name="removed") as removed:
        mlflow.log_metric("loss", 1)
    mlflow.delete_run(removed.info.run_id)
    client = mlflow.MlflowClient()
    experiment = mlflow.get_experiment_by_name("iris").experiment_id
    client.create_run(experiment, run_name="running")


main()
