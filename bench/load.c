/* Load generator: keep-alive connections that send one request after the other, each as soon as the last is answered.
 *
 * An answer counts when its end was seen: status 200 with its whole body, and for a stream the last line of its dialect.
 * Keys come from a file and are used in turn, so that every token works. The result is one JSON object on stdout.
 *
 *   load -p PORT -b BODY -k KEYS [-c CONNECTIONS] [-d SECONDS] [-w WARM-UP] [-s] [-o MS] [-r MS] [-i IDS] [-P PATH] [-e LINE]
 *
 *   -d  seconds in which latencies are taken, after -w seconds of warm-up; calls under way at the end are awaited
 *   -s  answers are event streams
 *   -o  open streams: one call a connection and no more; a call that takes longer than MS milliseconds is late
 *   -r  milliseconds over which the connections start, one after the other
 *   -i  file for the request ids (x-oneapi-request-id) of all answers whose end was seen
 *   -P  what is posted to, /v1/chat/completions if not named
 *   -e  the last line of a stream, "data: [DONE]" if not named
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
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, LINE_MAX_KEPT = 32, EVENTS = 512, BUFFER = 262144, ID_MAX = 63 };
static const uint64_t DRAIN_US = 5000000, SECOND_US = 1000000;

/* Where in an answer the reader is. */
enum part { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct connection {
    int fd;
    bool busy, waits_for_room, done_line;
    enum part part;
    int status;
    long left;          /* bytes of the body or of the chunk still to come */
    size_t sent;
    const char *key;
    size_t key_length;
    uint64_t started, first_byte;
    size_t head_length, line_length;
    char line[LINE_MAX_KEPT];    /* the start of the current line of a stream */
    char id[ID_MAX + 1];
    char *head;         /* kept only while a head is incomplete */
};

struct series {
    uint64_t *values;
    size_t count, room;
};

static struct {
    int port, connections;
    double seconds, warm_up;
    bool stream;
    const char *path, *end;    /* what is posted to, and the line that is the last of a stream */
    uint64_t deadline_us, ramp_us;
} options = {.connections = 32, .seconds = 5, .warm_up = 0, .path = "/v1/chat/completions", .end = "data: [DONE]"};

static struct {
    uint64_t calls, measured, events, bytes, late, refused, broken, last_status;
} counts;

static int poller;
static bool stopping;
static uint64_t measure_from, measure_to;
static struct series latencies, first_bytes;
static FILE *ids;
static char *before_key, *after_key, *keys;
static size_t before_length, after_length, keys_length, next_key;

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *need(void *memory) {
    if (!memory) die("memory");
    return memory;
}

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *text = need(malloc(*length + 1));
    if (fread(text, 1, *length, file) != *length) die(path);
    text[*length] = 0;
    fclose(file);
    return text;
}

static void add(struct series *series, uint64_t value) {
    if (series->count == series->room) {
        series->room = series->room ? series->room * 2 : 1 << 16;
        series->values = need(realloc(series->values, series->room * sizeof value));
    }
    series->values[series->count++] = value;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double quantile_ms(const struct series *series, double q) {
    return series->count ? (double)series->values[(size_t)(q * (double)(series->count - 1))] / 1000.0 : 0;
}

/* ---- sending */

static void open_connection(struct connection *c) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->waits_for_room = false;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void wait_for_room(struct connection *c, bool wanted) {
    if (c->waits_for_room == wanted) return;
    c->waits_for_room = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

/* A broken connection shows on the reading side. */
static void send_rest(struct connection *c) {
    size_t total = before_length + c->key_length + after_length;
    while (c->sent < total) {
        struct iovec parts[3] = {{before_key, before_length}, {(char *)c->key, c->key_length}, {after_key, after_length}};
        size_t skip = c->sent;
        for (int i = 0; i < 3; i++) {
            size_t step = skip < parts[i].iov_len ? skip : parts[i].iov_len;
            parts[i].iov_base = (char *)parts[i].iov_base + step;
            parts[i].iov_len -= step;
            skip -= step;
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EAGAIN) wait_for_room(c, true);
            return;
        }
        c->sent += (size_t)n;
    }
    wait_for_room(c, false);
}

static void take_key(struct connection *c) {
    if (next_key >= keys_length) next_key = 0;
    char *end = memchr(keys + next_key, '\n', keys_length - next_key);
    size_t stop = end ? (size_t)(end - keys) : keys_length;
    c->key = keys + next_key;
    c->key_length = stop - next_key;
    next_key = stop + 1;
}

static void start_call(struct connection *c) {
    take_key(c);
    c->busy = true;
    c->done_line = false;
    c->part = HEAD;
    c->sent = c->head_length = c->line_length = 0;
    c->id[0] = 0;
    c->first_byte = 0;
    c->started = now_us();
    send_rest(c);
}

/* ---- reading */

/* Lines of a stream: an empty one ends an event. */
static void read_lines(struct connection *c, const char *p, size_t n) {
    const char *end = p + n;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((newline ? newline : end) - p);
        size_t kept = c->line_length < LINE_MAX_KEPT ? LINE_MAX_KEPT - c->line_length : 0;
        memcpy(c->line + c->line_length, p, length < kept ? length : kept);
        c->line_length += length < kept ? length : kept;
        if (!newline) return;
        if (c->line_length == 0) counts.events++;
        if (c->line_length == strlen(options.end) && !memcmp(c->line, options.end, c->line_length)) c->done_line = true;
        c->line_length = 0;
        p = newline + 1;
    }
}

