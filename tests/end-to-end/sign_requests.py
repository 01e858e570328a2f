"""Signs the requests of schemathesis as the partner's product does (AWS Signature Version 4)."""

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase


class Signature(AuthBase):
    def __call__(self, request):
        signed = AWSRequest(method=request.method, url=request.url, data=request.body)
        SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


schemathesis.auth.set_from_requests(Signature())
