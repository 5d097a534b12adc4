"""The CustomResourceDefinition, made from the models of the check and the status.

`crd` puts it together and prints it (`make crd`); `openapi_schema` turns models into schemas, and `cel_rules` has what
the API server checks beyond types.
"""
