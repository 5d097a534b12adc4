"""The CustomResourceDefinition, made from the models of the check and the status."""
