// Apache's TSimpleServer for Go with framed transport: one goroutine per connection.
// Usage: bench-go PORT binary|compact
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/apache/thrift/lib/go/thrift"

	"sluice/bench/bench"
)

type handler struct{}

func (handler) Ping(context.Context) error { return nil }

func (handler) Echo(_ context.Context, item *bench.Item) (*bench.Item, error) { return item, nil }

func (handler) Blob(_ context.Context, data []byte) ([]byte, error) { return data, nil }

var sink float64

func (handler) Burn(_ context.Context, ms int32) (int64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	end := threadMicroseconds() + int64(ms)*1000
	sum := 0.0
	for threadMicroseconds() < end {
		for i := 0; i < 1000; i++ {
			sum += float64(i) * 0.5
		}
	}
	sink = sum
	return int64(ms), nil
}

func threadMicroseconds() int64 {
	const clockThreadCPUTime = 3
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano() / 1000
}

func main() {
	var protocol thrift.TProtocolFactory = thrift.NewTBinaryProtocolFactoryConf(nil)
	if os.Args[2] == "compact" {
		protocol = thrift.NewTCompactProtocolFactoryConf(nil)
	}
	socket, err := thrift.NewTServerSocket("127.0.0.1:" + os.Args[1])
	if err == nil {
		err = socket.Listen()
	}
	if err != nil {
		panic(err)
	}
	fmt.Printf("{\"msg\":\"listening\",\"port\":%d}\n", socket.Addr().(*net.TCPAddr).Port)
	transport := thrift.NewTFramedTransportFactoryConf(thrift.NewTTransportFactory(), nil)
	processor := bench.NewBenchProcessor(handler{})
	if err := thrift.NewTSimpleServer4(processor, socket, transport, protocol).Serve(); err != nil {
		panic(err)
	}
}
