package metrics_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/codemode-sdk/codemode/sidecar"
	"github.com/codemode-sdk/codemode/sidecar/metrics"
)

type executor struct{}

func (executor) Stats() sidecar.Stats {
	return sidecar.Stats{Ready: 2, Starting: 1, Running: 3, Queued: 4, MaxWorkers: 8}
}
func (executor) Unready() string { return "it stops" }
func (executor) Python() string  { return "3.14.6" }

func scrape(t *testing.T, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func filled() *metrics.Metrics {
	m := metrics.New(executor{})
	m.Executed(&sidecar.Record{Status: "ok", Egress: map[string]int{"allowed": 2}})
	m.Executed(&sidecar.Record{Status: "rejected", Reason: sidecar.RefusedQueueFull})
	for i := range 3 * metrics.MaxTools {
		m.ToolCalled(fmt.Sprintf("tool \"%d\"\n", i), sidecar.ToolOK, time.Millisecond)
	}
	m.ToolCalled(sidecar.UnknownTool, sidecar.ToolFailed, time.Millisecond)
	return m
}

// An application with thousands of tools must not take the monitoring down.
func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	families := scrape(t, filled())
	series := families["codemode_tool_calls_total"].GetMetric()
	if len(series) != metrics.MaxTools+2 {
		t.Errorf("%d series of tool calls", len(series))
	}
	for _, one := range series {
		if one.GetLabel()[1].GetValue() == metrics.OtherTools && one.GetCounter().GetValue() != 2*metrics.MaxTools {
			t.Errorf("calls of other tools: %v", one.GetCounter().GetValue())
		}
	}
	if got := families["codemode_ready"].GetMetric()[0].GetGauge().GetValue(); got != 0 {
		t.Errorf("ready is %v for an executor that stops", got)
	}
}

// The dashboard and the list of the documentation name metrics that there are, and the
// documentation has them all.
func TestDashboardAndDocumentationKnowTheMetrics(t *testing.T) {
	families := scrape(t, filled())
	exists := func(name string) bool {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, cut := strings.CutSuffix(name, suffix); cut && families[base].GetType() == dto.MetricType_HISTOGRAM {
				return true
			}
		}
		return families[name] != nil && families[name].GetType() != dto.MetricType_HISTOGRAM
	}
	text, err := os.ReadFile("../../deploy/grafana/codemode.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	names, used := regexp.MustCompile(`\b(codemode|process|go)_[a-z_]+`), 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			for _, name := range names.FindAllString(target.Expr, -1) {
				used++
				if !exists(name) {
					t.Errorf("%s: there is no metric %s", panel.Title, name)
				}
			}
		}
	}
	if used < 10 {
		t.Errorf("the dashboard uses %d metrics", used)
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, family := range families {
		if !strings.HasPrefix(name, "codemode_") {
			continue
		}
		row := regexp.MustCompile("(?m)^\\|.*`" + name + "`.*$").FindString(string(page))
		if row == "" {
			t.Errorf("docs/operations.md does not have %s", name)
		}
		for _, one := range family.GetMetric() {
			for _, label := range one.GetLabel() {
				fixed := label.GetName() == "reason" || label.GetName() == "state"
				if !strings.Contains(row, label.GetName()) || fixed && !regexp.MustCompile(`\b`+label.GetValue()+`\b`).MatchString(row) {
					t.Errorf("docs/operations.md does not have %s of %s: %s", label, name, row)
				}
			}
		}
	}
	for _, name := range regexp.MustCompile("`(codemode_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		if families[name[1]] == nil {
			t.Errorf("docs/operations.md has %s, which does not exist", name[1])
		}
	}
}
