"""The protocol http: HTTP/1.1 to the application, HTTP/1.1 to the upstreams.

policy         what is configured for a profile: routes, rewriting, times, retries      pure
settings       reads it                                                                 pure
request_head   a request's head from the client → the one for the upstream              pure
response_head  a response's head from the upstream → the one for the client             pure
redirects      a Location that would lead past the ambassador                           pure
fields         field lines as they are passed on                                        pure
content        content on its way: where it ends, and what of it is passed on           pure
failures       what the client is told when there is no response to pass on             pure
memo           answers of the pure functions above that are kept, because heads repeat  pure
breaker        leaves an upstream alone that keeps failing                              pure
peers          an upstream and its idle connections; which upstream comes next
group          connections to a group of upstreams: kept, dialled, limited
service        a profile at work: its groups and memos
client_connection, incoming      a client's socket; its requests
upstream_connection, outgoing    the socket of a connection to an upstream; its responses
deadlines      what of a request takes too long
metrics        what is counted
front          all clients of the ambassador: accepting, switching, times, metrics

Both heads are functions of bytes alone, so that an answer can be kept and found again by the
bytes: almost every request of an application has been seen before, and costs no parsing.
"""
