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

const oneCall, warmCalls = "tools.echo(1)", "for _ in range(50): tools.echo(1)"

// measureCalls measures one tool call inside the program, as it sees it, and the round trips
// that it is held against, in turns.
func (b *bench) measureCalls(ctx context.Context) error {
	each := max(100, 3*b.Runs/rounds)
	inside, err := b.embedded()
	if err != nil {
		return err
	}
	defer inside.Client.Close()
	figures := []struct {
		name string
		take func() (sample, error)
		got  sample
	}{
		{name: "floor: socket pair round trip, CPython", take: func() (sample, error) { return socketFloor(ctx, b.python, each, 0) }},
		{name: "floor: gRPC stream round trip", take: func() (sample, error) { return grpcFloor(ctx, each, 0) }},
		{name: "floor: the bare path of a tool call", take: func() (sample, error) { return pathFloor(ctx, b.python, each) }},
		{name: "one tool call, Python to Go and back", take: func() (sample, error) { return b.inside(ctx, timed(warmCalls, oneCall), each) }},
		{name: "embedded: one tool call", take: func() (sample, error) { return inside.inside(ctx, timed(warmCalls, oneCall), each) }},
		{name: "floor: socket pair round trip, after a rest", take: func() (sample, error) { return socketFloor(ctx, b.python, each/3, rest) }},
		{name: "floor: gRPC stream round trip, after a rest", take: func() (sample, error) { return grpcFloor(ctx, each/3, rest) }},
	}
	for range rounds {
		for i := range figures {
			got, err := figures[i].take()
			if err != nil {
				return err
			}
			figures[i].got = append(figures[i].got, got...)
		}
	}
	var p50 []float64
	for _, f := range figures {
		p50 = append(p50, b.addTimes(f.name, f.got).P50)
	}
	trips, path, call, embedded, rested := p50[0]+p50[1], p50[2], p50[3], p50[4], p50[5]+p50[6]
	b.ratio("one tool call", "gRPC + socket round trip", call, trips, 1.3, false)
	b.ratio("embedded: one tool call", "gRPC + socket round trip", embedded, trips, 1.3, false)
	b.compare("one tool call", "its bare path", call, path)
	b.compare("one tool call", "both round trips, after a rest", call, rested)
	b.compare("the bare path of a tool call", "gRPC + socket round trip", path, trips)
	return nil
}

// measureValues measures what tools take and give, inside the program.
func (b *bench) measureValues(ctx context.Context) error {
	take := func(name string, count int, setup, do string) (Figure, error) {
		took, err := b.inside(ctx, timed(setup, do), count)
		if err != nil {
			return Figure{}, err
		}
		return b.addTimes(name, took), nil
	}
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
