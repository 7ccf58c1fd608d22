{{/* What the webhook knows about its installation. A change restarts the pods. */}}
{{- define "migratability.installation" -}}
{{- $name := include "migratability.fullname" . -}}
namespace: {{ .Release.Namespace | quote }}
service:
  name: {{ $name }}
  port: {{ .Values.service.port }}
owner: {{ $name }}-webhook-configurations
lease: {{ $name }}
pods: app.kubernetes.io/name={{ .Chart.Name }},app.kubernetes.io/instance={{ .Release.Name }}
namespaceSelector:
  {{- include "migratability.namespaceSelector" . | nindent 2 }}
certificates:
  {{- include "migratability.certificates" . | nindent 2 }}
tls:
  minVersion: {{ .Values.tls.minVersion | quote }}
{{- if .Values.clientAuthentication.configMap }}
clientAuthentication:
  caFile: /var/run/client-ca/ca.crt
  names: {{ toJson .Values.clientAuthentication.names }}
{{- end }}
{{- end -}}

{{/* All expressions must hold, so namespaceSelector cannot include the namespaces that the first one excludes. */}}
{{- define "migratability.namespaceSelector" -}}
{{- with .Values.namespaceSelector.matchLabels -}}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{ end -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ list "kube-system" .Release.Namespace | uniq | toJson }}
  {{- with .Values.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "migratability.certificates" -}}
{{- with .Values.certificates -}}
{{- if eq .source "selfSigned" -}}
{{- $ca := include "migratability.seconds" .caLifetime | int64 -}}
{{- if ge (include "migratability.seconds" .leafLifetime | int64) $ca -}}
{{- fail "certificates.leafLifetime must be shorter than certificates.caLifetime" -}}
{{- end -}}
{{- if ge (include "migratability.seconds" .trustDelay | int64 | mul 3) $ca -}}
{{- fail "certificates.trustDelay must be less than a third of certificates.caLifetime" -}}
{{- end -}}
source: selfSigned
secret: {{ include "migratability.fullname" $ }}-ca
caLifetime: {{ .caLifetime }}
leafLifetime: {{ .leafLifetime }}
trustDelay: {{ .trustDelay }}
{{- else -}}
source: files
certFile: /var/run/tls/tls.crt
keyFile: /var/run/tls/tls.key
caFile: {{ include "migratability.caFile" $ }}
trustDelay: {{ .trustDelay }}
{{- end -}}
{{- end -}}
{{- end -}}
