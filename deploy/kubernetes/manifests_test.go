// Package kubernetes holds the manifests in deploy/kubernetes to what a cluster would: they
// decode strictly into the API's own types and meet the Pod Security standard "restricted".
// It is a module of its own, so that none of this reaches codemode's users.
package kubernetes

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the plain manifests as the chart renders them")

var topologies = []string{"sidecar", "scale-out"}

// render does what helm template does, and gives the chart's files by name.
func render(t *testing.T, values map[string]any) map[string]string {
	t.Helper()
	chart, err := loader.Load("chart")
	if err != nil {
		t.Fatal(err)
	}
	if err := chartutil.ValidateAgainstSchema(chart, values); err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "codemode", Namespace: "default"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := engine.Render(chart, all)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for name, text := range rendered {
		if text = strings.TrimSpace(text); text != "" && filepath.Ext(name) == ".yaml" {
			files[filepath.Base(name)] = text + "\n"
		}
	}
	return files
}

// Whoever applies the plain manifests gets what helm template prints.
func TestThePlainManifestsAreTheCharts(t *testing.T) {
	for _, topology := range topologies {
		files := render(t, map[string]any{"topology": topology})
		if *update {
			if err := os.RemoveAll(topology); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(topology, 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(topology, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		plain, err := os.ReadDir(topology)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) != len(files) {
			t.Errorf("%s has %d files, and the chart makes %d: run go test -update", topology, len(plain), len(files))
		}
		for _, entry := range plain {
			text, err := os.ReadFile(filepath.Join(topology, entry.Name()))
			if err != nil || string(text) != files[entry.Name()] {
				t.Errorf("%s/%s is not what the chart renders (%v): run go test -update", topology, entry.Name(), err)
			}
		}
	}
}

// objects decodes the manifests of a topology, strictly: a key that the API does not have
// is an error.
func objects(t *testing.T, topology string) map[string]any {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(topology, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	found := map[string]any{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			var meta metav1.TypeMeta
			if err := yaml.Unmarshal(document, &meta); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			var object interface{ GetName() string }
			switch meta.APIVersion + " " + meta.Kind {
			case "v1 ConfigMap":
				object = &corev1.ConfigMap{}
			case "v1 Secret":
				object = &corev1.Secret{}
			case "v1 Service":
				object = &corev1.Service{}
			case "apps/v1 Deployment":
				object = &appsv1.Deployment{}
			case "networking.k8s.io/v1 NetworkPolicy":
				object = &networkingv1.NetworkPolicy{}
			case "autoscaling/v2 HorizontalPodAutoscaler":
				object = &autoscalingv2.HorizontalPodAutoscaler{}
			case "policy/v1 PodDisruptionBudget":
				object = &policyv1.PodDisruptionBudget{}
			default:
				t.Fatalf("%s: unexpected %v", path, meta)
			}
			if err := yaml.UnmarshalStrict(document, object); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			name := meta.Kind + "/" + object.GetName()
			if found[name] != nil {
				t.Errorf("%s: %s is there twice", path, name)
			}
			found[name] = object
		}
	}
	return found
}

// A cluster would take the manifests, all of them.
func TestTheManifestsAreKubernetes(t *testing.T) {
	want := map[string][]string{
		"sidecar": {
			"ConfigMap/codemode-config", "Deployment/myapp", "HorizontalPodAutoscaler/myapp", "NetworkPolicy/myapp",
			"PodDisruptionBudget/myapp", "Secret/codemode-secrets", "Service/myapp",
		},
		"scale-out": {
			"ConfigMap/codemode-config", "Deployment/codemode-executor", "Deployment/myapp",
			"HorizontalPodAutoscaler/codemode-executor", "HorizontalPodAutoscaler/myapp",
			"NetworkPolicy/codemode-executor", "NetworkPolicy/myapp",
			"PodDisruptionBudget/codemode-executor", "PodDisruptionBudget/myapp", "Secret/codemode-secrets",
			"Service/codemode-executor", "Service/myapp",
		},
	}
	for _, topology := range topologies {
		var names []string
		for name := range objects(t, topology) {
			names = append(names, name)
		}
		if slices.Sort(names); !slices.Equal(names, want[topology]) {
			t.Errorf("%s: %q", topology, names)
		}
	}
}

// Namespaces that enforce the standard "restricted" admit the pods.
func TestThePodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psapi.LevelVersion{Level: psapi.LevelRestricted, Version: psapi.LatestVersion()}
	for _, topology := range topologies {
		for name, object := range objects(t, topology) {
			deployment, ok := object.(*appsv1.Deployment)
			if !ok {
				continue
			}
			pod := deployment.Spec.Template
			refused := func() string {
				result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
				return result.ForbiddenDetail()
			}
			if why := refused(); why != "" {
				t.Errorf("%s %s: %s", topology, name, why)
			}
			// The check can fail.
			pod.Spec.HostNetwork = true
			if refused() == "" {
				t.Error("a pod on the node's network was not refused")
			}
		}
	}
}

// What the manifests refer to is there: a typing error would show only in a cluster.
func TestTheManifestsFitTogether(t *testing.T) {
	for _, topology := range topologies {
		all := objects(t, topology)
		for name, object := range all {
			switch object := object.(type) {
			case *appsv1.Deployment:
				checkPod(t, topology+" "+name, object, all)
			case *corev1.Service:
				deployment := deploymentFor(t, all, object.Spec.Selector)
				for _, port := range object.Spec.Ports {
					if !hasPort(deployment, port.TargetPort.StrVal) {
						t.Errorf("%s %s: no container has the port %s", topology, name, port.TargetPort.StrVal)
					}
				}
			case *autoscalingv2.HorizontalPodAutoscaler:
				if all["Deployment/"+object.Spec.ScaleTargetRef.Name] == nil {
					t.Errorf("%s %s scales nothing", topology, name)
				}
			case *policyv1.PodDisruptionBudget:
				deploymentFor(t, all, object.Spec.Selector.MatchLabels)
			case *networkingv1.NetworkPolicy:
				deploymentFor(t, all, object.Spec.PodSelector.MatchLabels)
			}
		}
	}
	executor := objects(t, "scale-out")
	if spec := executor["Service/codemode-executor"].(*corev1.Service).Spec; spec.ClusterIP != corev1.ClusterIPNone {
		t.Error("the executors' Service is not headless, so that all calls would go to one of them")
	}
	if spec := executor["NetworkPolicy/codemode-executor"].(*networkingv1.NetworkPolicy).Spec; len(spec.Egress) != 0 || !slices.Contains(spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
		t.Error("the executors may connect to something")
	}
}

func deploymentFor(t *testing.T, all map[string]any, labels map[string]string) *appsv1.Deployment {
	t.Helper()
	for _, object := range all {
		if d, ok := object.(*appsv1.Deployment); ok && fmt.Sprint(d.Spec.Template.Labels) == fmt.Sprint(labels) {
			return d
		}
	}
	t.Fatalf("nothing is labelled %v", labels)
	return nil
}

func hasPort(d *appsv1.Deployment, name string) bool {
	return slices.ContainsFunc(d.Spec.Template.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name })
	})
}

