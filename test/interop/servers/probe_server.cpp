// Apache's TThreadedServer for C++, serving test/idl/probe.thrift: PORT framed|unframed|header binary|compact|json.
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/protocol/TJSONProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "Probe.h"

using namespace apache::thrift;

class Handler : public ProbeNull {
 public:
  int32_t add(const int32_t a, const int32_t b) override { return a + b; }
  void echo(std::string& result, const std::string& text) override { result = text; }
  int64_t sleep(const int32_t ms) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    return ms;
  }
  void fail(std::string&, const std::string& how) override {
    if (how != "declared") throw std::runtime_error("inner text");
    Declared declared;
    declared.message = "as declared";
    throw declared;
  }
};

struct SayListening : server::TServerEventHandler {
  explicit SayListening(transport::TServerSocket& socket) : socket(socket) {}
  void preServe() override { std::cout << socket.getPort() << std::endl; }
  transport::TServerSocket& socket;
};

std::shared_ptr<protocol::TProtocolFactory> protocolFactory(const std::string& name) {
  if (name == "compact") return std::make_shared<protocol::TCompactProtocolFactory>();
  if (name == "json") return std::make_shared<protocol::TJSONProtocolFactory>();
  return std::make_shared<protocol::TBinaryProtocolFactory>();
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  GlobalOutput.setOutputFunction([](const char*) {});
  auto socket = std::make_shared<transport::TServerSocket>("127.0.0.1", atoi(argv[1]));
  std::shared_ptr<transport::TTransportFactory> transports;
  if (std::string(argv[2]) == "framed") transports = std::make_shared<transport::TFramedTransportFactory>();
  else transports = std::make_shared<transport::TBufferedTransportFactory>();
  server::TThreadedServer server(std::make_shared<ProbeProcessor>(std::make_shared<Handler>()), socket, transports,
                                 std::string(argv[2]) == "header"
                                     ? std::make_shared<protocol::THeaderProtocolFactory>()
                                     : protocolFactory(argv[3]));
  server.setServerEventHandler(std::make_shared<SayListening>(*socket));
  server.serve();
}
