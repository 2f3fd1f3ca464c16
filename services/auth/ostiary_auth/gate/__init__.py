"""The forward-auth doors that reverse proxies ask, and nobody else."""

from ostiary_auth.gate import forward, nginx

BLUEPRINTS = (forward.blueprint, nginx.blueprint)
