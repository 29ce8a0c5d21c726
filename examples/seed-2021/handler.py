try:
    import unzip_requirements
except ImportError:
    pass

import json

import lightgbm as lgb
import numpy as np

bst = lgb.Booster(model_file='lgb.model')

COLUMNS = ['sepal length', 'sepal width', 'petal length', 'petal width']
LABELS = ['setosa', 'versicolor', 'virginica']


def predict(event, context):
    body = json.loads(event['body'])
    X = np.array([[body[column] for column in COLUMNS]])
    proba = bst.predict(X)[0]

    return {
        'statusCode': 200,
        'body': json.dumps({
            'proba': proba.tolist(),
            'label': LABELS[np.argmax(proba)],
        })
    }
