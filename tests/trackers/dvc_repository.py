"""Writes a git repository with DVC itself: data by file and by folder, a stage that ran twice.

usage: dvc_repository.py FOLDER
"""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1]).resolve()

TRAIN = """import json, yaml
params = yaml.safe_load(open("params.yaml"))
open("model.bin", "w").write(str(params["lr"]) * 3)
json.dump({"train": {"acc": params["lr"]}, "note": "x"}, open("metrics.json", "w"))
"""


def sh(*words, **more):
    subprocess.run(words, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL, **more)


def dvc(*words):
    # Words after the command of a stage would be taken for its own.
    sh(sys.executable, "-m", "dvc", *words, stderr=subprocess.DEVNULL)


def commit(message, at):
    sh("git", "add", "-A")
    date = f"{at} +0000"
    dates = os.environ | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    sh("git", "commit", "-qm", message, env=dates)


def main():
    FOLDER.mkdir(parents=True)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["DVC_NO_ANALYTICS"] = "true"
    sh("git", "init", "-q", "-b", "main")
    for name, value in {"name": "Ada", "email": "ada@example.org"}.items():
        sh("git", "config", f"user.{name}", value)
    (FOLDER / "README").write_text("nothing of DVC\n")
    commit("code only", 1_700_000_000)
    dvc("init")
    (FOLDER / "data").mkdir()
    for name, text in {"data/a.csv": "1\n", "data/b.csv": "2\n", "raw.csv": "raw\n"}.items():
        (FOLDER / name).write_text(text)
    dvc("add", "data", "raw.csv")
    commit("the data", 1_700_000_100)
    (FOLDER / "train.py").write_text(TRAIN)
    (FOLDER / "params.yaml").write_text("lr: 0.1\nopt: {name: adam}\n")
    stage = ["add", "-n", "train", "-d", "train.py", "-d", "data", "-p", "lr,opt.name"]
    dvc("stage", *stage, "-o", "model.bin", "-M", "metrics.json", "python", "train.py")
    dvc("repro")
    commit("a model", 1_700_000_200)
    (FOLDER / "README").write_text("still nothing\n")
    commit("words", 1_700_000_300)
    (FOLDER / "params.yaml").write_text("lr: 0.2\nopt: {name: adam}\n")
    dvc("repro")
    commit("a better model", 1_700_000_400)


main()
