{{/* Name and labels of a cluster-wide object, from [context, suffix of the name, more labels]. */}}
{{- define "migratability.clusterMetadata" -}}
{{- $context := index . 0 -}}
{{- $labels := include "migratability.labels" $context | fromYaml -}}
{{- if gt (len .) 2 -}}
{{- $labels = merge $labels (index . 2) -}}
{{- end -}}
name: {{ include "migratability.fullname" $context }}{{ index . 1 }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- end -}}

{{/* The same for an object in the release's namespace. */}}
{{- define "migratability.metadata" -}}
namespace: {{ (index . 0).Release.Namespace | quote }}
{{ include "migratability.clusterMetadata" . }}
{{- end -}}

{{/* Annotations of what the cleanup Job needs: created before it, deleted when it succeeded. */}}
{{- define "migratability.cleanupHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: "-10"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* The same for the pod of `helm test`. */}}
{{- define "migratability.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: "-10"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* roleRef and subjects, from [context, kind of role, suffix of its name, suffix of the account's name]. */}}
{{- define "migratability.binds" -}}
{{- $name := include "migratability.fullname" (index . 0) -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ $name }}{{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}{{ index . 3 }}
    namespace: {{ (index . 0).Release.Namespace | quote }}
{{- end -}}
