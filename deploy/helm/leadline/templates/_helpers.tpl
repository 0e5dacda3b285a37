{{- define "leadline.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "leadline.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "leadline.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "leadline.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "leadline.selector" -}}
app.kubernetes.io/name: {{ include "leadline.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "leadline.labels" -}}
{{ include "leadline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "leadline.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "leadline.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "leadline.claim" -}}
{{- default (include "leadline.fullname" .) .Values.persistence.existingClaim }}
{{- end }}

{{- define "leadline.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "leadline.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "leadline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What every container of the image needs, whichever verb it runs. */}}
{{- define "leadline.container" -}}
image: {{ include "leadline.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "leadline.containerSecurity" . | nindent 2 }}
env:
  - {name: LEADLINE_CONFIG, value: /etc/leadline/leadline.yaml}
  {{- if .Values.actorKey.existingSecret }}
  - {name: LEADLINE_ACTOR_KEY_FILE, value: /run/secrets/leadline-actor-key/actor-key}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "leadline.mounts" -}}
- {name: data, mountPath: /var/lib/leadline}
- {name: tmp, mountPath: /tmp}
- {name: settings, mountPath: /etc/leadline, readOnly: true}
{{- if .Values.existingSecret }}
- {name: secrets, mountPath: /run/secrets/leadline, readOnly: true}
{{- end }}
{{- if .Values.actorKey.existingSecret }}
- {name: actor-key, mountPath: /run/secrets/leadline-actor-key, readOnly: true}
{{- end }}
{{- end }}

{{- define "leadline.volumes" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ include "leadline.claim" . }}}
- name: tmp
  emptyDir: {}
- name: settings
  configMap: {name: {{ include "leadline.fullname" . }}}
{{- with .Values.existingSecret }}
- name: secrets
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.actorKey }}
{{- if .existingSecret }}
- name: actor-key
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: actor-key}]
{{- end }}
{{- end }}
{{- end }}
