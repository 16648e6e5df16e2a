"""How requests come in, work is handed on and traffic goes out: the flows of one side of a world.

A flow follows what things do, not who names whom: a name resolves to a load balancer, a listener hands on to a target
group, a group to the services that register with it. An outage is a path of flows that existed before and not after.
This package never says how grave that is; the rules do.
"""
