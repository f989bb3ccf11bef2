// Apache's C++ library as a client: see README.md beside this file for what goes in and comes out.
#include <algorithm>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/protocol/TJSONProtocol.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/THeaderTransport.h>
#include <thrift/transport/THttpClient.h>
#include <thrift/transport/TSSLSocket.h>
#include <thrift/transport/TSocket.h>
#include <thrift/transport/TZlibTransport.h>

#include "Absent.h"
#include "AllTypes.h"
#include "Second.h"
#include "interop_constants.h"

using namespace apache::thrift;
using namespace apache::thrift::protocol;
using namespace apache::thrift::transport;
using namespace interop;
using std::make_shared;
using std::shared_ptr;
using std::string;

static int port;
static string unixPath, caFile;
static const int64_t largest = std::numeric_limits<int64_t>::max();
static const int64_t smallest = std::numeric_limits<int64_t>::min();
static const int64_t odd = (int64_t(1) << 53) + 1;

static shared_ptr<TTransport> openSocket(const string& kind) {
  shared_ptr<TSocket> socket;
  if (kind == "tls") {
    static auto factory = make_shared<TSSLSocketFactory>();
    factory->authenticate(true);
    factory->loadTrustedCertificates(caFile.c_str());
    socket = factory->createSocket("localhost", port);
  } else if (kind == "unix") {
    socket = make_shared<TSocket>(unixPath);
  } else {
    socket = make_shared<TSocket>("127.0.0.1", port);
  }
  // A server that does not answer is a failure, not a wait.
  socket->setRecvTimeout(20000);
  return socket;
}

static shared_ptr<TTransport> openTransport(const string& name, const string& kind) {
  auto socket = openSocket(kind);
  if (name == "framed") return make_shared<TFramedTransport>(socket);
  if (name == "zlib") return make_shared<TZlibTransport>(socket);
  if (name == "zlib-framed") return make_shared<TFramedTransport>(make_shared<TZlibTransport>(socket));
  if (name == "http") return make_shared<THttpClient>(socket, "localhost", "/any/path");
  return make_shared<TBufferedTransport>(socket);
}

static shared_ptr<TProtocol> openProtocol(const string& name, shared_ptr<TTransport> transport) {
  if (name == "binary") return make_shared<TBinaryProtocol>(transport);
  if (name == "binary-old") return make_shared<TBinaryProtocol>(transport, 0, 0, false, false);
  if (name == "compact") return make_shared<TCompactProtocol>(transport);
  if (name == "json") return make_shared<TJSONProtocol>(transport);
  const bool compact = name.find("compact") != string::npos;
  auto header = make_shared<THeaderProtocol>(transport, compact ? T_COMPACT_PROTOCOL : T_BINARY_PROTOCOL);
  if (name.find("zlib") != string::npos) {
    std::dynamic_pointer_cast<THeaderTransport>(header->getTransport())->setTransform(THeaderTransport::ZLIB_TRANSFORM);
  }
  return header;
}

