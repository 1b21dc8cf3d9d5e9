import { join } from 'node:path'
import { existsSync, readFileSync } from './files.mjs'

/** What the five manuals name: options, then methods and functions, then constants and packages. */
const names = `
  SSL_alpn_protocols SSL_ca SSL_ca_file SSL_ca_path SSL_cert SSL_cert_file SSL_check_crl SSL_cipher_list SSL_ciphersuites
  SSL_client_ca SSL_client_ca_file SSL_create_ctx_callback SSL_crl_file SSL_ctx_free SSL_dh SSL_dh_file SSL_ecdh_curve
  SSL_error_trap SSL_fast_shutdown SSL_fingerprint SSL_force_fingerprint SSL_honor_cipher_order SSL_hostname
  SSL_keepSocketOnError SSL_key SSL_key_file SSL_mode_release_buffers SSL_no_shutdown SSL_npn_protocols SSL_ocsp_cache
  SSL_ocsp_mode SSL_ocsp_staple_callback SSL_on_peer_shutdown SSL_passwd_cb SSL_psk SSL_reuse_ctx SSL_server
  SSL_session_cache SSL_session_cache_size SSL_session_id_context SSL_session_key SSL_startHandshake SSL_ticket_keycb
  SSL_usebio SSL_use_cert SSL_verify_callback SSL_verify_mode SSL_verifycn_name SSL_verifycn_publicsuffix
  SSL_verifycn_scheme SSL_version

  accept accept_SSL add_session alpn_selected clone_cert close connect connect_SSL context_init default_ca del_session
  dump_peer_certificate errstr fdopen get_cipher get_fingerprint get_fingerprint_bin get_peer_certificate get_servername
  get_session get_session_reused get_sslversion get_sslversion_int getc is_SSL issuer_name kill_socket
  new_from_fd next_proto_negotiated ocsp_resolver opened peek peer_certificate peer_certificates pending print printf
  read recv send set_args_filter_hack set_client_defaults set_ctx_defaults set_default_context
  set_default_session_cache set_defaults set_msg_callback set_server_defaults setbuf setvbuf sock_certificate socketToSSL
  socket_to_SSL start_SSL stat stop_SSL subject_name sysread syswrite truncate ungetc verify_hostname
  verify_hostname_of_cert write

  can_alpn can_client_sni can_ecdh can_ipv6 can_multi_cert can_npn can_ocsp can_server_sni can_ticket_keycb

  hard_error soft_error requests add_response resolve_blocking public_suffix from_string from_file can_idn
  PEM_file2cert PEM_string2cert PEM_cert2file PEM_cert2string PEM_file2key PEM_string2key PEM_key2file PEM_key2string
  KEY_create_rsa KEY_create_ec CERT_free KEY_free CERT_asHash CERT_create

  SSL_ERROR SSL_OCSP_FAIL_HARD SSL_OCSP_FULL_CHAIN SSL_OCSP_MUST_STAPLE SSL_OCSP_NO_STAPLE SSL_OCSP_TRY_STAPLE
  SSL_VERIFY_CLIENT_ONCE SSL_VERIFY_FAIL_IF_NO_PEER_CERT SSL_VERIFY_NONE SSL_VERIFY_PEER SSL_WANT_READ SSL_WANT_WRITE
  SSL_Context Session_Cache OCSP_Cache Intercept PublicSuffix SSL_SSL debug0 inet4 SSLCERTS GEN_DNS GEN_IPADD
  SSL_CERT_DIR SSL_CERT_FILE SSL_ciphers SSL_password_cb SSL_verifycn_schema SSL_MODE_RELEASE_BUFFERS CTX_sess_set_cache_size
  PeerAddr PeerHost PeerPort LocalAddr LocalPort Listen Timeout shutdown

  check_cn wildcards_in_alt wildcards_in_cn ip_in_cn full_label leftmost anywhere when_only
  rfc2595 rfc2818 rfc2995 rfc3207 rfc3920 rfc4217 rfc4513 rfc4642 rfc5425 rfc5538 rfc5922 rfc5953 rfc5971
  http www ftp ldap smtp imap pop3 acap nntp netconf syslog snmp gist sip xmpp
`
  .trim()
  .split(/\s+/)

/** Every name of the original stands in a row of docs/parity.md, and every file that a row names as a test exists. */
export function checkParity(root) {
  const path = join(root, 'docs/parity.md')
  if (!existsSync(path)) return ['parity: docs/parity.md is missing']
  const problems = []
  const text = readFileSync(path, 'utf8')
  const files =
    /`([^`\s]+\.test\.ts|(?:[^`\s]+\/)?exceptions\/[^`\s]+\.json|(?:packages|testing|examples)\/[^`\s]+\.(?:ts|pl))`/g
  for (const [, file] of text.matchAll(files))
    if (!/^(?:packages|testing|examples)\//.test(file)) problems.push(`parity: ${file} is no path from the root`)
    else if (!existsSync(join(root, file))) problems.push(`parity: docs/parity.md names ${file}, which does not exist`)
  const originals = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split(' | ', 1)[0])
    .join('\n')
  for (const name of names)
    if (!new RegExp(`(?<![A-Za-z0-9_])${name}(?![A-Za-z0-9_])`).test(originals))
      problems.push(`parity: ${name} of the original has no row in docs/parity.md`)
  return problems
}
