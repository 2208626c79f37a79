{{- define "natsgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "natsgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "natsgate.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "natsgate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "natsgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "natsgate.labels" -}}
{{ include "natsgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /* Those of every object, and more; the same label twice would be no YAML that the API takes. */ -}}
{{- define "natsgate.objectLabels" -}}
{{- merge (dict) (include "natsgate.labels" .top | fromYaml) .more | toYaml -}}
{{- end -}}

{{- define "natsgate.adminName" -}}
{{- printf "%s-admin" (include "natsgate.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{- define "natsgate.serviceAccountName" -}}
{{- default (ternary (include "natsgate.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "natsgate.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Milliseconds of a duration as the configuration writes them: 500ms, 2s, 1m30s. */ -}}
{{- define "natsgate.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h|d)" . -1 -}}
{{- $total = add $total (mul (int64 (regexFind "^[0-9]+" .)) (get $units (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{- /* The duration at `key` of the configuration's `server`, in milliseconds. */ -}}
{{- define "natsgate.serverDuration" -}}
{{- $file := .values.config.natsgate | fromYaml -}}
{{- if hasKey $file "Error" -}}
{{- fail (printf "config.natsgate is no YAML: %s" $file.Error) -}}
{{- end -}}
{{- $written := default .default (get (default dict (get $file "server")) .key) -}}
{{- if not (and (kindIs "string" $written) (regexMatch "^([0-9]+(ms|s|m|h|d))+$" $written)) -}}
{{- fail (printf "server.%s of config.natsgate is not written as a duration: set terminationGracePeriodSeconds to the time that a pod needs to end" .key) -}}
{{- end -}}
{{- include "natsgate.milliseconds" $written -}}
{{- end -}}

{{- define "natsgate.drainDelay" -}}
{{- include "natsgate.serverDuration" (dict "values" .Values "key" "drain_delay" "default" "0s") -}}
{{- end -}}

{{- /* From SIGTERM to SIGKILL: the delay, the drain, two seconds of last answers, and some to spare. */ -}}
{{- define "natsgate.gracePeriod" -}}
{{- if .Values.terminationGracePeriodSeconds -}}
{{- .Values.terminationGracePeriodSeconds -}}
{{- else -}}
{{- $delay := include "natsgate.drainDelay" . | int64 -}}
{{- $drain := include "natsgate.serverDuration" (dict "values" .Values "key" "drain" "default" "20s") | int64 -}}
{{- div (add $delay $drain 10999) 1000 -}}
{{- end -}}
{{- end -}}
