/*
 * server PEM greet|echo: OpenSSL as a server, one connection after the other: the limit of what a binding can reach. Prints its port, answers `cpu` and `memory` on stdin.
 * greet: says a byte and closes; echo: answers the first byte and keeps the connection.
 */
#include "bench.h"
#include <poll.h>

static int greet;

static void serve(SSL_CTX *ctx, int fd) {
  char byte[1] = {'k'};
  without_delay(fd);
  SSL *ssl = SSL_new(ctx);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1) {
    if (!greet) {
      if (SSL_read(ssl, byte, 1) == 1) SSL_write(ssl, byte, 1);
      return; /* it stays open, and is never looked at again */
    }
    SSL_write(ssl, byte, 1);
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  close(fd);
}

int main(int argc, char **argv) {
  need(argc == 3, "arguments");
  greet = strcmp(argv[2], "greet") == 0;
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  need(SSL_CTX_use_certificate_chain_file(ctx, argv[1]) == 1 && SSL_CTX_use_PrivateKey_file(ctx, argv[1], SSL_FILETYPE_PEM) == 1, "identity");
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  need(bind(listener, (struct sockaddr *)&at, length) == 0 && listen(listener, 1024) == 0, "listen");
  getsockname(listener, (struct sockaddr *)&at, &length);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  struct pollfd fds[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
  double last = cpu();
  while (poll(fds, 2, -1) > 0) {
    if (fds[0].revents) serve(ctx, accept(listener, NULL, NULL));
    if (fds[1].revents) {
      char line[64];
      ssize_t got = read(0, line, sizeof line);
      if (got <= 0) break;
      double now = cpu();
      if (line[0] == 'c') printf("%.1f\n", now - last);
      else printf("%.2f\n", resident());
      fflush(stdout);
      last = now;
    }
  }
  return 0;
}