static void read_body(struct connection *c, const char *p, size_t n, uint64_t now) {
    if (!c->first_byte) c->first_byte = now;
    counts.bytes += n;
    if (options.stream) read_lines(c, p, n);
}

static void read_header(struct connection *c, const char *name, const char *value, size_t length) {
    if (!strncasecmp(name, "content-length:", 15)) {
        c->part = BODY;
        c->left = atol(value);
    } else if (!strncasecmp(name, "transfer-encoding:", 18)) {
        c->part = CHUNK_SIZE;
        c->left = 0;
    } else if (!strncasecmp(name, "x-oneapi-request-id:", 20)) {
        size_t kept = length < ID_MAX ? length : ID_MAX;
        memcpy(c->id, value, kept);
        c->id[kept] = 0;
    }
}

/* How many of the bytes belong to the head, n if all do. */
static size_t read_head(struct connection *c, const char *p, size_t n) {
    if (!c->head) c->head = need(malloc(HEAD_MAX));
    size_t before = c->head_length, take = n < HEAD_MAX - 1 - before ? n : HEAD_MAX - 1 - before;
    memcpy(c->head + before, p, take);
    c->head_length += take;
    c->head[c->head_length] = 0;
    char *end = memmem(c->head, c->head_length, "\r\n\r\n", 4);
    if (!end) {
        if (take < n) exit((fprintf(stderr, "a head of more than %d bytes\n", HEAD_MAX), 1));
        return n;
    }
    c->status = c->head_length > 12 ? atoi(c->head + 9) : 0;
    c->part = BODY;
    c->left = -1;
    for (char *line = strstr(c->head, "\r\n"); line < end; line = strstr(line + 2, "\r\n")) {
        char *value = memchr(line + 2, ':', (size_t)(end - line));
        if (!value) break;
        do value++;
        while (*value == ' ');
        read_header(c, line + 2, value, (size_t)(strstr(value, "\r\n") - value));
    }
    size_t used = (size_t)(end + 4 - c->head) - before;
    free(c->head);
    c->head = NULL;
    return used;
}

static int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    digit |= 32;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* True when the answer is complete. */
static bool read_answer(struct connection *c, const char *p, size_t n, uint64_t now) {
    if (c->part == HEAD) {
        size_t used = read_head(c, p, n);
        p += used;
        n -= used;
        if (c->part == HEAD) return false;
    }
    if (c->part == BODY && c->left >= 0) {
        size_t take = n < (size_t)c->left ? n : (size_t)c->left;
        if (take) read_body(c, p, take, now);
        c->left -= (long)take;
        return c->left == 0;
    }
    if (c->part == BODY) {
        if (n) read_body(c, p, n, now);
        return false;
    }
    while (n) {
        switch (c->part) {
            case CHUNK_SIZE:
                if (hex(*p) >= 0) c->left = c->left * 16 + hex(*p);
                if (*p == '\n') c->part = c->left ? CHUNK_DATA : TRAILER;
                p++, n--;
                break;
            case CHUNK_DATA: {
                size_t take = n < (size_t)c->left ? n : (size_t)c->left;
                read_body(c, p, take, now);
                p += take, n -= take, c->left -= (long)take;
                if (!c->left) c->part = CHUNK_END;
                break;
            }
            case CHUNK_END:
                if (*p == '\n') c->part = CHUNK_SIZE;
                p++, n--;
                break;
            default: /* no provider and no proxy here sends trailers: the next line is the empty one */
                if (*p == '\n') return true;
                p++, n--;
        }
    }
    return false;
}

static void end_call(struct connection *c, bool whole, uint64_t now) {
    c->busy = false;
    if (!whole) {
        counts.broken++;
    } else if (c->status != 200) {
        counts.refused++;
        counts.last_status = (uint64_t)c->status;
    } else if (options.stream && !c->done_line) {
        counts.broken++;
    } else {
        counts.calls++;
        if (ids) fprintf(ids, "%s\n", c->id);
        if (options.deadline_us && now - c->started > options.deadline_us) counts.late++;
        if (now >= measure_from && now < measure_to) {
            counts.measured++;
            add(&latencies, now - c->started);
            add(&first_bytes, c->first_byte - c->started);
        }
    }
    if (!stopping && !options.deadline_us) start_call(c);
}

