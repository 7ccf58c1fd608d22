{{/* The name of everything: the release's where it tells what this is. Short enough for the suffixes of all objects. */}}
{{- define "migratability.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes between versions: selectors cannot be changed. */}}
{{- define "migratability.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of every object; the user's cannot take the place of these. */}}
{{- define "migratability.labels" -}}
{{- $ours := include "migratability.selectorLabels" . | fromYaml -}}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $ours "app.kubernetes.io/part-of" .Chart.Name -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $ours .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of the pods that answer; the controller compares the version between replicas. */}}
{{- define "migratability.podLabels" -}}
{{- $ours := include "migratability.selectorLabels" . | fromYaml -}}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- merge $ours .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels of a Job's pod, from [context, task]. Not those of the pods that answer: the Service must not find it. */}}
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

{{/* The name in the serving certificate: the API server asks for it. */}}
{{- define "migratability.dnsName" -}}
{{- printf "%s.%s.svc" (include "migratability.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The Secret with the serving certificate, where it is not made by us. */}}
{{- define "migratability.tlsSecret" -}}
{{- if eq .Values.certificates.source "existingSecret" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{- include "migratability.fullname" . }}-tls
{{- end -}}
{{- end -}}

{{/* The file with the CA that the API server must trust, where it is not our own. */}}
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
