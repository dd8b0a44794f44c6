/* Instant upstream: answers chat completions as OpenAI's API does, from memory, in one thread.
 *
 *   upstream PORT
 *
 * The request says what it wants: "stream", "max_tokens" (content events of a stream, and completion tokens of the usage),
 * "stream_options" with "include_usage", and "seed", the milliseconds between two content events (0: all at once, each
 * with a write of its own). The prompt always counts PROMPT_TOKENS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PROMPT_TOKENS = 210, TOKENS_MOST = 1024, EVENT_MAX = 1024, BUFFER_LEAST = 2048, EVENTS = 512 };

#define COMMON                                                                                                  \
    "Date: Mon, 24 Nov 2025 00:00:00 GMT\r\nConnection: keep-alive\r\nopenai-organization: org-bench\r\n"        \
    "openai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\nx-ratelimit-remaining-requests: 9999\r\n"         \
    "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
#define ID "\"id\":\"chatcmpl-AbCdEf0123456789\""
#define MODEL "\"created\":1700000000,\"model\":\"gpt-4o-mini\""
#define FINGERPRINT "\"system_fingerprint\":\"fp_44709d6fcb\""
#define CHUNK "data: {" ID ",\"object\":\"chat.completion.chunk\"," MODEL "," FINGERPRINT ","
#define USAGE                                                                                                   \
    "\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d,"                              \
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"                                        \
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}"

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n" COMMON "\r\n";
static const char BODY[] =
    "{" ID ",\"object\":\"chat.completion\"," MODEL ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
    "\"Hello! This is an answer of moderate length, made to measure what a gateway adds to a call. It says nothing of value.\","
    "\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE ",\"service_tier\":\"default\"," FINGERPRINT "}";

enum phase { READING, WAITING, WRITING };

struct connection {
    int fd, tokens, pace_ms;
    enum phase phase;
    bool listens, stream, usage, waits_for_room;
    uint64_t due;        /* of the next event, in microseconds */
    int event;           /* the next one of the stream */
    char *in;            /* what was received and not yet answered */
    size_t length, room;
    char out[2 * EVENT_MAX];
    size_t out_length, sent;
};

struct text {
    char *bytes;
    size_t length;
};

static int poller;
static struct text content[TOKENS_MOST], stop_event;

/* Connections that wait for their next event, soonest first: a binary heap. */
static struct connection **heap;
static size_t heap_count, heap_room;

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *need(void *memory) {
    if (!memory) die("memory");
    return memory;
}

static void put(struct connection *c, size_t at) {
    while (at && heap[(at - 1) / 2]->due > c->due) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = c;
}

static void wait_until_due(struct connection *c) {
    if (heap_count == heap_room) {
        heap_room = heap_room ? heap_room * 2 : 1024;
        heap = need(realloc(heap, heap_room * sizeof *heap));
    }
    c->phase = WAITING;
    put(c, heap_count++);
}

static void sift_down(struct connection *c, size_t at) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap_count) break;
        if (child + 1 < heap_count && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= c->due) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = c;
}

static struct connection *take_first(void) {
    struct connection *first = heap[0], *last = heap[--heap_count];
    if (heap_count) sift_down(last, 0);
    return first;
}

static void forget_wait(const struct connection *c) {
    for (size_t i = 0; i < heap_count; i++) {
        if (heap[i] != c) continue;
        struct connection *last = heap[--heap_count];
        if (i == heap_count) return;
        sift_down(last, i);
        if (heap[i] == last) put(last, i);
        return;
    }
}

static struct text chunked(const char *event) {
    struct text text = {.bytes = need(malloc(EVENT_MAX))};
    text.length = (size_t)snprintf(text.bytes, EVENT_MAX, "%zx\r\n%s\r\n", strlen(event), event);
    return text;
}

