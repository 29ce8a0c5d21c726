"""The handler of every `model:` function: loaded once at a cold start, then called for each event."""

import os

from bareboat.runtime.function import load_function

handle = load_function(os.environ.get("LAMBDA_TASK_ROOT") or os.getcwd()).handle
