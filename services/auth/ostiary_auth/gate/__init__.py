"""The forward-auth doors that reverse proxies ask, and what they hand on to us at the sites' own hosts."""

from ostiary_auth.gate import at_site, forward, nginx, probe

BLUEPRINTS = (forward.blueprint, nginx.blueprint, at_site.blueprint, probe.blueprint)
