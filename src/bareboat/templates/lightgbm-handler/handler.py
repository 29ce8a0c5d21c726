"""POST /predict: four measures of a flower in, its species out."""

try:
    import unzip_requirements  # noqa: F401 - only where serverless-python-requirements has zipped the packages
except ImportError:
    pass

import json

import lightgbm as lgb

FEATURES = ("sepal length", "sepal width", "petal length", "petal width")
LABELS = ("setosa", "versicolor", "virginica")

booster = lgb.Booster(model_file="lgb.model")


def predict(event, context):
    try:
        flower = json.loads(event["body"])
        row = [float(flower[name]) for name in FEATURES]
    except (KeyError, TypeError, ValueError, RecursionError):
        message = "The body must be a JSON object with the numbers " + ", ".join(FEATURES)
        return {"statusCode": 400, "body": json.dumps({"message": message})}
    proba = booster.predict([row])[0].tolist()
    return {"statusCode": 200, "body": json.dumps({"proba": proba, "label": LABELS[proba.index(max(proba))]})}
