/* One side of a transfer with OpenSSL and blocking reads and writes: `transfer MB warm-up-MB receive|send size port`, against src/transfer-peer.ts. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "transfer: %s failed\n", what);
  exit(1);
}

static double cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return 1e6 * (r.ru_utime.tv_sec + r.ru_stime.tv_sec) + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

/* CPU microseconds for so many bytes over one connection. */
static double transfer(SSL_CTX *ctx, int port, int receiving, size_t size, long long bytes) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  SSL *ssl = SSL_new(ctx);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  if (SSL_connect(ssl) != 1) fail("SSL_connect");
  char *buffer = malloc(size);
  memset(buffer, 'x', size);
  unsigned char head[9] = {receiving ? 'S' : 'R'};
  for (int i = 0; i < 8; i++) head[1 + i] = (unsigned char)(bytes >> (56 - 8 * i));
  double before = cpu();
  if (SSL_write(ssl, head, 9) != 9) fail("SSL_write");
  for (long long done = 0; done < bytes;) {
    int n = receiving ? SSL_read(ssl, buffer, (int)size) : SSL_write(ssl, buffer, (int)size);
    if (n <= 0) fail(receiving ? "SSL_read" : "SSL_write");
    done += n;
  }
  if (!receiving && SSL_read(ssl, buffer, 1) != 1) fail("SSL_read");
  double spent = cpu() - before;
  free(buffer);
  SSL_free(ssl);
  close(fd);
  return spent;
}

int main(int argc, char **argv) {
  if (argc != 6) fail("reading the arguments");
  long long mb = atoll(argv[1]), warm = atoll(argv[2]);
  int receiving = strcmp(argv[3], "receive") == 0, port = atoi(argv[5]);
  size_t size = strtoul(argv[4], NULL, 10);
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  if (warm > 0) transfer(ctx, port, receiving, size, warm << 20);
  double spent = transfer(ctx, port, receiving, size, mb << 20);
  printf("{\"calls\": %lld, \"cpu\": %.0f}\n", mb, spent);
  return 0;
}
