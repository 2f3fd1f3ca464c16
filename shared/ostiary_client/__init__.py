"""What any service uses to trust Ostiary: ask who a session token belongs to, or check the signed identity header.

Depends on nothing of ours; take the module you need.
"""
