"""How fast this machine does what the service does; nothing here is asserted by time."""
