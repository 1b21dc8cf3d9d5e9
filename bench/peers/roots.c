/* roots CALLS WARM-UP FILE: SSL_CTX_load_verify_locations, as every program that uses OpenSSL loads its roots. */
#include "bench.h"

int main(int argc, char **argv) {
  need(argc == 4, "arguments");
  int calls = atoi(argv[1]), warm_up = atoi(argv[2]);
  double before = 0;
  for (int i = -warm_up; i < calls; i++) {
    if (i == 0) before = cpu();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    need(SSL_CTX_load_verify_locations(ctx, argv[3], NULL) == 1, "load");
    SSL_CTX_free(ctx);
  }
  printf("{\"calls\": %d, \"cpu\": %.1f}\n", calls, cpu() - before);
  return 0;
}
