"""The resource: a check as the API server has it, its status, and the reasons that its conditions give."""
