{{/* Common to all pods, from [context, suffix of the ConfigMap's name]. Meets PodSecurity's restricted level and OpenShift's
restricted-v2, which chooses the user. */}}
{{- define "migratability.podSpec" -}}
{{- $context := index . 0 -}}
enableServiceLinks: false
{{- with $context.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $context.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $context.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $context.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: config
    configMap:
      name: {{ include "migratability.fullname" $context }}{{ index . 1 }}
{{- end -}}

{{/* Common to all containers. They write only to /dev/shm, which is memory. */}}
{{- define "migratability.container" -}}
image: {{ include "migratability.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
terminationMessagePolicy: FallbackToLogsOnError
{{- end -}}

{{- define "migratability.configMount" -}}
- name: config
  mountPath: /etc/migratability
  readOnly: true
{{- end -}}

{{/* A topology spread constraint, from [context, constraint]; the default labelSelector selects the webhook's pods. */}}
{{- define "migratability.spread" -}}
{{- $own := dict "matchLabels" (include "migratability.selectorLabels" (index . 0) | fromYaml) -}}
{{- $constraint := index . 1 -}}
{{- merge (dict "labelSelector" ($constraint.labelSelector | default $own)) (omit $constraint "labelSelector") | toYaml -}}
{{- end -}}
