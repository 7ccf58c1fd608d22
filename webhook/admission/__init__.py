"""AdmissionReview in, AdmissionResponse out.

`handler` answers a request. `review` parses it, `change` reads what it changes, `requester` on whose behalf it comes,
`evaluate` returns the verdict (with `restores` for a restore or clone and `rights` for our labels), and `review` builds
the response. `scope` and `compared` say which requests are evaluated at all.
"""
