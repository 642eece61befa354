"""The abstract domain: what a name may hold, how values compute, and how what two paths left behind is joined."""
