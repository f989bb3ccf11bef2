// Apache's Go library as a client: see README.md beside this file for what goes in and comes out.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"interop"
)

const odd = int64(1)<<53 + 1

var (
	port, unixPath, caFile = os.Args[1], os.Args[2], os.Args[3]
	background             = context.Background()
)

func configuration() *thrift.TConfiguration {
	trusted := x509.NewCertPool()
	certificate, err := os.ReadFile(caFile)
	if err != nil || !trusted.AppendCertsFromPEM(certificate) {
		panic("no certificate in " + caFile)
	}
	return &thrift.TConfiguration{
		// A server that does not answer is a failure, not a wait.
		ConnectTimeout: 20 * time.Second,
		SocketTimeout:  20 * time.Second,
		TLSConfig:      &tls.Config{RootCAs: trusted, ServerName: "localhost"},
	}
}

func openSocket(kind string, conf *thrift.TConfiguration) thrift.TTransport {
	switch kind {
	case "tls":
		return thrift.NewTSSLSocketConf("127.0.0.1:"+port, conf)
	case "unix":
		return thrift.NewTSocketFromAddrConf(&net.UnixAddr{Name: unixPath, Net: "unix"}, conf)
	}
	return thrift.NewTSocketConf("127.0.0.1:"+port, conf)
}

func openHttp(kind string, conf *thrift.TConfiguration) (thrift.TTransport, error) {
	carrier := &http.Transport{TLSClientConfig: conf.TLSConfig}
	scheme := "http"
	if kind == "tls" {
		scheme = "https"
	}
	if kind == "unix" {
		carrier.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", unixPath)
		}
	}
	client := &http.Client{Transport: carrier, Timeout: 20 * time.Second}
	return thrift.NewTHttpClientWithOptions(
		scheme+"://127.0.0.1:"+port+"/any/path", thrift.THttpClientOptions{Client: client})
}

func openTransport(name, kind string, conf *thrift.TConfiguration) (thrift.TTransport, error) {
	switch name {
	case "framed":
		return thrift.NewTFramedTransportConf(openSocket(kind, conf), conf), nil
	case "zlib":
		return thrift.NewTZlibTransport(openSocket(kind, conf), 6)
	case "zlib-framed":
		inner, err := thrift.NewTZlibTransport(openSocket(kind, conf), 6)
		return thrift.NewTFramedTransportConf(inner, conf), err
	case "http":
		return openHttp(kind, conf)
	}
	return thrift.NewTBufferedTransport(openSocket(kind, conf), 4096), nil
}

func openProtocol(name string, transport thrift.TTransport, conf *thrift.TConfiguration) thrift.TProtocol {
	switch name {
	case "binary":
		return thrift.NewTBinaryProtocolConf(transport, conf)
	case "binary-old":
		lenient := *conf
		lenient.TBinaryStrictRead = thrift.BoolPtr(false)
		lenient.TBinaryStrictWrite = thrift.BoolPtr(false)
		return thrift.NewTBinaryProtocolConf(transport, &lenient)
	case "compact":
		return thrift.NewTCompactProtocolConf(transport, conf)
	case "json":
		return thrift.NewTJSONProtocol(transport)
	}
	id := thrift.THeaderProtocolBinary
	if strings.Contains(name, "compact") {
		id = thrift.THeaderProtocolCompact
	}
	conf.THeaderProtocolID = thrift.THeaderProtocolIDPtrMust(id)
	header := thrift.NewTHeaderProtocolConf(transport, conf)
	if strings.HasSuffix(name, "zlib") {
		if err := header.AddTransform(thrift.TransformZlib); err != nil {
			panic(err)
		}
	}
	return header
}

// Ends a check.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(got, wanted interface{}, err error) {
	must(err)
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%.200v is not %.200v", got, wanted))
	}
}

// Ends a check unless the error is one of the application, of this type.
func applicationError(err error, kind int32) {
	var told thrift.TApplicationException
	if !errors.As(err, &told) || told.TypeId() != kind {
		panic(fmt.Sprintf("%v has not type %d", err, kind))
	}
}

