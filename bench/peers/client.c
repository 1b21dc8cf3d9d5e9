/*
 * client CALLS WARM-UP MODE PORT VERSION CA-FILE: OpenSSL as a client, the limit of what a binding can reach. CA and name are verified.
 * full: one context for all; each: a context for each; resumed: with the first one's session; idle: memory of connections that stay open.
 */
#include "bench.h"

static const char *ca;
static int version;
static SSL_SESSION *session;

static SSL_CTX *context(void) {
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  need(ctx && SSL_CTX_load_verify_locations(ctx, ca, NULL) == 1, "context");
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_min_proto_version(ctx, version);
  SSL_CTX_set_max_proto_version(ctx, version);
  return ctx;
}

/* `ask`: S has the server of transfer-peer.ts send a byte and stay, H has it say a byte and close; 0: nothing is asked. */
static SSL *visit(SSL_CTX *ctx, int port, char ask, int resume) {
  SSL *ssl = SSL_new(ctx);
  SSL_set_fd(ssl, dial(port));
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set1_host(ssl, "localhost");
  if (resume && session) SSL_set_session(ssl, session);
  need(SSL_connect(ssl) == 1, "handshake");
  if (ask) {
    unsigned char head[9] = {ask, 0, 0, 0, 0, 0, 0, 0, 1}, answer[1];
    need(SSL_write(ssl, head, 9) == 9 && SSL_read(ssl, answer, 1) == 1, "answer");
  }
  if (resume && !session) session = SSL_get1_session(ssl);
  else if (resume) need(SSL_session_reused(ssl), "not resumed");
  return ssl;
}

static void leave(SSL *ssl) {
  int fd = SSL_get_fd(ssl);
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(fd);
}

int main(int argc, char **argv) {
  need(argc == 7, "arguments");
  int calls = atoi(argv[1]), warm_up = atoi(argv[2]), port = atoi(argv[4]);
  const char *mode = argv[3];
  version = strcmp(argv[5], "TLSv1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  ca = argv[6];
  SSL_CTX *shared = context();
  int idle = strcmp(mode, "idle") == 0, each = strcmp(mode, "each") == 0, resume = strcmp(mode, "resumed") == 0;
  double before = 0;
  if (resume && warm_up == 0) warm_up = 1;
  for (int i = -warm_up; i < calls; i++) {
    if (i == 0) before = idle ? resident() : cpu();
    SSL_CTX *ctx = each ? context() : shared;
    SSL *ssl = visit(ctx, port, idle ? 'S' : resume ? 'H' : 0, resume);
    if (!idle) leave(ssl);
    if (each) SSL_CTX_free(ctx);
  }
  if (idle) printf("{\"kib\": %.2f}\n", (resident() - before) / calls);
  else printf("{\"calls\": %d, \"cpu\": %.1f}\n", calls, cpu() - before);
  return 0;
}
