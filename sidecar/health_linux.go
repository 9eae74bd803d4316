package sidecar

import (
	"context"

	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// The services that grpc.health.v1 knows. Liveness is the process: restarting it would
// not help what readiness complains about.
const (
	healthLiveness  = "liveness"
	healthReadiness = "readiness"
)

var readinessServices = []string{healthReadiness, codemodev1.ExecutorService_ServiceDesc.ServiceName}

// probes is grpc.health.v1: the empty service and "liveness" serve while the process
// does; "readiness" and the executor's service do while Unready has nothing to say.
type probes struct {
	*health.Server
	server *Server
}

func newProbes(s *Server) probes {
	p := probes{health.NewServer(), s}
	p.SetServingStatus(healthLiveness, healthv1.HealthCheckResponse_SERVING)
	for _, service := range readinessServices {
		p.SetServingStatus(service, healthv1.HealthCheckResponse_SERVING)
	}
	return p
}

// drain tells those who watch that no new executions are taken.
func (p probes) drain() {
	for _, service := range readinessServices {
		p.SetServingStatus(service, healthv1.HealthCheckResponse_NOT_SERVING)
	}
}

// Check answers a probe. That no worker can be made shows here, and not in Watch.
func (p probes) Check(ctx context.Context, request *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	response, err := p.Server.Check(ctx, request)
	if err != nil {
		return nil, err
	}
	for _, service := range readinessServices {
		if request.GetService() == service && p.server.Unready() != "" {
			response = &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING}
		}
	}
	return response, nil
}

// Unready says why the executor should not be sent work: it is stopping, or it cannot
// make workers. It is empty if it should be. That all workers are busy is no reason: the
// one probe of a pod would take the application out with the executor.
func (s *Server) Unready() string {
	if s.gate.closed() {
		return "the executor is shutting down"
	}
	if s.pool.broken() {
		return "no worker can be made"
	}
	return ""
}

// Stats gives the figures of this moment.
func (s *Server) Stats() Stats {
	kept := s.sessions.kept()
	stats := Stats{Kept: kept, MaxWorkers: s.cfg.Pool.MaxWorkers}
	stats.Running, stats.Queued = s.gate.figures()
	// One look after the other: a session may have taken up a program in between.
	stats.Running = max(0, stats.Running-kept)
	stats.Ready, stats.Starting = s.pool.figures()
	return stats
}
