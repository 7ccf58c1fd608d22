{{/* The name of every object: the release's name if it contains the chart's. Short enough for the longest suffix. */}}
{{- define "migratability.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The same in every version, because a selector is immutable. */}}
{{- define "migratability.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of every object; commonLabels cannot override them. */}}
{{- define "migratability.labels" -}}
{{- $own := include "migratability.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/part-of" .Chart.Name -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of the webhook's pods; the leader compares the version of the replicas. */}}
{{- define "migratability.podLabels" -}}
{{- $own := include "migratability.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- merge $own .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of a pod that runs once, from [context, task]. The Service must not select it. */}}
{{- define "migratability.taskLabels" -}}
{{- $context := index . 0 -}}
{{- $labels := dict "app.kubernetes.io/name" (printf "%s-%s" $context.Chart.Name (index . 1)) "app.kubernetes.io/instance" $context.Release.Name -}}
{{- merge $labels $context.Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "migratability.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The name in the serving certificate, which the API server verifies. */}}
{{- define "migratability.dnsName" -}}
{{- printf "%s.%s.svc" (include "migratability.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The Secret with the serving certificate, if the CA is not self-signed. */}}
{{- define "migratability.tlsSecret" -}}
{{- if eq .Values.certificates.source "existingSecret" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{- include "migratability.fullname" . }}-tls
{{- end -}}
{{- end -}}

{{/* The file with the CA that the API server must trust, if it is not self-signed. */}}
{{- define "migratability.caFile" -}}
{{- if eq .Values.certificates.source "serviceCA" -}}
/var/run/ca/service-ca.crt
{{- else -}}
/var/run/tls/ca.crt
{{- end -}}
{{- end -}}

{{/* A duration like 168h in seconds. */}}
{{- define "migratability.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- mul $number (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]$" .)) -}}
{{- end -}}