func emptyEverything() *interop.Everything {
	return &interop.Everything{
		Bytes: []byte{}, Colour: interop.Colour_RED, Wides: interop.Wides{}, Words: []string{},
		ByWide: map[int64]string{}, ByText: map[string][]*interop.Point{},
		Nested: map[int32]map[int16]bool{}, Sets: [][]int32{}, Truths: []bool{}, Reals: []float64{},
		ByColour: map[interop.Colour]*interop.Point{}, WidesByName: interop.WidesByName{},
		Deep: [][][]int8{}, Point: &interop.Point{}, Trees: map[int8]*interop.Tree{},
		Colours: []interop.Colour{},
	}
}

func emptyOptionals() *interop.Optionals {
	return &interop.Optionals{
		Truth: thrift.BoolPtr(false), Tiny: thrift.Int8Ptr(0), Medium: thrift.Int32Ptr(0),
		Wide: interop.WidePtr(0), Real: thrift.Float64Ptr(0), Text: thrift.StringPtr(""), Bytes: []byte{},
		Point: &interop.Point{}, Words: []string{}, Pairs: map[int32]int32{-1: -2},
	}
}

type check struct {
	name string
	run  func()
}

func typeChecks(client *interop.AllTypesClient) []check {
	return []check{
		{"void", func() { must(client.Nothing(background)) }},
		{"inherited", func() {
			got, err := client.Inherited(background, "ü")
			equal(got, "ü", err)
		}},
		{"scalars", func() { scalars(client) }},
		{"i64", func() { wide(client) }},
		{"text", func() {
			for _, value := range []string{interop.TEXT, "", strings.Repeat("ü", 5000)} {
				got, err := client.Text(background, value)
				equal(got, value, err)
			}
		}},
		{"everything", func() {
			got, err := client.Everything(background, interop.EVERYTHING)
			equal(got, interop.EVERYTHING, err)
		}},
		{"empty", func() {
			got, err := client.Empty(background, emptyEverything())
			equal(got, emptyEverything(), err)
		}},
		{"defaults", func() {
			got, err := client.Defaults(background, interop.NewDefaults())
			equal(got, interop.NewDefaults(), err)
		}},
		{"optionals", func() {
			names, err := client.Present(background, interop.NewOptionals())
			equal(len(names), 0, err)
			got, err := client.Optionals(background, interop.NewOptionals())
			equal(got, interop.NewOptionals(), err)
			names, err = client.Present(background, emptyOptionals())
			equal(len(names), 10, err)
			got, err = client.Optionals(background, emptyOptionals())
			equal(got, emptyOptionals(), err)
		}},
		{"union", func() {
			choices := []*interop.Choice{
				{Wide: interop.WidePtr(math.MinInt64)}, {Text: thrift.StringPtr("ü")},
				{Point: &interop.Point{X: 1}}, {Bytes: []byte{0, 255}},
			}
			for _, choice := range append(choices, &interop.Choice{Choices: choices}) {
				got, err := client.Choose(background, choice)
				equal(got, choice, err)
			}
		}},
		{"recursive", func() {
			tree, err := client.Tree(background, 20)
			must(err)
			sum, err := client.Sum(background, tree)
			equal(sum, int64(1), err)
			depth := 1
			for at := tree; len(at.Children) > 0; at = at.Children[0] {
				depth++
			}
			equal(depth, 20, nil)
		}},
		{"large", func() {
			got, err := client.Reversed(background, []byte{})
			equal(len(got), 0, err)
			given := make([]byte, 300_000)
			wanted := make([]byte, len(given))
			for at := range given {
				given[at] = byte(at * 7 % 256)
				wanted[len(wanted)-1-at] = given[at]
			}
			got, err = client.Reversed(background, given)
			equal(bytes.Equal(got, wanted), true, err)
		}},
		{"declared", func() { declared(client) }},
		{"undeclared", func() {
			_, err := client.Fail(background, "undeclared")
			applicationError(err, thrift.INTERNAL_ERROR)
		}},
	}
}

func scalars(client *interop.AllTypesClient) {
	for _, value := range []int8{math.MinInt8, math.MaxInt8, 0} {
		got, err := client.Tiny(background, value)
		equal(got, value, err)
	}
	for _, value := range []int16{math.MinInt16, math.MaxInt16} {
		got, err := client.Small(background, value)
		equal(got, value, err)
	}
	for _, value := range []int32{math.MinInt32, math.MaxInt32} {
		got, err := client.Medium(background, value)
		equal(got, value, err)
	}
	for _, value := range []float64{-0.1, math.SmallestNonzeroFloat64, math.MaxFloat64} {
		got, err := client.Real(background, value)
		equal(got, value, err)
	}
	for _, value := range []bool{true, false} {
		got, err := client.Truth(background, value)
		equal(got, value, err)
	}
	got, err := client.Colour(background, interop.Colour_BLUE)
	equal(got, interop.Colour_BLUE, err)
}