#define CHECK(condition)                                                 \
  do {                                                                   \
    if (!(condition)) throw std::runtime_error("not so: " #condition);  \
  } while (false)

template <class Error, class Call>
static Error raised(Call call) {
  try {
    call();
  } catch (Error& error) {
    return error;
  }
  throw std::runtime_error("it raised nothing");
}

static Everything emptyEverything() {
  Everything blank;
  blank.__set_colour(Colour::RED);
  blank.__set_point(Point());
  return blank;
}

static Optionals emptyOptionals() {
  Optionals there;
  there.__set_truth(false);
  there.__set_tiny(0);
  there.__set_medium(0);
  there.__set_wide(0);
  there.__set_real(0);
  there.__set_text("");
  there.__set_bytes("");
  there.__set_point(Point());
  there.__set_words({});
  there.__set_pairs({{-1, -2}});
  return there;
}

using Checks = std::vector<std::pair<string, std::function<void()>>>;

static void typeChecks(Checks& checks, shared_ptr<AllTypesClient> client, shared_ptr<TProtocol> protocol) {
  checks.emplace_back("void", [=] { client->nothing(); });
  checks.emplace_back("inherited", [=] {
    string got;
    client->inherited(got, "ü");
    CHECK(got == "ü");
  });
  checks.emplace_back("scalars", [=] {
    for (int value : {-128, 127, 0}) CHECK(client->tiny(value) == value);
    for (int value : {-32768, 32767}) CHECK(client->small(value) == value);
    for (int value : {std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
      CHECK(client->medium(value) == value);
    }
    for (double value : {-0.1, 5e-324, 1.7976931348623157e308}) CHECK(client->real(value) == value);
    for (bool value : {true, false}) CHECK(client->truth(value) == value);
    CHECK(client->colour(Colour::BLUE) == Colour::BLUE);
  });
  checks.emplace_back("i64", [=] {
    string decimal;
    for (int64_t value : {largest, smallest, odd, int64_t(0), int64_t(-1)}) {
      client->decimal(decimal, value);
      CHECK(decimal == std::to_string(value));
    }
    std::vector<int64_t> extremes;
    for (const char* form : {"bigint", "string", "Int64"}) {
      client->extremes(extremes, form);
      CHECK((extremes == std::vector<int64_t>{largest, smallest, 0, odd}));
    }
    std::map<int64_t, int64_t> keyed;
    client->extremeKeys(keyed);
    CHECK((keyed == std::map<int64_t, int64_t>{{largest, largest}, {smallest, smallest}}));
    std::vector<string> keys;
    client->keys(keys, {{largest, true}, {smallest, true}, {odd, true}});
    CHECK((keys == std::vector<string>{"-9223372036854775808", "9007199254740993", "9223372036854775807"}));
  });
  checks.emplace_back("text", [=] {
    string many, got;
    for (int at = 0; at < 5000; at++) many += "ü";
    for (const string& value : {g_interop_constants.TEXT, string(), many}) {
      client->text(got, value);
      CHECK(got == value);
    }
  });
  checks.emplace_back("everything", [=] {
    Everything got;
    client->everything(got, g_interop_constants.EVERYTHING);
    CHECK(got == g_interop_constants.EVERYTHING);
  });
  checks.emplace_back("empty", [=] {
    Everything got;
    client->empty(got, emptyEverything());
    CHECK(got == emptyEverything());
  });
  checks.emplace_back("defaults", [=] {
    Defaults got;
    got.number = 0;
    client->defaults(got, Defaults());
    CHECK(got == Defaults());
  });
  checks.emplace_back("optionals", [=] {
    std::vector<string> names;
    client->present(names, Optionals());
    CHECK(names.empty());
    Optionals got;
    client->optionals(got, Optionals());
    CHECK(got == Optionals());
    client->present(names, emptyOptionals());
    CHECK(names.size() == 10);
    client->optionals(got, emptyOptionals());
    CHECK(got == emptyOptionals());
  });
  checks.emplace_back("union", [=] {
    std::vector<Choice> choices(5);
    choices[0].__set_wide(smallest);
    choices[1].__set_text("ü");
    Point point;
    point.__set_x(1);
    choices[2].__set_point(point);
    choices[3].__set_bytes(string("\0\xff", 2));
    choices[4].__set_choices({choices[0], choices[1], choices[2], choices[3]});
    for (const Choice& choice : choices) {
      Choice got;
      client->choose(got, choice);
      CHECK(got == choice);
    }
  });
  checks.emplace_back("recursive", [=] {
    Tree tree;
    client->tree(tree, 20);
    CHECK(client->sum(tree) == 1);
    int depth = 1;
    for (const Tree* at = &tree; !at->children.empty(); at = &at->children[0]) depth++;
    CHECK(depth == 20);
  });
  checks.emplace_back("large", [=] {
    string given, got = "full";
    client->reversed(got, "");
    CHECK(got.empty());
    for (int at = 0; at < 300000; at++) given += char(at * 7 % 256);
    client->reversed(got, given);
    CHECK(got == string(given.rbegin(), given.rend()));
  });
  checks.emplace_back("declared", [=] {
    string got;
    client->fail(got, "no");
    CHECK(got == "no");
    auto refused = raised<Refused>([&] { client->fail(got, "refused"); });
    CHECK(refused.why == "why nöt" && refused.colour == Colour::BLUE);
    CHECK(refused.point.x == -1 && refused.point.label == "here");
    CHECK(raised<Busy>([&] { client->fail(got, "busy"); }).untilMs == odd);
  });
  checks.emplace_back("undeclared", [=] {
    string got;
    auto error = raised<TApplicationException>([&] { client->fail(got, "undeclared"); });
    CHECK(error.getType() == TApplicationException::INTERNAL_ERROR);
  });
  checks.emplace_back("unknown", [=] {
    AbsentClient absent(protocol);
    auto error = raised<TApplicationException>([&] { absent.absent(1); });
    CHECK(error.getType() == TApplicationException::UNKNOWN_METHOD);
  });
}

static void callChecks(
    Checks& checks, shared_ptr<AllTypesClient> client, shared_ptr<TProtocol> protocol,
    shared_ptr<TTransport> transport, const string& cell) {
  checks.emplace_back("oneway", [=] {
    string got;
    client->note(cell, "by " + cell);
    if (cell.find(" http ") != string::npos) {
      // The library does not read the empty answer that every HTTP request gets.
      transport->close();
      transport->open();
    }
    client->noted(got, cell);
    CHECK(got == "by " + cell);
  });
  checks.emplace_back("multiplexed", [=] {
    Everything got;
    AllTypesClient(make_shared<TMultiplexedProtocol>(protocol, "AllTypes")).everything(got, g_interop_constants.EVERYTHING);
    CHECK(got == g_interop_constants.EVERYTHING);
    string which;
    SecondClient(make_shared<TMultiplexedProtocol>(protocol, "Second")).which(which);
    CHECK(which == "the second");
    SecondClient nobody(make_shared<TMultiplexedProtocol>(protocol, "None"));
    auto error = raised<TApplicationException>([&] { nobody.which(which); });
    CHECK(error.getType() == TApplicationException::UNKNOWN_METHOD);
  });
  if (auto header = std::dynamic_pointer_cast<THeaderProtocol>(protocol)) {
    checks.emplace_back("headers", [=] {
      string got;
      header->setHeader("who", "pythön");
      client->header(got, "who");
      CHECK(got == "pythön");
      header->clearHeaders();
      client->header(got, "who");
      CHECK(got.empty());
    });
  }
}

static string oneLine(string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, 300);
}

static void run(const string& cell) {
  string protocolName, transportName, socket;
  std::istringstream(cell) >> protocolName >> transportName >> socket;
  auto transport = openTransport(transportName, socket);
  transport->open();
  auto protocol = openProtocol(protocolName, transport);
  Checks checks;
  auto client = make_shared<AllTypesClient>(protocol);
  typeChecks(checks, client, protocol);
  callChecks(checks, client, protocol, transport, cell);
  for (auto& [name, check] : checks) {
    string outcome = "ok";
    try {
      check();
    } catch (const std::exception& error) {
      outcome = "failed: " + oneLine(error.what());
    }
    std::cout << cell << '\t' << name << '\t' << outcome << std::endl;
  }
  try {
    transport->close();
  } catch (const TTransportException&) {
    // zlib in frames: closing flushes, and zlib has nothing to say.
  }
}

int main(int, char** argv) {
  port = atoi(argv[1]);
  unixPath = argv[2];
  caFile = argv[3];
  // Else each refused call is told twice.
  GlobalOutput.setOutputFunction([](const char*) {});
  for (string cell; std::getline(std::cin, cell);) {
    try {
      run(cell);
    } catch (const std::exception& error) {
      std::cout << cell << "\topen\tfailed: " << oneLine(error.what()) << std::endl;
    }
  }
}
