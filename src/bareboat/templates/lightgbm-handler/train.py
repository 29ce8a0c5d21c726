# /// script
# requires-python = ">=3.11"
# dependencies = ["lightgbm>=4.6,<5", "pandas", "scikit-learn"]
# ///
"""Train the iris classifier and write lgb.model: `uv run train.py [FILE]`."""

import sys

import lightgbm as lgb
from sklearn.datasets import load_iris

PARAMETERS = {
    "boosting_type": "gbdt",
    "objective": "multiclass",
    "num_class": 3,
    "max_depth": 3,
    "num_leaves": 3,
    "learning_rate": 0.1,
    "verbose": -1,
}


def train():
    iris = load_iris(as_frame=True)
    return lgb.train(PARAMETERS, lgb.Dataset(iris.data, label=iris.target), num_boost_round=10)


if __name__ == "__main__":
    train().save_model(sys.argv[1] if len(sys.argv) > 1 else "lgb.model")