func wide(client *interop.AllTypesClient) {
	for _, value := range []int64{math.MaxInt64, math.MinInt64, odd, 0, -1} {
		got, err := client.Decimal(background, value)
		equal(got, strconv.FormatInt(value, 10), err)
	}
	for _, form := range []string{"bigint", "string", "Int64"} {
		extremes, err := client.Extremes(background, form)
		equal(extremes, []int64{math.MaxInt64, math.MinInt64, 0, odd}, err)
	}
	keyed, err := client.ExtremeKeys(background)
	equal(keyed, map[int64]int64{math.MaxInt64: math.MaxInt64, math.MinInt64: math.MinInt64}, err)
	keys, err := client.Keys(background, map[int64]bool{math.MaxInt64: true, math.MinInt64: true, odd: true})
	equal(keys, []string{"-9223372036854775808", "9007199254740993", "9223372036854775807"}, err)
}

func declared(client *interop.AllTypesClient) {
	got, err := client.Fail(background, "no")
	equal(got, "no", err)
	_, err = client.Fail(background, "refused")
	var refused *interop.Refused
	equal(errors.As(err, &refused), true, nil)
	point := &interop.Point{X: -1, Label: thrift.StringPtr("here")}
	equal(refused, &interop.Refused{Why: "why nöt", Colour: interop.Colour_BLUE, Point: point}, nil)
	_, err = client.Fail(background, "busy")
	var busy *interop.Busy
	equal(errors.As(err, &busy), true, nil)
	equal(int64(busy.UntilMs), odd, nil)
}

func callChecks(client *interop.AllTypesClient, protocol thrift.TProtocol, cell string) []check {
	checks := []check{
		{"unknown", func() {
			absent := interop.NewAbsentClient(thrift.NewTStandardClient(protocol, protocol))
			_, err := absent.Absent(background, 1)
			applicationError(err, thrift.UNKNOWN_METHOD)
		}},
		{"oneway", func() {
			must(client.Note(background, cell, "by "+cell))
			got, err := client.Noted(background, cell)
			equal(got, "by "+cell, err)
		}},
		{"multiplexed", func() {
			named := func(name string) thrift.TClient {
				return thrift.NewTStandardClient(protocol, thrift.NewTMultiplexedProtocol(protocol, name))
			}
			got, err := interop.NewAllTypesClient(named("AllTypes")).Everything(background, interop.EVERYTHING)
			equal(got, interop.EVERYTHING, err)
			which, err := interop.NewSecondClient(named("Second")).Which(background)
			equal(which, "the second", err)
			_, err = interop.NewSecondClient(named("None")).Which(background)
			applicationError(err, thrift.UNKNOWN_METHOD)
		}},
	}
	if _, ok := protocol.(*thrift.THeaderProtocol); ok {
		checks = append(checks, check{"headers", func() {
			with := thrift.SetWriteHeaderList(thrift.SetHeader(background, "who", "pythön"), []string{"who"})
			got, err := client.Header(with, "who")
			equal(got, "pythön", err)
			got, err = client.Header(background, "who")
			equal(got, "", err)
		}})
	}
	return checks
}

// Runs a check and tells its outcome.
func outcome(run func()) (told string) {
	defer func() {
		if problem := recover(); problem != nil {
			told = strings.ReplaceAll(fmt.Sprintf("failed: %.400v", problem), "\n", " ")
		}
	}()
	run()
	return "ok"
}

func runCell(cell string) {
	names := strings.Fields(cell)
	conf := configuration()
	transport, err := openTransport(names[1], names[2], conf)
	must(err)
	protocol := openProtocol(names[0], transport, conf)
	// THeader's transport is made by its protocol.
	must(protocol.Transport().Open())
	defer protocol.Transport().Close()
	client := interop.NewAllTypesClient(thrift.NewTStandardClient(protocol, protocol))
	for _, each := range append(typeChecks(client), callChecks(client, protocol, cell)...) {
		fmt.Printf("%s\t%s\t%s\n", cell, each.name, outcome(each.run))
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if told := outcome(func() { runCell(lines.Text()) }); told != "ok" {
			fmt.Printf("%s\topen\t%s\n", lines.Text(), told)
		}
	}
}
