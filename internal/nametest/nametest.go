// Package nametest has a name server for tests of what asks one.
package nametest

import (
	"net"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Serve answers every question for addresses with those that there are, as the name server of
// a cluster does for a headless Service; where there are none, the name is not known. It gives
// host:port of the server, which ends with the test.
func Serve(t *testing.T, there func(dnsmessage.Question) [][4]byte) (address string) {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			question := m.Questions[0]
			addresses := there(question)
			if len(addresses) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			if question.Type == dnsmessage.TypeA {
				for _, address := range addresses {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class},
						Body:   &dnsmessage.AResource{A: address},
					})
				}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from) // who asked asks again
			}
		}
	})
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return conn.LocalAddr().String()
}
