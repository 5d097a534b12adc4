"""A resource, its check, and a podTemplate as a large site writes it."""

from dataclasses import dataclass

from dynamo_consistency.check import SiteConsistencyCheck


@dataclass(frozen=True)
class Owner:
    namespace: str = "sites"
    name: str = "t2-x"
    uid: str = "6b1f0c5e-5d0f-4f0e-9d0a-0a4f0e3a2b11"


def check_with(**spec: object) -> SiteConsistencyCheck:
    """A check of the fewest words, with `spec` as a person writes it."""
    data = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "t2-x"},
        "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}, **spec},
    }
    return SiteConsistencyCheck.model_validate(data)


KERBEROS = {
    "metadata": {
        "labels": {"kueue.x-k8s.io/queue-name": "checks", "team": "storage"},
        "annotations": {"prometheus.io/scrape": "false"},
    },
    "spec": {
        "priorityClassName": "batch-low",
        "nodeSelector": {"zone": "door"},
        "tolerations": [{"key": "batch", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "registry"}],
        "securityContext": {"runAsUser": 3021, "supplementalGroups": [1399]},
        "initContainers": [
            {
                "name": "login",
                "image": "example.org/kinit:1",
                "command": ["kinit", "-kt", "/keytab/site", "site@EXAMPLE.ORG"],
                "volumeMounts": [{"name": "keytab", "mountPath": "/keytab"}],
            }
        ],
        "containers": [
            {
                "name": "worker",
                "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
                "env": [{"name": "HOME", "value": "/keytab"}, {"name": "X509_CERT_DIR", "value": "/certificates"}],
                "volumeMounts": [{"name": "certificates", "mountPath": "/certificates", "readOnly": True}],
            }
        ],
        "volumes": [
            {"name": "certificates", "configMap": {"name": "grid-certificates"}},
            {"name": "keytab", "secret": {"secretName": "keytab"}},
            {
                "name": "scratch",
                "ephemeral": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}}
                    }
                },
            },
        ],
    },
}
