"""Wire protocols as pure functions and small decoders; none of them knows a channel, a price or a socket."""
