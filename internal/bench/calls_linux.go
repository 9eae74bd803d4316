package bench

import "context"

// timed is a program that does one thing N times and gives what each took.
func timed(setup, do string) string {
	return setup + `
ts = []
for _ in range(N):
    t = time.perf_counter()
    ` + do + `
    ts.append(time.perf_counter() - t)
ts`
}

// measureCalls measures tool calls inside the program, as it sees them.
func (b *bench) measureCalls(ctx context.Context) error {
	take := func(name string, count int, setup, do string) (Figure, error) {
		took, err := b.inside(ctx, timed(setup, do), count)
		if err != nil {
			return Figure{}, err
		}
		return b.addTimes(name, took), nil
	}
	call, err := take("one tool call, Python to Go and back", min(900, max(100, 3*b.Runs)), "for _ in range(50): tools.echo(1)", "tools.echo(1)")
	if err != nil {
		return err
	}
	b.ratio("one tool call", "gRPC + socket round trip", call.P50, b.socket.P50+b.grpc.P50, 1.3, false)
	b.compare("one tool call", "its bare path", call.P50, b.path.P50)
	b.compare("the bare path of a tool call", "gRPC + socket round trip", b.path.P50, b.socket.P50+b.grpc.P50)
	gathered, err := take("100 tool calls of 50 ms, gathered", 9, "", "await asyncio.gather(*[tools.slow.arun() for _ in range(100)])")
	if err != nil {
		return err
	}
	b.ratio("100 tool calls of 50 ms", "50 ms", gathered.P50, milliseconds(slowness), 1.5, false)
	if _, err := take("1 MiB argument", 50, "x = 'x' * (1 << 20)", "tools.size(x)"); err != nil {
		return err
	}
	if _, err := take("1 MiB result", 50, "", "tools.text(1 << 20)"); err != nil {
		return err
	}
	const rows = 20_000
	streamed, err := b.inside(ctx, "rows = 20_000\n"+timed("", "for row in tools.rows(rows): pass"), 15)
	if err != nil {
		return err
	}
	b.add(Figure{
		Name: "20,000 rows of a streaming tool, in a loop", P50: milliseconds(streamed.at(0.5)), P99: milliseconds(streamed.at(0.99)),
		PerSecond: rows / streamed.at(0.5).Seconds(), Count: len(streamed),
	})
	_, err = take("first row of a streaming tool, then closed", 50, "", "with tools.rows(1_000_000) as all: next(all)")
	return err
}
