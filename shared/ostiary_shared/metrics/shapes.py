"""The steps of histograms, in seconds: close together where it matters whether all is well."""

REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# An acknowledgement takes milliseconds; who says nothing is waited for until the lease is over, after one second.
REVOCATION = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.9, 1.1, 2.0)
WAIT = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
LOOP = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
HASH = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5)
MAIL = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 86400.0)
