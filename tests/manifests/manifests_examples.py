"""A podTemplate as a large site writes it."""

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
