// Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts.
// recipe
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"ledger"
)

type connection struct {
	transport thrift.TTransport
	ledger    *ledger.LedgerClient
}

func connect(port string) *connection {
	conf := &thrift.TConfiguration{ConnectTimeout: 10 * time.Second, SocketTimeout: 10 * time.Second}
	transport := thrift.NewTFramedTransportConf(thrift.NewTSocketConf("127.0.0.1:"+port, conf), conf)
	protocol := thrift.NewTBinaryProtocolConf(transport, conf)
	return &connection{transport, ledger.NewLedgerClient(thrift.NewTStandardClient(protocol, protocol))}
}

// Calls again what was never started, and, if it is repeatable, what may have been.
func (c *connection) call(repeatable bool, method func(*ledger.LedgerClient) error) error {
	for giveUp := time.Now().Add(10 * time.Second); ; {
		sent := false
		var err error
		// Says also whether the server has closed the connection while it was idle.
		if !c.transport.IsOpen() {
			c.transport.Close()
			err = c.transport.Open()
		}
		if err == nil {
			sent = true
			err = method(c.ledger)
		}
		var refused thrift.TApplicationException
		var lost thrift.TTransportException
		safe := !sent || errors.As(err, &refused) && strings.Contains(refused.Error(), "not started")
		again := safe || repeatable && (errors.As(err, &refused) || errors.As(err, &lost))
		if err == nil || !again || time.Now().After(giveUp) {
			return err
		}
		// Another server, or the next one, answers on a new connection.
		c.transport.Close()
		time.Sleep(50 * time.Millisecond)
	}
}

// end of recipe

func main() {
	ledgers := connect(os.Args[1])
	entry := &ledger.Entry{Debit: "cash", Credit: "rent"}
	for {
		if _, err := fmt.Scan(&entry.ID, &entry.Amount); err != nil {
			return
		}
		var receipt *ledger.Receipt
		// Its id makes it repeatable: the ledger knows an entry that it has.
		err := ledgers.call(true, func(client *ledger.LedgerClient) (err error) {
			receipt, err = client.Post(context.Background(), entry)
			return
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(receipt.Seq)
	}
}