static void on_readable(struct connection *c) {
    static char buffer[BUFFER];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        close(c->fd);
        open_connection(c);
        if (c->busy) end_call(c, c->part == BODY && c->left < 0, now_us());
    } else if (c->busy) {
        uint64_t now = now_us();
        if (read_answer(c, buffer, (size_t)n, now)) end_call(c, true, now);
    }
}

/* ---- the run */

static void prepare(const char *body_path, const char *keys_path) {
    size_t body_length;
    char *body = read_file(body_path, &body_length);
    keys = read_file(keys_path, &keys_length);
    before_key = need(malloc(256));
    before_length = (size_t)snprintf(
        before_key, 256, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer ", options.path, options.port);
    after_key = need(malloc(512 + body_length));
    after_length = (size_t)snprintf(
        after_key, 512,
        "\r\nAccept: %s\r\nContent-Type: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: OpenAI/Python 1.99.0\r\n"
        "Content-Length: %zu\r\n\r\n",
        options.stream ? "text/event-stream" : "application/json", body_length);
    memcpy(after_key + after_length, body, body_length);
    after_length += body_length;
    free(body);
}

static int busy_among(const struct connection *all) {
    int busy = 0;
    for (int i = 0; i < options.connections; i++) busy += all[i].busy;
    return busy;
}

static void run(struct connection *all) {
    uint64_t start = now_us();
    measure_from = start + (uint64_t)(options.warm_up * 1e6);
    measure_to = measure_from + (uint64_t)(options.seconds * 1e6);
    int started = 0;
    struct epoll_event events[EVENTS];
    for (;;) {
        uint64_t now = now_us();
        int due = options.connections;
        if (now - start < options.ramp_us) due = (int)((now - start) * (uint64_t)due / options.ramp_us);
        while (started < due) start_call(&all[started++]);
        if (now >= measure_to) stopping = true;
        bool finished = stopping || (options.deadline_us && started == options.connections);
        if (finished && !busy_among(all)) break;
        if (now > measure_to + DRAIN_US) break;
        int n = epoll_wait(poller, events, EVENTS, started < options.connections ? 1 : 50);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) && c->waits_for_room) send_rest(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
        }
    }
    counts.broken += (uint64_t)busy_among(all);
}

static void report(void) {
    qsort(latencies.values, latencies.count, sizeof(uint64_t), ascending);
    qsort(first_bytes.values, first_bytes.count, sizeof(uint64_t), ascending);
    printf(
        "{\"calls\":%lu,\"calls_per_second\":%.1f,\"events\":%lu,\"bytes\":%lu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
        "\"first_byte_p50_ms\":%.3f,\"late\":%lu,\"refused\":%lu,\"last_status\":%lu,\"broken\":%lu}\n",
        counts.calls, (double)counts.measured / options.seconds, counts.events, counts.bytes, quantile_ms(&latencies, 0.5),
        quantile_ms(&latencies, 0.99), quantile_ms(&latencies, 1), quantile_ms(&first_bytes, 0.5), counts.late, counts.refused,
        counts.last_status, counts.broken);
}

int main(int argc, char **argv) {
    const char *body = NULL, *keys_path = NULL, *ids_path = NULL;
    int option;
    while ((option = getopt(argc, argv, "p:b:k:c:d:w:so:r:i:P:e:")) != -1) switch (option) {
            case 'p': options.port = atoi(optarg); break;
            case 'b': body = optarg; break;
            case 'k': keys_path = optarg; break;
            case 'c': options.connections = atoi(optarg); break;
            case 'd': options.seconds = atof(optarg); break;
            case 'w': options.warm_up = atof(optarg); break;
            case 's': options.stream = true; break;
            case 'o': options.deadline_us = strtoull(optarg, NULL, 10) * 1000; break;
            case 'r': options.ramp_us = strtoull(optarg, NULL, 10) * 1000; break;
            case 'i': ids_path = optarg; break;
            case 'P': options.path = optarg; break;
            case 'e': options.end = optarg; break;
            default: return 2;
        }
    if (!options.port || !body || !keys_path || options.connections < 1) {
        fprintf(stderr, "load: -p PORT, -b BODY and -k KEYS are needed; the head of load.c has the rest\n");
        return 2;
    }
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    if (ids_path && !(ids = fopen(ids_path, "w"))) die(ids_path);
    prepare(body, keys_path);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = need(calloc((size_t)options.connections, sizeof *all));
    for (int i = 0; i < options.connections; i++) open_connection(&all[i]);
    run(all);
    if (ids) fclose(ids);
    report();
    return 0;
}
