"""A call on its way: from the bytes a client sent to the bytes he gets, and the sockets towards upstreams."""
