"""Makes up customers, trains a scikit-learn pipeline on them, and saves it: python train.py"""

import pickle

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS, TEXTS = ["age", "monthly_fee", "calls"], ["plan", "city"]


def customers(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n).astype(float),
            "plan": rng.choice(["basic", "family", "business"], n),
            "monthly_fee": rng.lognormal(3, 0.5, n).round(2),
            "city": rng.choice(["Bern", "Oslo", "Rome", "Utrecht"], n),
            "calls": rng.poisson(3, n).astype(float),
        }
    )
    for name in frame:
        frame.loc[rng.random(n) < 0.05, name] = np.nan  # people do not fill in everything
    return frame


def leaves(frame: pd.DataFrame) -> np.ndarray:
    score = frame["calls"].fillna(3) - frame["age"].fillna(50) / 30 + (frame["plan"] == "basic") * 1.5
    return np.where(score > score.median(), "leaves", "stays")


def main() -> None:
    frame = customers(2000)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)])
    trees = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    model = Pipeline([("columns", columns), ("trees", trees)]).fit(frame, leaves(frame))
    with open("churn.pkl", "wb") as file:
        pickle.dump(model, file)


if __name__ == "__main__":
    main()
