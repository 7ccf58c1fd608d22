{{/* What all pods have in common, from [context, suffix of the ConfigMap's name]: restricted by PodSecurity and by OpenShift's
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

{{/* What all containers have in common. Nothing is written but to /dev/shm, which is memory. */}}
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

{{/* A constraint of the spread, from [context, constraint]: of the pods that answer, where it does not say of which. */}}
{{- define "migratability.spread" -}}
{{- $ours := dict "matchLabels" (include "migratability.selectorLabels" (index . 0) | fromYaml) -}}
{{- $constraint := index . 1 -}}
{{- merge (dict "labelSelector" ($constraint.labelSelector | default $ours)) (omit $constraint "labelSelector") | toYaml -}}
{{- end -}}
