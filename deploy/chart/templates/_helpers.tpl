{{/* Labels of every object. */}}
{{- define "labels" -}}
app.kubernetes.io/part-of: dynamo-consistency
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What selects the operator's pod. Never changed: a Deployment's selector cannot be. */}}
{{- define "operator.selector" -}}
app.kubernetes.io/name: dynamo-consistency
app.kubernetes.io/component: operator
{{- end }}

{{- define "web.selector" -}}
app.kubernetes.io/name: dynamo-consistency
app.kubernetes.io/component: web
{{- end }}

{{- define "image" -}}
{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ .Values.image.tag }}{{ end }}
{{- end }}

{{- define "containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* All that the operator may do. No Secrets, no pods but by Jobs, no write to a check but to its status. */}}
{{- define "operator.rules" -}}
- {apiGroups: [consistency.dynamo.io], resources: [siteconsistencychecks], verbs: [list, watch]}
- {apiGroups: [consistency.dynamo.io], resources: [siteconsistencychecks/status], verbs: [patch]}
- {apiGroups: [batch], resources: [jobs], verbs: [list, watch, create, delete]}
- {apiGroups: [""], resources: [pods], verbs: [list]}
- {apiGroups: [""], resources: [events], verbs: [create, list]}
{{- end }}

{{/* The operator's settings, as environment variables. */}}
{{- define "operator.env" -}}
- {name: CONSISTENCY_IMAGE, value: {{ include "image" . | quote }}}
- {name: CONSISTENCY_SERVICE_ACCOUNT, value: consistency-worker}
{{- with .Values.image.pullPolicy }}
- {name: CONSISTENCY_IMAGE_PULL_POLICY, value: {{ . }}}
{{- end }}
{{- if .Values.namespaced }}
- {name: CONSISTENCY_NAMESPACES, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
{{- end }}
{{- if or .Values.openshift (not .Values.workerUser) }}
- {name: CONSISTENCY_WORKER_USER, value: namespace}
{{- else if ne (int .Values.workerUser) 10001 }}
- {name: CONSISTENCY_WORKER_USER, value: {{ .Values.workerUser | int | quote }}}
{{- end }}
{{- with .Values.maxConcurrentRuns }}
- {name: CONSISTENCY_MAX_CONCURRENT_RUNS, value: {{ . | int | quote }}}
{{- end }}
{{- if ne .Values.backends.secretName "consistency-backends" }}
- {name: CONSISTENCY_BACKENDS_SECRET, value: {{ .Values.backends.secretName | quote }}}
{{- end }}
{{- if .Values.store.url }}
- {name: CONSISTENCY_STORE_URL, value: {{ .Values.store.url | quote }}}
{{- else if ne .Values.store.claim.name "consistency-data" }}
- {name: CONSISTENCY_STORE_CLAIM, value: {{ .Values.store.claim.name | quote }}}
{{- end }}
{{- if .Values.notify.enabled }}
- {name: CONSISTENCY_NOTIFY_URLS_FILE, value: /etc/consistency-notify/urls}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The pod's security context: without uid and groups where the namespace gives them. */}}
{{- define "operator.podSecurityContext" -}}
{{- if .Values.openshift }}
{{- toYaml (omit .Values.podSecurityContext "runAsUser" "runAsGroup" "fsGroup" "supplementalGroups") }}
{{- else }}
{{- toYaml .Values.podSecurityContext }}
{{- end }}
{{- end }}
