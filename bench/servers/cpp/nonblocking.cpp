// Apache's TNonblockingServer (framed by nature): one I/O thread and a pool of worker threads.
// Usage: nonblocking PORT binary|compact WORKERS
#include <thrift/concurrency/ThreadManager.h>
#include <thrift/server/TNonblockingServer.h>
#include <thrift/transport/TNonblockingServerSocket.h>

#include "handler.h"

using namespace apache::thrift;

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  allowManyConnections();
  auto threads = concurrency::ThreadManager::newSimpleThreadManager(static_cast<size_t>(atoi(argv[3])));
  threads->threadFactory(std::make_shared<concurrency::ThreadFactory>());
  threads->start();
  auto socket = std::make_shared<transport::TNonblockingServerSocket>("127.0.0.1", atoi(argv[1]));
  server::TNonblockingServer server(std::make_shared<bench::BenchProcessor>(std::make_shared<BenchHandler>()),
                                    protocolFactory(argv[2]), socket, threads);
  server.setServerEventHandler(std::make_shared<SayListening>([&] { return socket->getListenPort(); }));
  server.serve();
}
