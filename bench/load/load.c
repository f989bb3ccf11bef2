// The load generator: pre-encoded frames over loopback, as a closed loop of connections x depth, or paced.
//
// One thread and epoll, so that it takes as little as it can of the cores that it shares with the server.
// It knows no Thrift: --requests and --replies hold `depth` frames each, one per slot of a connection
// (they differ in the sequence number), and a reply must come in its slot's turn and be byte for byte what
// the file says. The first 24 bytes (frame length, message type, method, sequence number) of every reply are
// compared, the whole of every 64th. The interface is described in load/generator.ts.
#include "loop.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define TAIL_NS 2000000000ull  // how long to wait for the last replies when the time is up

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  // Twice in a row, so that any run of slots is one contiguous piece.
  uint8_t *bytes = malloc(*size * 2);
  if (!bytes || fread(bytes, 1, *size, file) != *size) die(path);
  memcpy(bytes + *size, bytes, *size);
  fclose(file);
  return bytes;
}

static void print_sample(void) {
  char text[1024];
  FILE *file = options.sample ? fopen(options.sample, "r") : NULL;
  size_t n = file ? fread(text, 1, sizeof text, file) : 0;
  if (file) fclose(file);
  putchar('"');
  for (size_t i = 0; i < n; i++) {
    if (text[i] == '"' || text[i] == '\\') putchar('\\');
    if (text[i] >= ' ') putchar(text[i]);
  }
  putchar('"');
}

static double own_cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void report(uint64_t calls, uint64_t elapsed_ns, double cpu_us) {
  printf("],\"generator\":\"c\",\"seconds\":%.6f,\"calls\":%lu,\"rate\":%.3f", (double)elapsed_ns / 1e9, calls,
         (double)calls / ((double)elapsed_ns / 1e9));
  printf(",\"p50Us\":%.3f,\"p90Us\":%.3f,\"p99Us\":%.3f,\"p999Us\":%.3f,\"maxUs\":%.3f",
         histogram_quantile_us(&latencies, 0.5), histogram_quantile_us(&latencies, 0.9),
         histogram_quantile_us(&latencies, 0.99), histogram_quantile_us(&latencies, 0.999),
         (double)latencies.max / 1e3);
  printf(",\"generatorCpuUs\":%.0f", cpu_us);
}

static void turn(int timer_fd, uint64_t interval) {
  struct epoll_event events[256];
  int n = epoll_wait(poll_fd, events, 256, 100);
  int paced_event = 0;
  for (int i = 0; i < n; i++) {
    connection *c = events[i].data.ptr;
    if (!c) {
      uint64_t expirations;
      if (read(timer_fd, &expirations, sizeof expirations) > 0) paced_event = 1;
      continue;
    }
    if (c->fd >= 0 && (events[i].events & EPOLLOUT)) flush(c);
    if (c->fd >= 0 && (events[i].events & ~(uint32_t)EPOLLOUT)) receive(c, interval);
    paced_event = 1;
  }
  // After replies too: a connection that was busy when its call was due is waited for by no timer.
  if (interval && paced_event && !stopping) pace(timer_fd, interval);
}

static void run(void) {
  uint64_t start = now_ns();
  uint64_t interval = options.rate ? 1000000000ull * (uint64_t)options.connections / (uint64_t)options.rate : 0;
  int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event timer = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer_fd, &timer);
  for (int i = 0; i < options.connections; i++) {
    connection *c = &connections[i];
    c->due = start + interval * (uint64_t)i / (uint64_t)options.connections;
    for (int d = 0; d < options.depth && !interval; d++) queue_call(c, start);
    flush(c);
  }
  if (interval) pace(timer_fd, interval);
  while (now_ns() - start < options.warmup_ns && alive) turn(timer_fd, interval);

  memset(&latencies, 0, sizeof latencies);
  uint64_t before = total_calls, from = now_ns();
  double cpu = own_cpu_us();
  printf("{\"samples\":[");
  print_sample();
  while (now_ns() - from < options.measure_ns && alive) turn(timer_fd, interval);
  putchar(',');
  print_sample();
  report(total_calls - before, now_ns() - from, own_cpu_us() - cpu);

  // What is still out is waited for, so that the server sees no connection break under a call.
  stopping = 1;
  uint64_t end = now_ns();
  while (outstanding > 0 && alive && now_ns() - end < TAIL_NS) turn(timer_fd, interval);
  printf(",\"totalCalls\":%lu,\"errors\":{\"mismatch\":%lu,\"closed\":%lu,\"unanswered\":%lu}}\n", total_calls, mismatches,
         closed, outstanding);
}

static void parse(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--host")) options.host = value;
    else if (!strcmp(name, "--port")) options.port = atoi(value);
    else if (!strcmp(name, "--connections")) options.connections = atoi(value);
    else if (!strcmp(name, "--depth")) options.depth = atoi(value);
    else if (!strcmp(name, "--requests")) options.requests = value;
    else if (!strcmp(name, "--replies")) options.replies = value;
    else if (!strcmp(name, "--warmup-ms")) options.warmup_ns = strtoull(value, NULL, 10) * 1000000ull;
    else if (!strcmp(name, "--measure-ms")) options.measure_ns = strtoull(value, NULL, 10) * 1000000ull;
    else if (!strcmp(name, "--rate")) options.rate = atoi(value);
    else if (!strcmp(name, "--compare-bytes")) options.compare_bytes = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--counter-offset")) options.counter_offset = atoi(value);
    else if (!strcmp(name, "--counter-digits")) options.counter_digits = atoi(value);
    else if (!strcmp(name, "--counter-start")) options.counter = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--sample")) options.sample = value;
    else errno = EINVAL, die(name);
  }
  if (!options.port || !options.requests || !options.replies || options.connections < 1 || options.depth < 1)
    errno = EINVAL, die("--port, --requests and --replies are needed");
}

int main(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  parse(argc, argv);
  alarm((unsigned)((options.warmup_ns + options.measure_ns) / 1000000000ull + 20));
  size_t requests, replies;
  request_bytes = read_file(options.requests, &requests);
  reply_bytes = read_file(options.replies, &replies);
  request_size = requests / (size_t)options.depth;
  reply_size = replies / (size_t)options.depth;
  if (!options.compare_bytes || options.compare_bytes > reply_size) options.compare_bytes = reply_size;
  in_capacity = replies + 65536;
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  connections = calloc((size_t)options.connections, sizeof *connections);
  for (int i = 0; i < options.connections; i++) connect_one(&connections[i]);
  run();
  return 0;
}
