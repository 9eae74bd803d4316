{{- define "executor.container" -}}
- name: executor
  image: {{ .Values.executor.image }}
{{- if eq .Values.topology "sidecar" }}
  # A native sidecar: it is up before the application starts, and ends after it.
  restartPolicy: Always
  args: [serve, --socket, /run/codemode/executor.sock]
{{- else }}
  args: [serve, --host, 0.0.0.0, --port, "8001"]
  ports:
  - name: grpc
    containerPort: 8001
{{- end }}
  env:
  - name: CODEMODE_CONFIG
    value: /etc/codemode/codemode.yaml
{{- if eq .Values.topology "sidecar" }}
  # The application is another user, of the pod's group.
  - name: CODEMODE_SOCKET_MODE
    value: "0660"
{{- end }}
  - name: CODEMODE_API_KEY
    valueFrom:
      secretKeyRef:
        name: codemode-secrets
        key: api-key
  # /healthz, /readyz and /metrics.
  - name: CODEMODE_HTTP_ADDRESS
    value: ":8002"
  startupProbe:
    httpGet:
      path: /readyz
      port: 8002
    periodSeconds: 1
    failureThreshold: 60
{{- if eq .Values.topology "scale-out" }}
  readinessProbe:
    httpGet:
      path: /readyz
      port: 8002
    periodSeconds: 5
{{- end }}
  livenessProbe:
    httpGet:
      path: /healthz
      port: 8002
    periodSeconds: 10
  resources:
    requests:
      cpu: {{ .Values.executor.resources.requests.cpu | quote }}
      memory: {{ .Values.executor.resources.requests.memory }}
    limits:
      cpu: {{ .Values.executor.resources.limits.cpu | quote }}
      memory: {{ .Values.executor.resources.limits.memory }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65534
    runAsGroup: 65534
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities:
      drop: [ALL]
  volumeMounts:
  - name: config
    mountPath: /etc/codemode
    readOnly: true
  - name: tmp
    mountPath: /tmp
{{- if eq .Values.topology "sidecar" }}
  - name: socket
    mountPath: /run/codemode
{{- end }}
{{- end }}

{{- define "pod.security" -}}
automountServiceAccountToken: false
# Else a Service called codemode would set variables that look like codemode's own.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  fsGroup: 65534
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "executor.volumes" -}}
- name: config
  configMap:
    name: codemode-config
# In memory, and counted as the executor's memory.
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 256Mi
{{- end }}