static void build_events(void) {
    char event[EVENT_MAX];
    for (int i = 0; i < TOKENS_MOST; i++) {
        snprintf(
            event, sizeof event,
            CHUNK "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" tok%d\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", i);
        content[i] = chunked(event);
    }
    stop_event = chunked(CHUNK "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
}

/* ---- answering */

static void wait_for_room(struct connection *c, bool wanted) {
    if (c->waits_for_room == wanted) return;
    c->waits_for_room = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void fill(struct connection *c, const char *bytes, size_t length) {
    memcpy(c->out, bytes, length);
    c->out_length = length;
    c->sent = 0;
}

static void fill_whole(struct connection *c) {
    char body[EVENT_MAX];
    int length = snprintf(body, sizeof body, BODY, PROMPT_TOKENS, c->tokens, PROMPT_TOKENS + c->tokens);
    c->out_length = (size_t)snprintf(
        c->out, sizeof c->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" COMMON "\r\n%s", length,
        body);
    c->sent = 0;
}

static void fill_last(struct connection *c) {
    char event[EVENT_MAX];
    struct text usage = {0};
    if (c->usage) {
        snprintf(event, sizeof event, CHUNK "\"choices\":[]," USAGE "}\n\n", PROMPT_TOKENS, c->tokens, PROMPT_TOKENS + c->tokens);
        usage = chunked(event);
    }
    c->out_length = (size_t)snprintf(
        c->out, sizeof c->out, "%.*se\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", (int)usage.length, usage.bytes ? usage.bytes : "");
    c->sent = 0;
    free(usage.bytes);
}

/* Puts the next piece of the stream into `out`; false when there is none. */
static bool fill_next(struct connection *c) {
    int event = c->event++;
    if (event == 0) fill(c, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    else if (event <= c->tokens) fill(c, content[event - 1].bytes, content[event - 1].length);
    else if (event == c->tokens + 1) fill(c, stop_event.bytes, stop_event.length);
    else if (event == c->tokens + 2) fill_last(c);
    else return false;
    return true;
}

/* 1: all is written, 0: the socket is full, -1: the client is gone. */
static int write_out(struct connection *c) {
    while (c->sent < c->out_length) {
        ssize_t n = send(c->fd, c->out + c->sent, c->out_length - c->sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        c->sent += (size_t)n;
    }
    return 1;
}

/* False: the connection is closed. */
static bool write_answer(struct connection *c) {
    for (;;) {
        int done = write_out(c);
        if (done < 0) return false;
        wait_for_room(c, !done);
        if (!done) return true;
        if (!c->stream || !fill_next(c)) {
            c->phase = READING;
            return true;
        }
        bool content_follows = c->event >= 3 && c->event <= c->tokens + 1; /* the first content goes out with the head */
        if (c->pace_ms && content_follows) {
            c->due += (uint64_t)c->pace_ms * 1000;
            wait_until_due(c);
            return true;
        }
    }
}

/* ---- reading requests */

static const char *after_name(const char *body, size_t length, const char *name) {
    const char *at = memmem(body, length, name, strlen(name));
    if (!at) return NULL;
    at += strlen(name);
    while (at < body + length && (*at == ' ' || *at == ':')) at++;
    return at < body + length ? at : NULL;
}

static int number_after(const char *body, size_t length, const char *name, int otherwise) {
    const char *at = after_name(body, length, name);
    return at ? atoi(at) : otherwise;
}

static bool true_after(const char *body, size_t length, const char *name) {
    const char *at = after_name(body, length, name);
    return at && *at == 't';
}

static void start_answer(struct connection *c, const char *body, size_t length) {
    c->stream = true_after(body, length, "\"stream\"");
    c->usage = true_after(body, length, "\"include_usage\"");
    c->pace_ms = number_after(body, length, "\"seed\"", 0);
    c->tokens = number_after(body, length, "\"max_tokens\"", 64);
    if (c->tokens < 1 || c->tokens > TOKENS_MOST) c->tokens = TOKENS_MOST;
    c->event = 0;
    c->due = now_us();
    c->phase = WRITING;
    if (c->stream) fill_next(c);
    else fill_whole(c);
}

/* The body's length, or -1 while a chunked one is incomplete (its end is sought as such: our clients' text never holds it). */
static long body_length(const char *head, const char *body, const char *end, size_t *framing) {
    *framing = 0;
    for (const char *line = head; line < body; line = (const char *)memmem(line, (size_t)(body - line), "\r\n", 2) + 2) {
        if (!strncasecmp(line, "content-length:", 15)) return atol(line + 15);
        if (strncasecmp(line, "transfer-encoding:", 18)) continue;
        const char *last = memmem(body, (size_t)(end - body), "\r\n0\r\n\r\n", 7);
        *framing = 7;
        return last ? last - body : -1;
    }
    return 0;
}

/* False: the connection is closed. */
static bool answer_requests(struct connection *c) {
    while (c->phase == READING && c->length) {
        char *head_end = memmem(c->in, c->length, "\r\n\r\n", 4);
        if (!head_end) return true;
        size_t head = (size_t)(head_end + 4 - c->in), framing;
        long body = body_length(c->in, c->in + head, c->in + c->length, &framing);
        if (body < 0 || c->length < head + (size_t)body + framing) return true;
        start_answer(c, c->in + head, (size_t)body);
        size_t used = head + (size_t)body + framing;
        memmove(c->in, c->in + used, c->length - used);
        c->length -= used;
        c->in[c->length] = 0;
        if (!write_answer(c)) return false;
    }
    return true;
}

static bool read_more(struct connection *c) {
    if (c->room - c->length < BUFFER_LEAST) {
        c->room = c->room ? c->room * 4 : BUFFER_LEAST * 2;
        c->in = need(realloc(c->in, c->room));
    }
    ssize_t n = recv(c->fd, c->in + c->length, c->room - c->length - 1, 0);
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    c->length += (size_t)n;
    c->in[c->length] = 0;
    return answer_requests(c);
}

/* ---- connections */

static void close_connection(struct connection *c) {
    if (c->phase == WAITING) forget_wait(c);
    close(c->fd);
    free(c->in);
    free(c);
}

static void accept_all(const struct connection *listener) {
    for (;;) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = need(malloc(sizeof *c));
        *c = (struct connection){.fd = fd};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void on_event(struct connection *c, uint32_t events) {
    bool open = true;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) open = read_more(c);
    if (open && (events & EPOLLOUT) && c->waits_for_room) open = write_answer(c) && answer_requests(c);
    if (!open) close_connection(c);
}

static int until_first_due(void) {
    if (!heap_count) return -1;
    uint64_t now = now_us();
    return heap[0]->due <= now ? 0 : (int)((heap[0]->due - now + 999) / 1000);
}

static void send_due(void) {
    uint64_t now = now_us();
    while (heap_count && heap[0]->due <= now) {
        struct connection *c = take_first();
        c->phase = WRITING;
        if (!write_answer(c) || !answer_requests(c)) close_connection(c);
    }
}

static void serve(void) {
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, until_first_due());
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->listens) accept_all(c);
            else on_event(c, events[i].events);
        }
        send_due();
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "upstream PORT\n");
        return 2;
    }
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    build_events();
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) die("listen");
    struct connection listener = {.fd = fd, .listens = true};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    serve();
}
