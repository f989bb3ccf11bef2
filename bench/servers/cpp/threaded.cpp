// Apache's TThreadedServer with framed transport: one thread per connection.
// Usage: threaded PORT binary|compact
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>

#include "handler.h"

using namespace apache::thrift;

// In 0.17 the allowance of 100 MiB for one message is never given back by a framed transport that is only
// read from, so that a connection ends after 100 MiB in all. Giving it back after each message lets the
// server be measured.
class Framed : public transport::TFramedTransport {
 public:
  using TFramedTransport::TFramedTransport;
  uint32_t readEnd() override {
    resetConsumedMessageSize();
    return TFramedTransport::readEnd();
  }
};

class FramedFactory : public transport::TTransportFactory {
 public:
  std::shared_ptr<transport::TTransport> getTransport(std::shared_ptr<transport::TTransport> inner) override {
    return std::make_shared<Framed>(inner);
  }
};

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  allowManyConnections();
  auto socket = std::make_shared<transport::TServerSocket>("127.0.0.1", atoi(argv[1]));
  server::TThreadedServer server(std::make_shared<bench::BenchProcessor>(std::make_shared<BenchHandler>()), socket,
                                 std::make_shared<FramedFactory>(),
                                 protocolFactory(argv[2]));
  server.setServerEventHandler(std::make_shared<SayListening>([&] { return socket->getPort(); }));
  server.serve();
}
