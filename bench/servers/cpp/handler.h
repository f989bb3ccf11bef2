// The handler and the command line that both C++ contestants share.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/server/TServer.h>

#include "Bench.h"

class BenchHandler : public bench::BenchIf {
 public:
  void ping() override {}

  void echo(bench::Item& result, const bench::Item& item) override { result = item; }

  void blob(std::string& result, const std::string& data) override { result = data; }

  int64_t burn(const int32_t ms) override {
    const double end = threadSeconds() + ms / 1e3;
    volatile double sink = 0;
    while (threadSeconds() < end) {
      for (int i = 0; i < 1000; i++) sink = sink + i * 0.5;
    }
    return ms;
  }

 private:
  static double threadSeconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  }
};

inline std::shared_ptr<apache::thrift::protocol::TProtocolFactory> protocolFactory(const char* name) {
  if (strcmp(name, "compact") == 0) return std::make_shared<apache::thrift::protocol::TCompactProtocolFactory>();
  return std::make_shared<apache::thrift::protocol::TBinaryProtocolFactory>();
}

// Says on stdout where the server listens, as the harness expects it from every contestant.
class SayListening : public apache::thrift::server::TServerEventHandler {
 public:
  explicit SayListening(std::function<int()> port) : port_(std::move(port)) {}
  void preServe() override {
    printf("{\"msg\":\"listening\",\"port\":%d}\n", port_());
    fflush(stdout);
  }

 private:
  std::function<int()> port_;
};

// For the workload with 10,000 connections; Node, Java and Go do this by themselves.
inline void allowManyConnections() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}
