"""Cases: a guest, a host's facts and what should come of them, as files that decide alike everywhere."""
