// The connections of the load generator: what one sends, and how it takes and checks what comes back.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

#define HEADER_BYTES 24
#define FULL_COMPARE_EVERY 64
#define MAX_REPLY_BYTES (16u << 20)

typedef struct {
  int fd;
  uint32_t in_flight, send_slot, receive_slot;
  size_t out_at, out_bytes, in_bytes;
  int wants_write;
  uint64_t due;  // paced only: when the next call should be sent
  uint64_t *sent_at;
  uint8_t *in, *requests;
} connection;

static struct {
  const char *host, *requests, *replies, *sample;
  int port, connections, depth, rate, counter_offset, counter_digits;
  uint64_t warmup_ns, measure_ns, counter;
  size_t compare_bytes;
} options = {.host = "127.0.0.1", .connections = 1, .depth = 1, .counter_offset = -1, .counter_digits = 10};

static uint8_t *request_bytes, *reply_bytes;
static size_t request_size, reply_size, in_capacity;
static connection *connections;
static histogram latencies;
static uint64_t total_calls, mismatches, closed, outstanding;
static uint32_t alive;
static int poll_fd, stopping;

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void watch(connection *c, int wants_write) {
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0u), .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
  c->wants_write = wants_write;
}

static void drop(connection *c) {
  if (c->fd < 0) return;
  close(c->fd);
  c->fd = -1;
  closed++;
  outstanding -= c->in_flight;
  c->in_flight = 0;
  alive--;
}

static void flush(connection *c) {
  size_t ring = request_size * (size_t)options.depth;
  while (c->out_bytes > 0) {
    ssize_t n = send(c->fd, c->requests + c->out_at, c->out_bytes, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return drop(c);
      if (!c->wants_write) watch(c, 1);
      return;
    }
    c->out_bytes -= (size_t)n;
    c->out_at += (size_t)n;
    if (c->out_at >= ring) c->out_at -= ring;
  }
  if (c->wants_write) watch(c, 0);
}

// Writes the next number, in decimal, into a request: into both copies, for a send may start in the one
// and end in the other.
static void number(connection *c, uint32_t slot) {
  uint64_t value = options.counter++;
  uint8_t *at = c->requests + slot * request_size + options.counter_offset;
  for (int i = options.counter_digits - 1; i >= 0; i--, value /= 10) at[i] = (uint8_t)('0' + value % 10);
  memcpy(at + request_size * (size_t)options.depth, at, (size_t)options.counter_digits);
}

static void queue_call(connection *c, uint64_t since) {
  if (options.counter_offset >= 0) number(c, c->send_slot);
  c->sent_at[c->send_slot] = since;
  if (++c->send_slot == (uint32_t)options.depth) c->send_slot = 0;
  c->in_flight++;
  outstanding++;
  c->out_bytes += request_size;
}

// Takes one reply; returns its length, 0 while it is incomplete.
static size_t take_reply(connection *c, const uint8_t *at, size_t available, uint64_t now) {
  if (available < 4) return 0;
  size_t length = 4 + ((size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
  if (length > MAX_REPLY_BYTES || c->in_flight == 0) {
    mismatches++;
    drop(c);
    return 0;
  }
  if (available < length) return 0;
  const uint8_t *expected = reply_bytes + c->receive_slot * reply_size;
  size_t compared = total_calls % FULL_COMPARE_EVERY == 0 ? reply_size : HEADER_BYTES;
  if (compared > options.compare_bytes) compared = options.compare_bytes;
  if (length != reply_size || memcmp(at, expected, compared < length ? compared : length) != 0) mismatches++;
  histogram_add(&latencies, now - c->sent_at[c->receive_slot]);
  if (++c->receive_slot == (uint32_t)options.depth) c->receive_slot = 0;
  c->in_flight--;
  outstanding--;
  total_calls++;
  return length;
}

static void receive(connection *c, uint64_t interval) {
  ssize_t n = recv(c->fd, c->in + c->in_bytes, in_capacity - c->in_bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return drop(c);
  c->in_bytes += (size_t)n;
  uint64_t now = now_ns();
  size_t at = 0;
  for (size_t taken; (taken = take_reply(c, c->in + at, c->in_bytes - at, now)) > 0; at += taken) {
    if (stopping) continue;
    if (!interval) queue_call(c, now);
    // A call that was due while its connection was busy has waited since then.
    else if (c->due <= now) queue_call(c, c->due), c->due += interval;
  }
  if (c->fd < 0) return;
  c->in_bytes -= at;
  if (c->in_bytes > 0 && at > 0) memmove(c->in, c->in + at, c->in_bytes);
  if (c->in_bytes == in_capacity) return mismatches++, drop(c);
  if (c->out_bytes > 0) flush(c);
}

static void connect_one(connection *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  inet_pton(AF_INET, options.host, &to.sin_addr);
  if (ntohl(to.sin_addr.s_addr) >> 24 != 127) errno = EINVAL, die("only loopback is a target");
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->sent_at = calloc((size_t)options.depth, sizeof *c->sent_at);
  c->in = malloc(in_capacity);
  c->requests = request_bytes;
  if (options.counter_offset >= 0) {
    size_t both = request_size * (size_t)options.depth * 2;
    c->requests = memcpy(malloc(both), request_bytes, both);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
  alive++;
}

// Sends what is due and sets the timer for the next; the generator's own lateness is not the server's.
static void pace(int timer_fd, uint64_t interval) {
  uint64_t now = now_ns(), next = now + 1000000000ull;
  for (int i = 0; i < options.connections; i++) {
    connection *c = &connections[i];
    if (c->fd < 0) continue;
    while (c->due <= now && c->in_flight < (uint32_t)options.depth) queue_call(c, now), c->due += interval;
    if (c->out_bytes > 0) flush(c);
    if (c->due > now && c->due < next) next = c->due;
  }
  struct itimerspec at = {.it_value = {(time_t)(next / 1000000000ull), (long)(next % 1000000000ull)}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}
