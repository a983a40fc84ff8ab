"""HTTP/1.1 as a client, on the loop: what the stores over HTTP send their requests with.

Keep-alive, TLS, proxies, time limits. No retries but the one that a connection which the server
has closed meanwhile makes necessary, no redirects, no cookies: what a failure means is for the
caller to say.
"""
