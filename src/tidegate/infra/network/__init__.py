"""Who can reach what: arithmetic on addresses and ports, and the rules of groups and firewalls in every form."""
