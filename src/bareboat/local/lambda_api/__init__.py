"""Lambda's own service API, for the AWS CLI, boto3 and the other SDKs.

`api` answers a request, which `asked` reads; `operations` knows its path, `names` its function, `payload` its body,
`refusal` the errors; `queue` runs what is asynchronous; `reads` and `configuration` say what there is; `event_stream`
frames streamed answers.
"""

from bareboat.local.lambda_api.api import MAX_BODY_BYTES, MAX_HEADER_BYTES, LambdaApi
from bareboat.local.lambda_api.queue import EventQueue, events_of

__all__ = ["MAX_BODY_BYTES", "MAX_HEADER_BYTES", "EventQueue", "LambdaApi", "events_of"]
