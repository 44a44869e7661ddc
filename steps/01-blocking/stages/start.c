/* Stage 0 of step 01: the article's server, without its threads. */

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 5
#define BUFFER_SIZE 1024

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("[!] socket failed");
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("[!] bind failed");
    if (listen(fd, BACKLOG) < 0) fail("[!] listen failed");
    printf("[*] listening on 127.0.0.1:%d\n", port);
    fflush(stdout);
    return fd;
}

/* Escaped: a client must not control the terminal. */
static void log_line(const char *line) {
    printf("[*] received: ");
    for (int i = 0; line[i] != '\0' && i < 1000; i++) {
        unsigned char byte = line[i];
        printf(isprint(byte) ? "%c" : "\\x%02x", byte);
    }
    printf("\n");
    fflush(stdout);
}

/* What one recv brought is one message, up to its first line end. */
static void answer(int client, char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    log_line(line);
    char reply[2 * BUFFER_SIZE];
    if (strcasecmp(line, "ping") == 0)
        strcpy(reply, "pong\n");
    else
        snprintf(reply, sizeof reply, "受信しました: %.1000s\n", line);
    send(client, reply, strlen(reply), 0);
}

static void serve(int client) {
    char buffer[BUFFER_SIZE];
    ssize_t count;
    while ((count = recv(client, buffer, sizeof buffer - 1, 0)) > 0) {
        buffer[count] = '\0';
        answer(client, buffer);
    }
    close(client);
    printf("[*] connection ended\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 8888);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) fail("[!] accept failed");
        printf("[*] client connected\n");
        serve(client);
    }
}
