// Posts each line of stdin, "ID AMOUNT", to the ledger on the port that is the argument; prints the receipts.
// recipe
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>

#include "Ledger.h"

using namespace apache::thrift;
using std::chrono::steady_clock;

class Connection {
 public:
  explicit Connection(int port)
      : socket(std::make_shared<transport::TSocket>("127.0.0.1", port)),
        framed(std::make_shared<transport::TFramedTransport>(socket)),
        ledger(std::make_shared<protocol::TBinaryProtocol>(framed)) {
    socket->setRecvTimeout(10000);
  }

  // Calls again what was never started, and, if it is repeatable, what may have been.
  template <class Call>
  auto call(bool repeatable, Call method) {
    for (const auto giveUp = steady_clock::now() + std::chrono::seconds(10);;) {
      bool sent = false;
      try {
        // A connection that was idle may have been closed by the server.
        if (framed->isOpen() && !isAlive()) framed->close();
        if (!framed->isOpen()) framed->open();
        sent = true;
        return method(ledger);
      } catch (const TApplicationException& error) {
        const bool safe = std::string(error.what()).find("not started") != std::string::npos;
        if (!(safe || repeatable) || steady_clock::now() > giveUp) throw;
      } catch (const transport::TTransportException&) {
        if ((sent && !repeatable) || steady_clock::now() > giveUp) throw;
      }
      // Another server, or the next one, answers on a new connection.
      framed->close();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

 private:
  // Nothing to read, and no end: whoever answers nobody has not closed.
  bool isAlive() {
    char byte;
    const ssize_t got = recv(socket->getSocketFD(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }

  std::shared_ptr<transport::TSocket> socket;
  std::shared_ptr<transport::TFramedTransport> framed;
  LedgerClient ledger;
};
// end of recipe

int main(int, char** argv) {
  // The library tells of each lost connection.
  GlobalOutput.setOutputFunction([](const char*) {});
  Connection connection(atoi(argv[1]));
  Entry entry;
  entry.debit = "cash";
  entry.credit = "rent";
  while (std::cin >> entry.id >> entry.amount) {
    Receipt receipt;
    // Its id makes it repeatable: the ledger knows an entry that it has.
    connection.call(true, [&](LedgerClient& ledger) { ledger.post(receipt, entry); });
    std::cout << receipt.seq << std::endl;
  }
}
