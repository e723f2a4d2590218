"""Trains boosted trees on what `npm run train` has put into a folder, and leaves them there as `trees.json`.

Only LightGBM decides here; which transactions and features, and what becomes of the trees, is decided in TypeScript.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy


def main(folder: Path) -> None:
    task = json.loads((folder / "task.json").read_text())
    columns = len(task["features"])
    values = numpy.fromfile(folder / "values.bin", "<f8").reshape(-1, columns)
    labels = numpy.fromfile(folder / "labels.bin", "u1")
    weights = numpy.fromfile(folder / "weights.bin", "<f8")
    booster = lightgbm.train(
        task["parameters"],
        lightgbm.Dataset(values, labels, weight=weights),
        task["rounds"],
    )
    (folder / "trees.json").write_text(json.dumps([arrays(text) for text in trees(booster.model_to_string())]))
    checked = numpy.fromfile(folder / "checked.bin", "<f8").reshape(-1, columns)
    booster.predict(checked, raw_score=True).astype("<f8").tofile(folder / "margins.bin")


def trees(model: str) -> list[str]:
    """The parts of LightGBM's text that are about a tree each."""
    body = model.split("end of trees")[0]
    return body.split("\nTree=")[1:]


def arrays(text: str) -> dict[str, list[float]]:
    """A tree's arrays, named as in model files."""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if int(lines["num_cat"]) != 0 or any(kind != "2" for kind in lines.get("decision_type", "").split()):
        raise ValueError("a split that is not `value <= threshold` on whole numbers that are never missing")

    def numbers(name: str, read: type) -> list[float]:
        return [read(one) for one in lines.get(name, "").split()]

    return {
        "feature": numbers("split_feature", int),
        "threshold": numbers("threshold", float),
        "left": numbers("left_child", int),
        "right": numbers("right_child", int),
        "leaf": numbers("leaf_value", float),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