func checkPod(t *testing.T, name string, d *appsv1.Deployment, all map[string]any) {
	t.Helper()
	if fmt.Sprint(d.Spec.Selector.MatchLabels) != fmt.Sprint(d.Spec.Template.Labels) {
		t.Errorf("%s selects other pods than it makes", name)
	}
	pod := d.Spec.Template.Spec
	volumes := map[string]bool{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = true
		if volume.ConfigMap != nil && all["ConfigMap/"+volume.ConfigMap.Name] == nil {
			t.Errorf("%s: no ConfigMap %s", name, volume.ConfigMap.Name)
		}
	}
	executors := 0
	for _, c := range append(slices.Clone(pod.InitContainers), pod.Containers...) {
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s: %s mounts %s, which is no volume", name, c.Name, mount.Name)
			}
		}
		for _, variable := range c.Env {
			if from := variable.ValueFrom; from != nil {
				secret, ok := all["Secret/"+from.SecretKeyRef.Name].(*corev1.Secret)
				if !ok || !hasKey(secret, from.SecretKeyRef.Key) {
					t.Errorf("%s: %s has no such secret %s", name, variable.Name, from.SecretKeyRef.Name)
				}
			}
		}
		if c.Name == "executor" {
			executors++
			if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("%s: the executor can write to its image", name)
			}
		}
	}
	if executors == 0 && all["Deployment/codemode-executor"] == nil {
		t.Errorf("%s has no executor", name)
	}
	for _, c := range pod.InitContainers {
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			t.Errorf("%s: %s is no sidecar, so that the application would wait for its end", name, c.Name)
		}
	}
}

func hasKey(secret *corev1.Secret, key string) bool {
	_, ok := secret.StringData[key]
	return ok
}

// The values that the chart offers change what they say they do.
func TestTheChartsValuesCount(t *testing.T) {
	files := render(t, map[string]any{"topology": "scale-out", "executor": map[string]any{"runtimeClassName": "gvisor"}})
	if !strings.Contains(files["executor-deployment.yaml"], "\n      runtimeClassName: gvisor\n") {
		t.Error(files["executor-deployment.yaml"])
	}
	files = render(t, map[string]any{"secret": map[string]any{"create": false}})
	if text, ok := files["secret.yaml"]; ok {
		t.Error(text)
	}
}
